"""Work that is done again and again beside the requests."""

import logging
import random
import threading
from collections.abc import Callable

from service.errors import UnavailableError

log = logging.getLogger(__name__)


class Periodic:
    """A thread that does `work` about every `every_s` seconds, within `spread` of that, so that
    replicas started together do not meet each time. What fails is tried again at the next turn.

    `stopping` is set once it is to end; work that takes long looks at it.
    """

    def __init__(
        self, name: str, work: Callable[[], object], every_s: float, *, spread: float = 0.2
    ) -> None:
        self.stopping = threading.Event()
        self._name = name
        self._work = work
        self._every_s = every_s
        self._spread = spread
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float | None = None) -> bool:
        """Have it end, and wait; whether it has."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.wait(
            self._every_s * random.uniform(1 - self._spread, 1 + self._spread)
        ):
            try:
                self._work()
            except UnavailableError as error:
                log.info("%s waits: %s", self._name, error)
            except Exception:
                # to stop for good would be worse than whatever failed
                log.exception("%s: unexpected failure", self._name)
