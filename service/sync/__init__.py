"""Keeps this process's indexes equal to the committed rows."""

from service.sync.entropy import AntiEntropy
from service.sync.replica import Replica

__all__ = ["AntiEntropy", "Replica"]
