"""Imports as their callers see them: taken in whole or not at all, theirs alone, and forgotten."""

import io
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.domain.imports import ImportJob, ItemStatus
from service.domain.keys import Caller
from service.domain.repeats import Attempt, KeptAnswer, Once, Repeated
from service.errors import (
    AttemptDiffers,
    DatabaseUnavailable,
    GalleryNotFound,
    JobNotFound,
    Overloaded,
)
from service.jobs import imports as module
from service.jobs import spooling
from service.jobs.enrolling import Enrolling
from service.jobs.imports import UPLOADS, Imports
from service.ports import Store
from tests.fakes.analyser import SPACE
from tests.jobs.values import finished, people, submitted, tar_of, zip_of

Psql = psycopg.Connection[Any]


def count(psql: Psql, table: str) -> int:
    row = psql.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


class Breaking(io.BytesIO):
    """A body whose connection is lost after so many bytes."""

    def __init__(self, body: bytes, after: int, error: Exception) -> None:
        super().__init__(body)
        self._after = after
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= self._after:
            raise self._error
        return super().read(min(size or 0, self._after - self.tell()))


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_an_upload_that_breaks_off_leaves_nothing(
    pack: Any, imports: Imports, caller: Caller, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "BATCH_ITEMS", 10)
    monkeypatch.setattr(spooling, "REMOVED", 7)
    body = pack(people(100))
    seen: list[int] = []

    class Watched(Breaking):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.append(count(psql, "import_item"))
            return super().read(size)

    with pytest.raises(ConnectionError):
        imports.submit(caller, "people", Watched(body, len(body) - 600, ConnectionError()))
    if pack is tar_of:
        assert max(seen) > 0  # it was spooled while it came
    assert count(psql, "import_item") == count(psql, "import_job") == 0
    assert imports.page(caller, None, 10) == []


def test_nobody_sees_a_job_and_no_worker_takes_it_before_it_is_whole(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql, store: Store
) -> None:
    class Looking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            row = psql.execute("SELECT id, state FROM import_job").fetchone()
            assert row is not None
            assert row[1] == "uploading"
            with pytest.raises(JobNotFound):
                imports.read(caller, row[0])
            assert imports.page(caller, None, 10) == []
            assert enrolling.work(row[0], lambda: False) is None
            with store.transaction() as tx:
                assert tx.spool.unattended() == []
            return super().read(size)

    job = imports.submit(caller, "people", Looking(tar_of(people(3))))
    assert imports.read(caller, job.id).state == "waiting"


def test_an_upload_left_behind_by_a_dead_process_is_swept_away(
    store: Store, gallery: Gallery, imports: Imports, caller: Caller, psql: Psql
) -> None:
    with store.transaction() as tx:
        tx.spool.create(gallery, caller, several=True)
        tx.spool.create(gallery, caller, several=True)
    psql.execute(
        "UPDATE import_job SET touched_at = now() - interval '20 min' WHERE id IN"
        " (SELECT id FROM import_job LIMIT 1)"
    )
    imports.sweep()
    assert count(psql, "import_job") == 1


