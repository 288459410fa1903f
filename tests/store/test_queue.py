"""The queue's schema is procrastinate's own, and an entry of a job waits in it once."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from service.errors import DatabaseUnavailable
from service.ports import Store
from service.store import open_store
from tests.store.values import one

Psql = psycopg.Connection[Any]

LISTENING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE 'LISTEN "procrastinate%%' AND state = 'idle'
"""
# everything that a schema is made of, by name
SHAPE = """
SELECT 'column ' || c.table_name || '.' || c.column_name,
       c.data_type || coalesce(c.column_default, '')
  FROM information_schema.columns c WHERE c.table_name LIKE 'procrastinate%%'
UNION ALL
SELECT 'function ' || p.oid::regprocedure::text, pg_get_functiondef(p.oid)
  FROM pg_proc p WHERE p.proname LIKE 'procrastinate%%'
UNION ALL
SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%%'
UNION ALL
SELECT 'trigger ' || t.tgname, pg_get_triggerdef(t.oid)
  FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgrelid::regclass::text LIKE 'procrastinate%%'
UNION ALL
SELECT 'constraint ' || c.conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c WHERE c.conrelid::regclass::text LIKE 'procrastinate%%'
UNION ALL
SELECT 'value ' || t.typname || ' ' || e.enumlabel, e.enumsortorder::text
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname LIKE 'procrastinate%%'
"""


def shape(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute(SHAPE.encode()).fetchall())


def test_the_schema_is_that_of_the_procrastinate_installed(
    database_url: str, empty_database_url: str
) -> None:
    """When this fails after an upgrade of procrastinate, a revision is due that runs the new files
    of its `sql/migrations` (`SchemaManager.get_migrations_path()`)."""
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(SchemaManager.get_schema().encode())
    ours, theirs = shape(database_url), shape(empty_database_url)
    assert ours == theirs
    assert len(ours) > 50


