"""Findings that a healthy machine cannot bring about; the rest is in tests/cli/test_doctor.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from service import diagnosis
from service.domain.galleries import GalleryHead, GalleryVersion
from service.domain.replicas import DEAD_AFTER_S, ReplicaState
from service.index import IndexBuilder
from service.ports import FaceRead, Store

HEAD = GalleryHead(UUID(int=1), "people", UUID(int=2), 8, GalleryVersion(7, UUID(int=3)))
NOW = datetime.now(UTC)


class Clock:
    """A store whose database's clock is wrong by so much."""

    def __init__(self, wrong: timedelta) -> None:
        self._wrong = wrong

    @contextmanager
    def transaction(self, *, read_only: bool) -> Iterator["Clock"]:
        assert read_only
        yield self

    def now(self) -> datetime:
        return datetime.now(UTC) + self._wrong


@pytest.mark.parametrize(
    ("wrong_s", "well"), [(0, True), (1.5, True), (-1.5, True), (5, False), (-5, False)]
)
def test_a_clock_that_is_wrong_is_told(wrong_s: float, well: bool) -> None:
    store = cast(Store, Clock(timedelta(seconds=wrong_s)))
    finding = diagnosis._clock(store)
    assert finding.well is well
    assert well or "by 5.0 s; set both by NTP" in finding.text


class Table:
    """An empty gallery, of which SQL says another digest than its rows have."""

    def all_faces(self, _: GalleryHead) -> Iterator[Any]:
        return iter(())

    def digest(self, _: GalleryHead) -> int:
        return IndexBuilder(HEAD.dimension).finish(HEAD.version).digest() + 1


def test_an_index_that_does_not_equal_its_table_is_told() -> None:
    finding = diagnosis._index(cast(FaceRead, Table()), HEAD)
    assert not finding.well
    assert "please report it" in finding.text


@pytest.mark.parametrize(
    ("version", "silent_s", "differences", "well", "words"),
    [
        (HEAD.version, 1, 0, True, "holds gallery 'people' as the table is"),
        (GalleryVersion(6, UUID(int=9)), 1, 0, True, "is catching up"),
        (None, 1, 0, True, "is catching up"),
        (HEAD.version, DEAD_AFTER_S + 1, 0, False, "restart it"),
        (HEAD.version, 1, 2, False, "differed from the table 2 times"),
    ],
)
def test_a_replica_is_judged_by_what_it_reported(
    version: GalleryVersion | None, silent_s: float, differences: int, well: bool, words: str
) -> None:
    state = ReplicaState("host:1", version, NOW, NOW, silent_s, NOW, differences)
    finding = diagnosis._replica(HEAD, state)
    assert finding.well is well
    assert words in finding.text
