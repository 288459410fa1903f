"""The store: a pool for the use cases, connections of its own for the feed."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection

from service.domain.keys import Caller
from service.domain.matches import EVERYBODY, Glance, SubjectFilter
from service.domain.repeats import Once, Repeated
from service.errors import DatabaseBusy
from service.ports import ChangeFeed, Store, Transaction
from service.spool import QueueWork, QueueWorkers
from service.store import matches
from service.store.changes import PostgresFeed
from service.store.engine import open_engine
from service.store.failures import is_conflict, translated
from service.store.glances import glances
from service.store.queue import PostgresWorkers
from service.store.transactions import PostgresTransaction

Result = TypeVar("Result")

RETRIES = 4
LONGEST_PAUSE_S = 0.05


class PostgresStore:
    """See `ports.Store`. Opens no connection before it needs one."""

    def __init__(
        self, url: str, *, direct_url: str | None, pool_size: int, timeout_s: float
    ) -> None:
        self._direct_url = direct_url or url
        self._timeout_s = timeout_s
        self._engine = open_engine(
            url, pool_size=pool_size, timeout_s=timeout_s, pooler=direct_url is not None
        )
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._glances = partial(glances, self._engine, timeout_s, pooler=direct_url is not None)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Transaction]:
        engine = self._reading if read_only else self._engine
        with translated(), engine.begin() as connection:
            yield PostgresTransaction(connection)
            _refuse_failed(connection)

    def glance(
        self, name: str, face_ids: Sequence[UUID] = (), among: SubjectFilter = EVERYBODY
    ) -> Glance | None:
        with translated(), self._glances() as read:
            return matches.glance(read, name, face_ids, among)

    def write(
        self,
        work: Callable[[Transaction], Result],
        once: Once[Result] | None = None,
        *,
        by: Caller | None = None,
    ) -> Result:
        whole = partial(_carried_out, work, once, by)
        for _ in range(RETRIES):
            try:
                with self.transaction() as tx:
                    return whole(tx)
            except DatabaseBusy as error:
                if not is_conflict(error):
                    raise
                # apart, or the same two meet again
                time.sleep(random.uniform(0, LONGEST_PAUSE_S))
        with self.transaction() as tx:
            return whole(tx)

    def feed(self) -> ChangeFeed:
        return PostgresFeed(self._direct_url, timeout_s=self._timeout_s)

    def workers(self, work: QueueWork, threads: int) -> QueueWorkers:
        return PostgresWorkers(self._direct_url, work, threads)

    def close(self) -> None:
        self._engine.dispose()


def _carried_out(
    work: Callable[[Transaction], Result],
    once: Once[Result] | None,
    by: Caller | None,
    tx: Transaction,
) -> Result:
    """The work, and its answer kept with it; raises Repeated where that has happened before."""
    if by is not None:
        tx.act_for(by)
    if once is None:
        return work(tx)
    before = tx.begin_attempt(once.attempt)
    if before is not None:
        raise Repeated(before)
    result = work(tx)
    tx.keep_answer(once.attempt, once.answer(result))
    return result


def _refuse_failed(connection: Connection) -> None:
    """Postgres answers the COMMIT of a failed transaction with a ROLLBACK and no error."""
    driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
    if driver.info.transaction_status == TransactionStatus.INERROR:
        raise RuntimeError("a statement of this transaction failed: nothing can be committed")


def open_store(
    url: str, *, direct_url: str | None = None, pool_size: int, timeout_s: float
) -> Store:
    """A store on `url`; `direct_url` where that goes through a transaction pooler.

    Raises:
        DatabaseUnsuitable: a URL cannot be understood.
    """
    return PostgresStore(url, direct_url=direct_url, pool_size=pool_size, timeout_s=timeout_s)
