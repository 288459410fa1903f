"""Threads that work until they are told to rest, and say where they are."""

import random
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.convergence.record import Record


class Worker(ABC):
    """Does one step after the other; between two steps it can be held."""

    def __init__(self, name: str, seed: int, record: Record) -> None:
        self.name = name
        self.random = random.Random(f"{seed} {name}")
        self.record = record
        self._busy = threading.Lock()
        self._held = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @abstractmethod
    def step(self) -> None: ...

    def rest(self, seconds: float) -> None:
        """Sleep, but not when others wait for this step to end."""
        self._held.wait(seconds)

    def _run(self) -> None:
        while not self._ending.wait(0.01 if self._held.is_set() else 0):
            with self._busy:
                if not self._held.is_set():
                    self._safely()

    def end(self) -> None:
        self._ending.set()
        self._held.set()
        self._thread.join()
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Nothing works any more: give back what is held."""

    def _safely(self) -> None:
        try:
            self.step()
        except Exception:
            # the harness's own mistake: as loud as a violation, or a run would prove nothing
            self.record.violation(f"{self.name} failed: {traceback.format_exc(limit=-3)}")
            self.rest(1)

    def hold(self) -> None:
        """Ask for rest; `wait` for it."""
        self._held.set()

    def wait(self) -> None:
        self._busy.acquire()

    def release(self) -> None:
        self._busy.release()
        self._held.clear()


@contextmanager
def resting(workers: Iterable[Worker]) -> Iterator[None]:
    """Nobody of them is within a step."""
    everybody = list(workers)
    for worker in everybody:
        worker.hold()
    for worker in everybody:
        worker.wait()
    try:
        yield
    finally:
        for worker in everybody:
            worker.release()
