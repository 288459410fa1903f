"""Tells the database how far this replica has come, often enough and no more."""

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from service.domain.replicas import HEARTBEAT_S, Held, Report
from service.ports import ChangeFeed

SHORTEST_S = 0.25
"""Versions may follow each other within milliseconds; a report is a write of its own."""


class Reporter:
    """Used by one thread. `checked_at` and `differences` are the digest comparison's."""

    def __init__(self, feed: ChangeFeed) -> None:
        self.replica_id = uuid4()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.checked_at: datetime | None = None
        self.differences = 0
        self._feed = feed
        self._told: dict[UUID, Held] = {}
        self._told_at = self._told_all_at = -HEARTBEAT_S
        self._news = True

    def tell(self, galleries: Mapping[UUID, Held]) -> None:
        """Report if something is new, or a heartbeat is due; raises DatabaseUnavailable.

        A heartbeat says everything again: somebody may have cleared the list by hand.
        """
        changed = {
            gallery_id: held
            for gallery_id, held in galleries.items()
            if self._told.get(gallery_id) != held
        }
        self._news = bool(changed)
        if self.due_in_s() > 0:
            return
        now = time.monotonic()
        whole = now - self._told_all_at >= HEARTBEAT_S
        told = galleries if whole else changed
        self._feed.report(
            Report(self.replica_id, self.name, told, self.checked_at, self.differences)
        )
        self._told = dict(galleries)
        self._told_at = now
        self._told_all_at = now if whole else self._told_all_at
        self._news = False

    def due_in_s(self) -> float:
        """Seconds until `tell` has to be called again."""
        pause = SHORTEST_S if self._news else HEARTBEAT_S
        return self._told_at + pause - time.monotonic()

    def again(self) -> None:
        """Report everything anew: another server may answer than the one that was told."""
        self._told = {}

    def leave(self) -> None:
        """Take this replica off the list, if it ever was on it; raises DatabaseUnavailable."""
        if self._told_at >= 0:
            self._feed.leave(self.replica_id)
