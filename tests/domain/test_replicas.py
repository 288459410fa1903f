"""Whether a replica that has reported a version holds another."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.domain.galleries import GalleryVersion
from service.domain.replicas import DEAD_AFTER_S, ReplicaState

ONE, OTHER = UUID(int=1), UUID(int=2)
SEVEN = GalleryVersion(7, ONE)


def state(version: GalleryVersion | None, silent_s: float = 0.0) -> ReplicaState:
    now = datetime.now(UTC)
    return ReplicaState("host:1", version, now, now, silent_s, None, 0)


@pytest.mark.parametrize(
    ("reported", "holds"),
    [
        (SEVEN, True),
        (GalleryVersion(8, OTHER), True),
        (GalleryVersion(6, ONE), False),
        (GalleryVersion(7, OTHER), False),  # another history's seventh
        (None, False),  # nothing loaded yet
    ],
)
def test_a_replica_holds_what_leads_up_to_its_version(
    reported: GalleryVersion | None, holds: bool
) -> None:
    assert state(reported).holds(SEVEN) is holds


def test_a_silent_replica_is_dead() -> None:
    assert state(SEVEN, DEAD_AFTER_S - 0.1).live
    assert not state(SEVEN, DEAD_AFTER_S + 0.1).live
