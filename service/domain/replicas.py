"""Replicas: the processes that follow the change feed, and how far each has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.galleries import GalleryVersion

HEARTBEAT_S = 5.0
"""A replica reports at least this often."""
DEAD_AFTER_S = 15.0
"""A replica that has not reported for so long counts as dead: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica says of itself; `versions` holds at least those that changed since its last
    report.

    `differences` counts the times its index differed from the table, which must stay 0.
    """

    replica_id: UUID
    name: str
    versions: Mapping[UUID, GalleryVersion]
    checked_at: datetime | None
    differences: int


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A replica as the database knows it, for one gallery.

    `version` is None before it has loaded the gallery. `silent_s` is the time since its last
    report in seconds, by the database's clock.
    """

    name: str
    version: GalleryVersion | None
    started_at: datetime
    seen_at: datetime
    silent_s: float
    checked_at: datetime | None
    differences: int

    @property
    def live(self) -> bool:
        return self.silent_s <= DEAD_AFTER_S

    def holds(self, version: GalleryVersion) -> bool:
        """Whether what it reported contains that version; another mark is another history."""
        if self.version is None:
            return False
        return self.version == version or self.version.number > version.number
