"""The record of searches is written off the requests' path; its thread outlives its failures."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

import service.audit
from service.audit import Recorder
from service.domain.audit import NO_MATCH, RecordedSearch
from service.domain.keys import trusted
from service.errors import AuditBehind
from service.ports import Store, Transaction

SEARCH = RecordedSearch(
    action="search",
    outcome=NO_MATCH,
    caller=trusted("test"),
    gallery_id=UUID(int=1),
    space_id=UUID(int=2),
    threshold=0.5,
    version=1,
    occurred_at=datetime.now(UTC),
)


class FailingAtFirst:
    """A store whose first write meets a mistake of ours; it counts the others."""

    def __init__(self) -> None:
        self.writes = 0
        self._failed = False

    def write(self, work: Callable[[Transaction], None]) -> None:
        if not self._failed:
            self._failed = True
            raise RuntimeError("a mistake")
        self.writes += 1


class Held:
    """A store that notes how many searches each write brought, and writes nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.batches: list[int] = []

    def write(self, work: Callable[[Transaction], None]) -> None:
        assert self.may.wait(10)
        work(cast(Transaction, self))

    def record(self, searches: Sequence[RecordedSearch]) -> None:
        self.batches.append(len(searches))


def test_nobody_waits_for_the_table_and_it_gets_many_at_once() -> None:
    store = Held()
    recorder = Recorder(cast(Store, store))
    recorder.start()
    began = time.monotonic()
    recorder.record([SEARCH] * 1200)
    assert time.monotonic() - began < 2
    assert store.batches == []
    store.may.set()
    recorder.close()
    assert store.batches == [500, 500, 200]


def test_none_is_answered_while_too_many_wait_and_then_again() -> None:
    store = Held()
    recorder = Recorder(cast(Store, store))
    recorder.record([SEARCH] * (service.audit.MOST - 1))
    recorder.check()
    recorder.record([SEARCH])
    with pytest.raises(AuditBehind):
        recorder.check()
    store.may.set()
    recorder.start()
    recorder.close()
    recorder.check()


def test_a_failure_that_nobody_foresaw_does_not_end_the_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service.audit, "EVERY_S", 0.01)
    store = FailingAtFirst()
    recorder = Recorder(cast(Store, store))
    recorder.start()
    recorder.record([SEARCH])
    end = time.monotonic() + 5
    while not store.writes and time.monotonic() < end:
        time.sleep(0.01)
    recorder.close()
    assert store.writes == 1
