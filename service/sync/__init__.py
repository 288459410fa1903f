"""Keeps this process's indexes equal to the committed rows."""

from service.sync.replica import Replica

__all__ = ["Replica"]
