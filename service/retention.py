"""Retention: subjects whose time is over are deleted, and photographs that no gallery keeps any
more; erasures are followed to their end."""

import logging
import random
import threading
from collections.abc import Callable

from service.domain.keys import trusted
from service.erasures import Erasures
from service.errors import UnavailableError
from service.photographs import delete_unkept
from service.ports import Store

log = logging.getLogger(__name__)

BATCH = 200
"""Subjects deleted in one transaction: one version of each gallery."""


RETENTION = trusted("facematch retention")


def delete_lapsed(store: Store, stopping: Callable[[], bool] = lambda: False) -> int:
    """Delete every subject that has expired or was not found for too long, or as many as can be
    before `stopping()`; returns how many."""
    deleted = 0
    while not stopping() and (
        done := store.write(lambda tx: tx.delete_lapsed(BATCH), by=RETENTION)
    ):
        deleted += done
    return deleted


class Retention:
    """A thread that does so from time to time. Several replicas may: rows that another one is
    deleting are passed over."""

    def __init__(self, store: Store, every_s: float) -> None:
        self._store = store
        self._erasures = Erasures(store)
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        # apart, so that replicas started together do not meet each time
        while not self._closing.wait(self._every_s * random.uniform(0.8, 1.2)):
            try:
                deleted = delete_lapsed(self._store, self._closing.is_set)
                if deleted:
                    log.info("%d subjects deleted: their time was over", deleted)
                unkept = delete_unkept(self._store, self._closing.is_set)
                if unkept:
                    log.info("%d photographs deleted: their galleries keep them no more", unkept)
                self._erasures.follow()
            except UnavailableError as error:
                log.warning("retention waits: %s", error)
            except Exception:
                log.exception("retention failed; it is tried again")