def test_a_publication_whose_answer_was_lost_is_not_undone(
    imports: Imports, caller: Caller, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = imports.store.write

    def lossy(work: Any, once: Any = None) -> Any:
        result = write(work, once)
        if isinstance(result, ImportJob):
            raise DatabaseUnavailable
        return result

    monkeypatch.setattr(type(imports.store), "write", lambda self, *given: lossy(*given))
    with pytest.raises(DatabaseUnavailable):
        submitted(imports, caller, tar_of(people(3)))
    assert count(psql, "import_item") == 3
    assert len(imports.page(caller, None, 10)) == 1


def once(body: bytes, key: str = "key") -> Once[ImportJob]:
    return Once(Attempt("tests", key, body), lambda job: KeptAnswer(202, {}, str(job.id).encode()))


def test_a_repeated_upload_is_one_job(imports: Imports, caller: Caller, psql: Psql) -> None:
    body = tar_of(people(3))
    job = submitted(imports, caller, body, once=once)
    with pytest.raises(Repeated) as repeated:
        submitted(imports, caller, body, once=once)
    assert repeated.value.answer.body == str(job.id).encode()
    with pytest.raises(AttemptDiffers):
        submitted(imports, caller, tar_of(people(4)), once=once)
    assert count(psql, "import_job") == 1
    assert count(psql, "import_item") == 3


def test_only_so_many_uploads_are_taken_in_at_once(imports: Imports, caller: Caller) -> None:
    def nested(depth: int) -> None:
        class Deeper(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell() == 0 and depth:
                    nested(depth - 1)
                return super().read(size)

        imports.submit(caller, "people", Deeper(tar_of(people(1))))

    nested(UPLOADS - 1)
    with pytest.raises(Overloaded):
        nested(UPLOADS)
    nested(UPLOADS - 1)


@pytest.fixture
def other(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("other", SPACE, GallerySettings(0.5))


def test_a_caller_of_another_gallery_can_neither_read_nor_stop_nor_count_a_job(
    imports: Imports, enrolling: Enrolling, caller: Caller, gallery: Gallery, other: Gallery
) -> None:
    job, _ = finished(imports, enrolling, caller, tar_of(people(2)))
    stranger = replace(caller, galleries=frozenset({other.id}))
    for ask in (
        lambda: imports.read(stranger, job.id),
        lambda: imports.items(stranger, job.id, None, 0, 10),
        lambda: imports.cancel(stranger, job.id),
        lambda: imports.delete(stranger, job.id),
        lambda: imports.read(caller, uuid4()),
    ):
        with pytest.raises(JobNotFound):
            ask()
    assert imports.page(stranger, None, 10) == []
    with pytest.raises(GalleryNotFound):
        submitted(imports, stranger, tar_of(people(1)))
    friend = replace(caller, galleries=frozenset({gallery.id}))
    assert imports.read(friend, job.id) == imports.page(friend, None, 10)[0]


def test_jobs_are_listed_newest_first_page_by_page(imports: Imports, caller: Caller) -> None:
    jobs = [submitted(imports, caller, tar_of(people(n))).id for n in (1, 2, 3)]
    first = imports.page(caller, None, 2)
    second = imports.page(caller, first[-1].id, 2)
    assert [each.id for each in first + second] == jobs[::-1]
    assert [each.total for each in first + second] == [3, 2, 1]


def test_items_are_listed_by_number_page_by_page_and_by_status(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    files = people(5) | {"z1.png": b"bad", "z2.png": b"bad"}
    job, _ = finished(imports, enrolling, caller, tar_of(files))
    first = imports.items(caller, job.id, None, 0, 4)
    second = imports.items(caller, job.id, None, first[-1].number, 4)
    assert [each.number for each in first + second] == list(range(1, 8))
    rejected = imports.items(caller, job.id, ItemStatus.REJECTED, 0, 10)
    assert [each.file for each in rejected] == ["z1.png", "z2.png"]


def test_a_deleted_job_is_gone_with_its_results(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    finished_job, _ = finished(imports, enrolling, caller, tar_of(people(2)))
    waiting = submitted(imports, caller, tar_of(people(3)))
    for job in (finished_job, waiting):
        imports.delete(caller, job.id)
        with pytest.raises(JobNotFound):
            imports.read(caller, job.id)
    assert count(psql, "import_item") == count(psql, "import_job") == 0
    assert count(psql, "face") == 2


def test_results_are_kept_for_their_time_and_no_longer(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    old, _ = finished(imports, enrolling, caller, tar_of(people(2)))
    new, _ = finished(imports, enrolling, caller, tar_of(people(2)))
    psql.execute(
        "UPDATE import_job SET finished_at = now() - interval '61 s' WHERE id = %s", (old.id,)
    )
    imports.sweep()
    assert [each.id for each in imports.page(caller, None, 10)] == [new.id]
    assert count(psql, "import_item") == 2


def test_a_job_that_nobody_turns_to_any_more_is_queued_again(
    imports: Imports, caller: Caller, psql: Psql
) -> None:
    submitted(imports, caller, tar_of(people(2)))
    imports.sweep()
    assert count(psql, "procrastinate_jobs") == 1
    psql.execute("DELETE FROM procrastinate_jobs")
    imports.sweep()
    imports.sweep()
    assert count(psql, "procrastinate_jobs") == 1


def test_a_cancellation_that_was_cut_short_is_completed(
    store: Store, imports: Imports, caller: Caller, psql: Psql, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(imports, caller, tar_of(people(5)))
    with store.transaction() as tx:
        tx.spool.cancel(job.id)
    assert imports.read(caller, job.id).counts == {"waiting": 5}
    monkeypatch.setattr(module, "REMOVED", 2)
    imports.sweep()
    assert imports.read(caller, job.id).counts == {"cancelled": 5}
    assert count(psql, "import_item WHERE photograph IS NOT NULL") == 0


def test_the_state_of_the_queue_tells_what_waits_and_who_works(
    store: Store, imports: Imports, caller: Caller, psql: Psql
) -> None:
    submitted(imports, caller, tar_of(people(1)))
    psql.execute("SELECT procrastinate_register_worker_v1()")
    with store.transaction() as tx:
        state = tx.spool.state()
    assert (state.unfinished, state.workers) == (1, 1)
    psql.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 min'")
    with store.transaction() as tx:
        assert tx.spool.state().workers == 0
    psql.execute("DELETE FROM procrastinate_workers")
