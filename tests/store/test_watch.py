"""The watch over a server: it never gives up, and it does not hammer."""

import threading
import time
from collections.abc import Callable

import pytest

from service.errors import DatabaseUnsuitable
from service.store import watch
from service.store.watch import Watch


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.01)
    monkeypatch.setattr(watch, "LAST_PAUSE_S", 0.2)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_server_that_runs_is_left_alone() -> None:
    looks: list[None] = []

    def runs() -> bool:
        looks.append(None)
        return True

    def revive() -> None:
        pytest.fail("it runs")

    watching = Watch(runs=runs, revive=revive)
    watching.start()
    until(lambda: len(looks) > 5)
    watching.close()


@pytest.mark.parametrize("error", [DatabaseUnsuitable("no room"), OSError(28, "full"), KeyError()])
def test_what_cannot_be_started_is_tried_again_ever_more_slowly(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[float] = []
    up = threading.Event()

    def revive() -> None:
        tries.append(time.monotonic())
        if len(tries) < 6:
            raise error
        up.set()

    watching = Watch(runs=up.is_set, revive=revive)
    watching.start()
    until(up.is_set)
    watching.close()
    assert tries[-1] - tries[-2] >= 0.2
    assert len(tries) == 6
    assert caplog.text.count("starting it again") == 6


def test_closing_waits_for_a_start_under_way() -> None:
    began, ended = threading.Event(), threading.Event()

    def revive() -> None:
        began.set()
        time.sleep(0.3)
        ended.set()

    watching = Watch(runs=ended.is_set, revive=revive)
    watching.start()
    assert began.wait(10)
    watching.close()
    assert ended.is_set()
