"""The record of searches is written off the requests' path; its thread outlives its failures."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

import service.audit
from service.audit import Recorder
from service.domain.audit import NO_MATCH, RecordedSearch
from service.domain.keys import trusted
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
