from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from service.errors import Overloaded
from service.vision.pool import SlotPool


def test_waiting_too_long_for_a_slot_is_overload() -> None:
    pool = SlotPool(object, 1, timeout_s=0.05)
    with pool.take(), pytest.raises(Overloaded), pool.take():
        pass


def test_a_slot_comes_back_after_an_error() -> None:
    pool = SlotPool(object, 1, timeout_s=0.05)
    with pytest.raises(ZeroDivisionError), pool.take():
        _ = 1 / 0
    with pool.take():
        pass


def test_each_holder_has_a_slot_of_its_own() -> None:
    numbers = count()
    pool = SlotPool(lambda: next(numbers), 2, timeout_s=1)
    with pool.take() as one, pool.take() as other:
        assert {one, other} == {0, 1}


def test_a_waiting_thread_gets_the_slot_that_is_given_back() -> None:
    pool = SlotPool(object, 1, timeout_s=30)
    taken, done = Event(), Event()

    def hold() -> None:
        with pool.take():
            taken.set()
            done.wait(30)

    def wait() -> bool:
        with pool.take():
            return True

    with ThreadPoolExecutor(2) as threads:
        threads.submit(hold)
        taken.wait(30)
        waiting = threads.submit(wait)
        done.set()
        assert waiting.result(30)
