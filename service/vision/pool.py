"""A bounded pool of engine slots: one photograph is processed by one slot at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Generic, TypeVar

from service.errors import Overloaded

Slot = TypeVar("Slot")


class SlotPool(Generic[Slot]):
    """`size` slots made by `build`; `take` lends one and waits at most `timeout_s` seconds.

    dlib's and OpenCV's objects keep scratch memory inside, so two threads may never share one;
    the bound also keeps more photographs from being in memory than the machine can work on.
    """

    def __init__(self, build: Callable[[], Slot], size: int, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        # last in, first out: the slot used last has its memory in the caches
        self._free: LifoQueue[Slot] = LifoQueue()
        for _ in range(size):
            self._free.put(build())

    @contextmanager
    def take(self) -> Iterator[Slot]:
        """One slot, for this thread alone until the block ends.

        Raises:
            Overloaded: none became free in time.
        """
        try:
            slot = self._free.get(timeout=self.timeout_s)
        except Empty:
            raise Overloaded from None
        try:
            yield slot
        finally:
            self._free.put(slot)