def waiting(psql: Psql) -> int:
    return int(one(psql, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"))


@pytest.fixture(autouse=True)
def empty_queue(psql: Psql) -> None:
    psql.execute("DELETE FROM procrastinate_jobs")


def test_an_entry_of_a_job_waits_once_and_comes_with_the_transaction(
    store: Store, psql: Psql
) -> None:
    job, other = uuid4(), uuid4()
    with store.transaction() as tx:
        tx.spool.enqueue(job)
        tx.spool.enqueue(job)
        tx.spool.enqueue(other, 60)
        assert waiting(psql) == 0
    assert waiting(psql) == 2
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.spool.enqueue(uuid4())
        raise ZeroDivisionError
    assert waiting(psql) == 2


class Noting:
    """See `service.spool.QueueWork`."""

    def __init__(self) -> None:
        self.ran: list[UUID] = []
        self.swept = 0
        self.hold = threading.Event()
        self.hold.set()
        self.stopped: list[bool] = []

    def run(self, job_id: UUID, stopping: Callable[[], bool]) -> None:
        self.ran.append(job_id)
        while not self.hold.wait(0.01):
            if stopping():
                self.stopped.append(True)
                return

    def sweep(self) -> None:
        self.swept += 1


@pytest.fixture
def work() -> Noting:
    return Noting()


@contextmanager
def working(store: Store, work: Noting, psql: Psql, threads: int = 2) -> Iterator[None]:
    """Workers that follow the queue already."""
    workers = store.workers(work, threads)
    workers.start()
    try:
        until(lambda: one(psql, LISTENING) > 0)
        yield
    finally:
        work.hold.set()
        workers.close()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def test_an_entry_is_run_at_once_and_leaves_the_queue(
    store: Store, work: Noting, psql: Psql
) -> None:
    job = uuid4()
    with working(store, work, psql):
        with store.transaction() as tx:
            tx.spool.enqueue(job)
        until(lambda: work.ran == [job], 3)
        until(lambda: one(psql, "SELECT count(*) FROM procrastinate_jobs") == 0)


def test_the_sweep_is_run_by_one_worker_of_all(store: Store, work: Noting, psql: Psql) -> None:
    psql.execute("DELETE FROM procrastinate_periodic_defers")
    other = Noting()
    with working(store, work, psql), working(store, other, psql):
        until(lambda: work.swept + other.swept)
        time.sleep(0.5)
        assert work.swept + other.swept <= 2  # two where a minute ends just now


def test_workers_hold_as_many_connections_however_many_threads_there_are(
    store: Store, work: Noting, psql: Psql
) -> None:
    count = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    before = one(psql, count)
    with working(store, work, psql, threads=8):
        for _ in range(20):
            with store.transaction() as tx:
                tx.spool.enqueue(uuid4())
        until(lambda: len(work.ran) == 20)
        assert one(psql, count) <= before + 3 + 1  # the last one is this store's
    until(lambda: one(psql, count) <= before + 1)


def test_closing_waits_for_what_is_under_way(store: Store, work: Noting) -> None:
    work.hold.clear()
    workers = store.workers(work, 1)
    workers.start()
    with store.transaction() as tx:
        tx.spool.enqueue(uuid4())
    until(lambda: work.ran)
    workers.close()
    assert work.stopped == [True]


def test_workers_come_back_after_their_connections_were_cut(
    store: Store, work: Noting, psql: Psql
) -> None:
    with working(store, work, psql):
        psql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        job = uuid4()
        with store.transaction() as tx:
            tx.spool.enqueue(job)
        until(lambda: job in work.ran)


def test_entries_of_dead_workers_are_forgotten(store: Store, work: Noting, psql: Psql) -> None:
    with store.transaction() as tx:
        tx.spool.enqueue(uuid4())
    psql.execute(
        "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        "           VALUES (now() - interval '1 min') RETURNING id)"
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = w.id FROM w"
    )
    psql.execute("DELETE FROM procrastinate_periodic_defers")
    with working(store, work, psql):
        until(lambda: one(psql, "SELECT count(*) FROM procrastinate_jobs") == 0)
    assert work.ran == []


def test_workers_stop_at_once_while_the_server_is_away(work: Noting) -> None:
    store = open_store("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1, timeout_s=1)
    workers = store.workers(work, 1)
    workers.start()
    time.sleep(0.5)
    began = time.monotonic()
    workers.close()
    assert time.monotonic() - began < 5
    store.close()


class Failing(Noting):
    """Whose work breaks off because the database does."""

    def run(self, job_id: UUID, stopping: Callable[[], bool]) -> None:
        super().run(job_id, stopping)
        raise DatabaseUnavailable


def test_an_outage_in_the_middle_of_the_work_is_one_line_and_no_traceback(
    store: Store, psql: Psql, caplog: pytest.LogCaptureFixture
) -> None:
    work = Failing()
    work.hold.clear()
    caplog.set_level(logging.DEBUG)
    with working(store, work, psql):
        for _ in range(2):
            with store.transaction() as tx:
                tx.spool.enqueue(uuid4())
        until(lambda: work.ran)
        psql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        work.hold.set()
        until(lambda: "the database went away" in caplog.text)
        until(lambda: len(work.ran) == 2)
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in loud if record.exc_info] == []
    said = [record for record in loud if "the database went away" in record.getMessage()]
    assert len(said) == 1
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.DEBUG)


def test_a_mistake_of_ours_keeps_its_traceback(
    store: Store, psql: Psql, caplog: pytest.LogCaptureFixture
) -> None:
    class Mistaken(Noting):
        def run(self, job_id: UUID, stopping: Callable[[], bool]) -> None:
            raise ZeroDivisionError

    with working(store, Mistaken(), psql):
        with store.transaction() as tx:
            tx.spool.enqueue(uuid4())
        until(lambda: "ZeroDivisionError" in caplog.text)
