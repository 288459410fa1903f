"""Replicas: the processes that follow the change feed, and how far each has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from service.domain.galleries import GalleryVersion

HEARTBEAT_S = 5.0
"""A replica reports at least this often."""
DEAD_AFTER_S = 15.0
"""A replica that has not reported for so long counts as dead: nobody waits for it."""


class Held(NamedTuple):
    """A gallery as a replica holds it. `searchable`: those of its embedding spaces of which the
    replica has both the index and, because the gallery has two, made sure of the model."""

    version: GalleryVersion
    searchable: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica says of itself; `galleries` holds at least those that changed since its last
    report.

    `differences` counts the times its index differed from the table, which must stay 0.
    """

    replica_id: UUID
    name: str
    galleries: Mapping[UUID, Held]
    checked_at: datetime | None
    differences: int


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A replica as the database knows it, for one gallery.

    `version` is None before it has loaded the gallery. `silent_s` is the time since its last
    report in seconds, by the database's clock. `searchable` is as in `Held`; None: it says nothing
    of spaces.
    """

    name: str
    version: GalleryVersion | None
    started_at: datetime
    seen_at: datetime
    silent_s: float
    checked_at: datetime | None
    differences: int
    searchable: frozenset[UUID] | None = None

    @property
    def live(self) -> bool:
        return self.silent_s <= DEAD_AFTER_S

    def holds(self, version: GalleryVersion) -> bool:
        """Whether what it reported contains that version; another mark is another history."""
        if self.version is None:
            return False
        return self.version == version or self.version.number > version.number

    @property
    def older_release(self) -> bool:
        """Whether it holds the gallery and knows of no second space."""
        return self.version is not None and self.searchable is None

    def searches(self, space_id: UUID) -> bool:
        return self.searchable is not None and space_id in self.searchable


def unready(replicas: Sequence[ReplicaState], space_id: UUID) -> list[ReplicaState]:
    """Those that live and have not said that they can search the gallery in that space."""
    return [each for each in replicas if each.live and not each.searches(space_id)]
