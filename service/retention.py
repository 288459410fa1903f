"""Retention: subjects whose time is over are deleted, and photographs that no gallery keeps any
more; erasures are followed to their end."""

import logging
from collections.abc import Callable

from service.domain.keys import trusted
from service.erasures import Erasures
from service.periodic import Periodic
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
        self._turns = Periodic("retention", self._look, every_s)

    def start(self) -> None:
        self._turns.start()

    def close(self) -> None:
        self._turns.close()

    def _look(self) -> None:
        stopping = self._turns.stopping.is_set
        deleted = delete_lapsed(self._store, stopping)
        if deleted:
            log.info("%d subjects deleted: their time was over", deleted)
        unkept = delete_unkept(self._store, stopping)
        if unkept:
            log.info("%d photographs deleted: their galleries keep them no more", unkept)
        self._erasures.follow()
