"""Every step of the schema while others enrol, delete and read: none fails, none waits for long."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.errors import DatabaseBusy, DatabaseUnsuitable
from service.store import schema
from tests.store import images
from tests.store.values import one

WRITERS, READERS = 6, 2
LONGEST_S = 4.5
"""The two seconds that a step waits for a lock, and what this machine takes while it is busy; below
the five after which the service itself gives up (DATABASE_TIMEOUT_S)."""

# as a replica reads: behind locks, so that no TRUNCATE slips between
READ = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
LOCK TABLE subject, face, face_embedding IN ACCESS SHARE MODE;
SELECT count(*) FROM face_embedding e JOIN face f ON f.id = e.face_id AND vector_dims(e.vec) = 4;
COMMIT
"""

AT_ONCE = """
WITH person AS (INSERT INTO subject (gallery_id, external_id)
                VALUES (%(gallery)s, %(name)s) RETURNING id, gallery_id),
     photo AS (INSERT INTO face (gallery_id, subject_id, image_sha256, created_by)
               SELECT gallery_id, id, sha256(convert_to(%(name)s, 'UTF8')), 'test' FROM person
               RETURNING id, gallery_id)
INSERT INTO face_embedding (face_id, space_id, gallery_id, vec)
SELECT p.id, g.space_id, g.id, '[0,0,1,0]' FROM photo p JOIN gallery g ON g.id = %(gallery)s
"""

Sql = psycopg.Connection[Any]
Enrol = Callable[[Sql, str], object]


class Worker:
    """Repeats a piece of work in a thread of its own; knows how long the longest time took."""

    def __init__(self, url: str, work: Callable[[Sql, int], object]) -> None:
        self.slowest_s = 0.0
        self.done = 0
        self.failure: BaseException | None = None
        self._work, self._url = work, url
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as sql:
                sql.execute("SET lock_timeout = '5s'")
                while not self._ending.is_set():
                    begun = time.monotonic()
                    self._work(sql, self.done)
                    self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
                    self.done += 1
        except BaseException as error:
            self.failure = error

    def end(self) -> None:
        self._ending.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def writer(name: str, enrol: Enrol) -> Callable[[Sql, int], None]:
    """Enrols, renames and deletes; of ten enrolled nine stay."""

    def write(sql: Sql, number: int) -> None:
        enrol(sql, f"{name} {number}")
        where = ("WHERE external_id = %s", (f"{name} {number}",))
        if number % 10 == 9:
            sql.execute(f"DELETE FROM subject {where[0]}".encode(), where[1])
        else:
            change = f"UPDATE subject SET metadata = '{{\"seen\": 1}}' {where[0]}"
            sql.execute(change.encode(), where[1])

    return write


def enrol_at_once(sql: Sql, name: str) -> None:
    """One statement, which locks its tables in another order than the service does."""
    sql.execute(AT_ONCE, {"gallery": images.GALLERY, "name": name})


def enrol_as_the_service(sql: Sql, name: str) -> None:
    """It reads the gallery first, and what it was calibrated to, in the same transaction."""
    with sql.transaction():
        sql.execute("SELECT threshold FROM gallery WHERE id = %s", (images.GALLERY,))
        if one(sql, "SELECT to_regclass('gallery_calibration') IS NOT NULL"):
            sql.execute("SELECT FROM gallery_calibration")
        images.enrol(sql, name)


def read(sql: Sql, number: int) -> None:
    sql.execute(READ.encode())


