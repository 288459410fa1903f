"""A watch over a server: when it ends under its users, it is started again."""

import logging
import threading
from collections.abc import Callable

from service.errors import DatabaseUnsuitable

LOOK_S = 0.5
LAST_PAUSE_S = 30.0

log = logging.getLogger(__name__)


class Watch:
    """A thread of its own. `runs` tells, at little cost, whether the server is there; `revive` is
    called when it is not, and may raise DatabaseUnsuitable or OSError: then it is tried again, ever
    more slowly."""

    def __init__(self, *, runs: Callable[[], bool], revive: Callable[[], None]) -> None:
        self._runs = runs
        self._revive = revive
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="database watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Wait for a start under way: whoever stops the server must come after it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = LOOK_S
        while not self._ending.wait(pause_s):
            try:
                if not self._runs():
                    log.warning("the embedded database has ended; starting it again")
                    self._revive()
                    log.warning("the embedded database runs again")
                pause_s = LOOK_S
            except (DatabaseUnsuitable, OSError) as error:
                pause_s = min(2 * pause_s, LAST_PAUSE_S)
                log.error("%s; next try in %.0f s", error, pause_s)
            except Exception:
                # without a watch, the next crash would last until somebody looks
                pause_s = LAST_PAUSE_S
                log.exception("the watch over the embedded database failed")
