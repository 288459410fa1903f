"""Tells the database how far this replica has come, often enough and no more."""

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from service.domain.galleries import GalleryVersion
from service.domain.replicas import HEARTBEAT_S, Report
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
        self._told: dict[UUID, GalleryVersion] = {}
        self._told_at = -HEARTBEAT_S
        self._news = True

    def tell(self, versions: Mapping[UUID, GalleryVersion]) -> None:
        """Report if something is new, or a heartbeat is due; raises DatabaseUnavailable."""
        changed = {
            gallery_id: version
            for gallery_id, version in versions.items()
            if self._told.get(gallery_id) != version
        }
        self._news = bool(changed)
        if self.due_in_s() > 0:
            return
        self._feed.report(
            Report(self.replica_id, self.name, changed, self.checked_at, self.differences)
        )
        self._told = dict(versions)
        self._told_at = time.monotonic()
        self._news = False

    def due_in_s(self) -> float:
        """Seconds until `tell` has to be called again."""
        pause = SHORTEST_S if self._news else HEARTBEAT_S
        return self._told_at + pause - time.monotonic()

    def again(self) -> None:
        """Report everything anew: another server may answer than the one that was told."""
        self._told = {}

    def leave(self) -> None:
        """Take this replica off the list; raises DatabaseUnavailable."""
        self._feed.leave(self.replica_id)