@contextmanager
def everybody_at_work(url: str) -> Iterator[list[Worker]]:
    """Writers, then readers; nobody's failure stays unnoticed."""
    ways: list[Enrol] = [images.enrol, enrol_at_once, enrol_as_the_service] * (WRITERS // 3)
    workers = [Worker(url, writer(f"writer-{n}", enrol)) for n, enrol in enumerate(ways)]
    workers += [Worker(url, read) for _ in range(READERS)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()
    assert [worker.failure for worker in workers if worker.failure] == []


def worked(workers: list[Worker], times: int) -> None:
    """Wait until each has done its work so many times more."""
    wanted = [worker.done + times for worker in workers]
    end = time.monotonic() + 30
    while any(worker.done < want for worker, want in zip(workers, wanted, strict=True)):
        assert time.monotonic() < end
        assert [worker.failure for worker in workers if worker.failure] == []
        time.sleep(0.01)


@pytest.mark.parametrize(("before", "revision"), images.steps()[1:])
def test_a_step_holds_nobody_up_for_long(
    empty_database_url: str, before: str, revision: str
) -> None:
    images.load(empty_database_url, before)
    with everybody_at_work(empty_database_url) as workers:
        worked(workers, 5)
        schema.upgrade(empty_database_url, revision=revision)
        worked(workers, 5)
    assert max(worker.slowest_s for worker in workers) < LONGEST_S
    assert_whole(empty_database_url, workers[:WRITERS])


def assert_whole(url: str, writers: list[Worker]) -> None:
    """Whatever was committed is there, and every version hangs on the one before."""
    with psycopg.connect(url) as connection:
        for number, each in enumerate(writers):
            faces = one(
                connection,
                "SELECT count(*) FROM subject s JOIN face f ON f.subject_id = s.id"
                " JOIN face_embedding e ON e.face_id = f.id WHERE external_id LIKE %s",
                f"writer-{number} %",
            )
            assert faces == each.done - each.done // 10
        numbered = connection.execute(
            "SELECT version, mark, prev_mark FROM gallery_change WHERE gallery_id = %s"
            " GROUP BY 1, 2, 3 ORDER BY 1",
            (images.GALLERY,),
        ).fetchall()
        last = connection.execute(
            "SELECT version, mark, prev_mark FROM gallery WHERE id = %s", (images.GALLERY,)
        ).fetchone()
    marks: dict[int, UUID] = {version: mark for version, mark, _ in numbered}
    assert list(marks) == list(range(min(marks), max(marks) + 1))
    assert all(marks.get(version - 1, previous) == previous for version, _, previous in numbered)
    assert numbered[-1] == last


STRONG = ("0003", "0004")
"""A step that wants the strongest lock there is on the tables of faces."""


def test_behind_a_long_transaction_a_step_lets_others_by_and_comes_to_its_end(
    empty_database_url: str,
) -> None:
    images.load(empty_database_url, STRONG[0])
    with psycopg.connect(empty_database_url) as long:
        long.execute("SELECT count(*) FROM face, face_embedding")
        with everybody_at_work(empty_database_url) as workers:
            upgrade = threading.Thread(
                target=schema.upgrade, args=(empty_database_url,), kwargs={"revision": STRONG[1]}
            )
            upgrade.start()
            time.sleep(5)
            assert upgrade.is_alive()
            worked(workers, 1)
            long.rollback()
            upgrade.join(30)
            worked(workers, 1)
    assert max(worker.slowest_s for worker in workers) < LONGEST_S
    assert schema.current(empty_database_url) == STRONG[1]
    assert_whole(empty_database_url, workers[:WRITERS])


@pytest.mark.parametrize(
    ("before", "held"),
    [
        (STRONG[0], "SELECT count(*) FROM face_embedding"),
        ("0016", "LOCK TABLE face IN ROW EXCLUSIVE MODE"),  # the next one's first part is done
    ],
)
def test_an_upgrade_that_never_gets_its_locks_says_so_and_leaves_the_schema_as_it_was(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, before: str, held: str
) -> None:
    monkeypatch.setattr(schema, "PATIENCE_S", 0.5)
    images.load(empty_database_url, before)
    with psycopg.connect(empty_database_url) as long:
        long.execute(held.encode())
        with pytest.raises(DatabaseBusy):
            schema.upgrade(empty_database_url)
    assert schema.current(empty_database_url) == before
    schema.upgrade(empty_database_url)
    schema.check(empty_database_url)
    assert schema.drift(empty_database_url) == []


def test_a_step_that_was_broken_off_between_its_statements_is_taken_up_again(
    empty_database_url: str,
) -> None:
    """A row is in the way of its last rule: the ones before are there already."""
    images.load(empty_database_url, STRONG[0])
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("UPDATE face SET created_at = 'infinity'")
        with pytest.raises(DatabaseUnsuitable, match="ck_face_created_at"):
            schema.upgrade(empty_database_url)
        assert schema.current(empty_database_url) == STRONG[0]
        connection.execute("UPDATE face SET created_at = now()")
    schema.upgrade(empty_database_url)
    assert schema.drift(empty_database_url) == []


@pytest.mark.parametrize(
    ("before", "revision", "done"),
    [
        ("0016", "0017_photographs", ["COLUMN"]),
        ("0017", "0018_reembedding", ["READINESS", "CALIBRATIONS"]),
    ],
)
def test_what_a_broken_off_step_has_done_is_not_in_its_way(
    empty_database_url: str, before: str, revision: str, done: list[str]
) -> None:
    images.load(empty_database_url, before)
    step = import_module(f"migrations.versions.{revision}")
    with psycopg.connect(empty_database_url) as connection:
        for name in done:
            connection.execute(getattr(step, name))
    schema.upgrade(empty_database_url)
    assert schema.drift(empty_database_url) == []
