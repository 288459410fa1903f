"""Keeps this process's indexes equal to the committed rows."""

from service.sync.entropy import AntiEntropy
from service.sync.keeper import Keeper
from service.sync.preparer import Preparer
from service.sync.replica import Replica
from service.sync.snapshots import Snapshots

__all__ = ["AntiEntropy", "Keeper", "Preparer", "Replica", "Snapshots"]
