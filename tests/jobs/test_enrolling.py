"""The work on an import: shared, resumed, cancelled, and never done twice."""

import threading
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.domain.galleries import EnrolmentGates, Gallery, GalleryRules, GallerySettings
from service.domain.imports import ImportJob, ItemStatus, Reason, Verdict
from service.domain.keys import Caller
from service.errors import ModelUnavailable, Overloaded
from service.images import ImageLimits
from service.jobs import enrolling as module
from service.jobs.enrolling import BATCH, Enrolling
from service.jobs.imports import Imports
from service.ports import FaceAnalyser, Store
from tests.fakes.analyser import FakeAnalyser, photograph
from tests.jobs.values import (
    OneAnalyser,
    counted,
    embedding,
    finished,
    items_of,
    lines_of,
    outcome,
    people,
    submitted,
    tar_of,
    troubled,
)

Psql = psycopg.Connection[Any]


def one(psql: Psql, statement: str) -> Any:
    row = psql.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def never() -> bool:
    return False


def test_a_batch_is_one_version_and_says_who_and_from_where(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    count = 3 * BATCH - 5
    job, items = finished(imports, enrolling, caller, tar_of(people(count)))
    assert counted(items) == {"enrolled": count}
    assert one(psql, "SELECT version FROM gallery") == 3
    assert job.version.number == 3
    assert job.started_at is not None
    assert job.finished_at is not None
    assert (job.created_at, job.started_at) < (job.started_at, job.finished_at)
    row = psql.execute(
        "SELECT f.created_by, f.image_name, i.face_id = f.id FROM face f"
        " JOIN subject s ON s.id = f.subject_id JOIN import_item i USING (external_id)"
        " WHERE s.external_id = 'person-00007'"
    ).fetchone()
    assert row == ("tests", "person-00007.png", True)


def test_what_is_done_leaves_no_photograph_behind(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    files = people(3) | {"bad.png": b"no picture"}
    lines = lines_of({"id": "x", "embedding": embedding(1), "space": SPACE_SENT, "metadata": {}})
    for body in (tar_of(files), lines):
        finished(imports, enrolling, caller, body)
    left = (
        "SELECT count(*) FROM import_item WHERE num_nonnulls"
        "(photograph, image_sha256, embedding, metadata, claimed_by, claimed_until) > 0"
    )
    assert one(psql, left) == 0


SPACE_SENT = {"model": "Dlib", "detector": "dlib", "alignment": "native"}


def test_what_is_enrolled_already_is_skipped_without_a_look_at_it(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    lines = [{"id": "x", "embedding": embedding(1), "space": SPACE_SENT}]
    for body in (tar_of(people(5)), lines_of(*lines)):
        finished(imports, enrolling, caller, body)
        blind = troubled(enrolling, lambda seed: pytest.fail("embedded again"))
        job, items = finished(imports, blind, caller, body)
        assert set(counted(items)) == {"skipped"}
        assert set(outcome(items).values()) == {"face_exists"}
        assert job.state == "finished"


def test_an_id_that_is_enrolled_gets_a_further_face_or_is_refused(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    files = {"a/1.png": photograph(1), "b/1.png": photograph(2)}
    finished(imports, enrolling, caller, tar_of(files))
    more = tar_of({"a/2.png": photograph(3), "c.png": photograph(4)})
    _, items = finished(imports, enrolling, caller, more, several=False)
    assert outcome(items) == {"a/2.png": "subject_exists", "c.png": "enrolled: c"}
    _, items = finished(imports, enrolling, caller, more)
    assert outcome(items) == {"a/2.png": "enrolled: a", "c.png": "face_exists"}
    assert one(psql, "SELECT count(*) FROM face") == 4


def test_several_workers_share_one_import_and_one_person(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    """Everybody's photographs are spread over all batches, so that workers meet at each subject."""
    files = {f"p{n % 5}/{n}.png": photograph(n) for n in range(12 * BATCH)}
    job = submitted(imports, caller, tar_of(files))
    seen: dict[int, list[int]] = {}
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        mine = seen.setdefault(number, [])
        barrier.wait()
        troubled(enrolling, mine.append).work(job.id, never)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    enrolling.work(job.id, never)
    assert counted(items_of(imports, caller, job.id)) == {"enrolled": 12 * BATCH}
    assert one(psql, "SELECT count(*) FROM face") == 12 * BATCH
    assert one(psql, "SELECT count(*) FROM subject") == 5
    assert sorted(chain(*seen.values())) == list(range(12 * BATCH))
    assert len([mine for mine in seen.values() if mine]) > 1


def expire(psql: Psql) -> None:
    psql.execute("UPDATE import_item SET claimed_until = now() WHERE claimed_until IS NOT NULL")


def dead_worker(store: Store, job: ImportJob, limit: int = BATCH) -> list[int]:
    """Claims items as a worker does, and is never heard of again."""
    with store.transaction() as tx:
        assert tx.spool.begin(job.id) is not None
        return [item.number for item in tx.spool.claim(job.id, uuid4(), limit, 30)]


def test_items_of_a_dead_worker_are_taken_over_when_its_lease_ends(
    store: Store, imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    job = submitted(imports, caller, tar_of(people(BATCH + 3)))
    assert len(dead_worker(store, job)) == BATCH
    again_s = enrolling.work(job.id, never)
    assert again_s is not None
    assert 20 < again_s <= 30
    assert imports.read(caller, job.id).counts == {"enrolled": 3, "waiting": BATCH}
    expire(psql)
    assert enrolling.work(job.id, never) is None
    assert imports.read(caller, job.id).counts == {"enrolled": BATCH + 3}


def test_a_worker_whose_lease_has_ended_commits_nothing(
    store: Store, imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    """It was asleep while another one took its items and enrolled them."""
    job = submitted(imports, caller, tar_of(people(3)))

    def sleep(seed: int) -> None:
        if seed == 2:
            expire(psql)
            assert enrolling.work(job.id, never) is None

    assert troubled(enrolling, sleep).work(job.id, never) is None
    assert imports.read(caller, job.id).counts == {"enrolled": 3}
    assert one(psql, "SELECT count(*) FROM face") == 3
    assert one(psql, "SELECT version FROM gallery") == 1


def test_an_item_that_kills_its_workers_harms_no_other(
    store: Store, imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    job = submitted(imports, caller, tar_of(people(10)))
    for _ in range(2):
        assert len(dead_worker(store, job)) == 10
        expire(psql)
    # from now on each is taken alone; the first one kills three more
    for _ in range(3):
        assert dead_worker(store, job) == [1]
        expire(psql)
    assert enrolling.work(job.id, never) is None
    found = outcome(items_of(imports, caller, job.id))
    assert found.pop("person-00000.png") == "internal_error"
    assert all(each.startswith("enrolled") for each in found.values())


def test_one_item_that_fails_unexpectedly_does_not_take_the_others_along(
    imports: Imports, enrolling: Enrolling, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(seed: int) -> None:
        if seed == 3:
            raise ZeroDivisionError

    _, items = finished(imports, troubled(enrolling, fail), caller, tar_of(people(6)))
    found = outcome(items)
    assert found.pop("person-00003.png") == "internal_error"
    assert all(each.startswith("enrolled") for each in found.values())
    assert "ZeroDivisionError" in caplog.text


def test_an_item_that_the_database_refuses_does_not_take_the_others_along(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    """Somebody has put a rule of their own into the database."""
    psql.execute("ALTER TABLE subject ADD CONSTRAINT ours CHECK (external_id <> 'person-00002')")
    try:
        _, items = finished(imports, enrolling, caller, tar_of(people(5)))
    finally:
        psql.execute("ALTER TABLE subject DROP CONSTRAINT ours")
    found = outcome(items)
    assert found.pop("person-00002.png") == "internal_error"
    assert all(each.startswith("enrolled") for each in found.values())


def test_a_full_gallery_takes_as_many_as_it_may_and_refuses_the_rest(
    store: Store, gallery: Gallery, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    with store.transaction() as tx:
        tx.change_gallery(gallery.id, GallerySettings(0.5, max_faces=7))
    _, items = finished(imports, enrolling, caller, tar_of(people(12)))
    assert counted(items) == {"enrolled": 7, "rejected": 5}
    assert set(outcome(items).values()) & {"gallery_full"}


@pytest.mark.parametrize(
    ("rules", "files", "expected"),
    [
        (
            GalleryRules(gates=EnrolmentGates(new_person=True)),
            {"a.png": photograph(1), "b.png": photograph(2), "c.png": photograph(1)},
            {"a.png": "enrolled: a", "b.png": "enrolled: b", "c.png": "person_known"},
        ),
        (
            GalleryRules(gates=EnrolmentGates(new_photograph=True)),
            {"a.png": photograph(1), "c.png": photograph(1)},
            {"a.png": "enrolled: a", "c.png": "photograph_known"},
        ),
        (
            GalleryRules(gates=EnrolmentGates(own_likeness=True)),
            {"a/1.png": photograph(1), "a/2.png": photograph(2)},
            {"a/1.png": "enrolled: a", "a/2.png": "unlike_subject"},
        ),
        (
            GalleryRules(max_faces_per_subject=1),
            {"a/1.png": photograph(1), "a/2.png": photograph(2)},
            {"a/1.png": "enrolled: a", "a/2.png": "subject_full"},
        ),
    ],
    ids=["new person", "new photograph", "own likeness", "faces of a subject"],
)
def test_the_gallery_s_rules_hold_within_a_batch_too(
    rules: GalleryRules,
    files: dict[str, bytes],
    expected: dict[str, str],
    store: Store,
    gallery: Gallery,
    imports: Imports,
    enrolling: Enrolling,
    caller: Caller,
) -> None:
    with store.transaction() as tx:
        tx.change_gallery(gallery.id, GallerySettings(0.9, rules=rules))
    _, items = finished(imports, enrolling, caller, tar_of(files))
    assert outcome(items) == expected


def test_embeddings_of_a_space_that_the_gallery_has_left_are_refused(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    lines = lines_of({"id": "x", "embedding": embedding(1), "space": SPACE_SENT})
    job = submitted(imports, caller, lines)
    psql.execute("UPDATE import_job SET space_id = gen_random_uuid()")
    enrolling.work(job.id, never)
    assert outcome(items_of(imports, caller, job.id)) == {1: "space_mismatch"}


def test_trouble_that_passes_gives_the_items_back(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    def busy(seed: int) -> None:
        if seed == 4:
            raise Overloaded

    job = submitted(imports, caller, tar_of(people(9)))
    with pytest.raises(Overloaded):
        troubled(enrolling, busy).work(job.id, never)
    # what was ready is committed, and the rest is free at once
    assert imports.read(caller, job.id).counts == {"enrolled": 4, "waiting": 5}
    assert one(psql, "SELECT count(*) FROM import_item WHERE claimed_by IS NOT NULL") == 0
    assert one(psql, "SELECT max(attempts) FROM import_item WHERE status = 'waiting'") == 0
    assert enrolling.work(job.id, never) is None


def queued(psql: Psql) -> list[tuple[str, bool]]:
    return psql.execute(
        "SELECT args ->> 'job_id', scheduled_at IS NOT NULL FROM procrastinate_jobs"
        " WHERE task_name = 'run_import' AND status = 'todo'"
    ).fetchall()


def test_a_job_that_has_to_wait_is_queued_for_later(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    class NoModel(OneAnalyser):
        def of(self, space: object) -> FaceAnalyser:
            raise ModelUnavailable("not here")

    job = submitted(imports, caller, tar_of(people(2)))
    assert queued(psql) == [(str(job.id), False)]
    psql.execute("DELETE FROM procrastinate_jobs")
    replace(enrolling, analysers=NoModel(FakeAnalyser())).run(job.id, never)
    assert queued(psql) == [(str(job.id), True)]


def test_a_stopped_worker_ends_after_its_batch_and_leaves_the_rest_in_the_queue(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    job = submitted(imports, caller, tar_of(people(3 * BATCH)))
    psql.execute("DELETE FROM procrastinate_jobs")
    stop = threading.Event()
    troubled(enrolling, lambda seed: stop.set()).run(job.id, stop.is_set)
    assert imports.read(caller, job.id).counts == {"enrolled": BATCH, "waiting": 2 * BATCH}
    assert queued(psql) == [(str(job.id), False)]


def test_a_slow_batch_ends_before_its_lease_does(
    imports: Imports, enrolling: Enrolling, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.0)
    stop = threading.Event()
    job = submitted(imports, caller, tar_of(people(5)))
    troubled(enrolling, lambda seed: stop.set()).work(job.id, stop.is_set)
    assert imports.read(caller, job.id).counts == {"enrolled": 1, "waiting": 4}


def test_a_cancelled_job_keeps_what_is_enrolled_and_nothing_else(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    """It is cancelled while a batch is under way: those faces are dropped."""
    job = submitted(imports, caller, tar_of(people(3 * BATCH)))

    def cancel(seed: int) -> None:
        if seed == BATCH + 3:
            assert imports.cancel(caller, job.id).state == "cancelled"

    assert troubled(enrolling, cancel).work(job.id, never) is None
    ended = imports.read(caller, job.id)
    assert (ended.state, ended.counts) == (
        "cancelled",
        {"enrolled": BATCH, "cancelled": 2 * BATCH},
    )
    assert one(psql, "SELECT count(*) FROM face") == BATCH
    assert one(psql, "SELECT count(*) FROM import_item WHERE photograph IS NOT NULL") == 0
    assert imports.cancel(caller, job.id).state == "cancelled"


def test_a_finished_job_is_not_cancelled_any_more(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    job, _ = finished(imports, enrolling, caller, tar_of(people(2)))
    assert imports.cancel(caller, job.id).state == "finished"


def test_a_gallery_deleted_under_an_import_ends_it(
    store: Store, gallery: Gallery, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    job = submitted(imports, caller, tar_of(people(5)))

    def delete(seed: int) -> None:
        if seed == 2:
            with store.transaction() as tx:
                tx.delete_gallery(gallery.id)

    assert troubled(enrolling, delete).work(job.id, never) is None
    with store.transaction() as tx:
        assert tx.spool.find(job.id) is None


def test_photographs_are_in_memory_one_at_a_time(
    store: Store, gallery: Gallery, images: ImageLimits, imports: Imports, caller: Caller
) -> None:
    """A claim reads no photograph: they may be 10 MB each."""
    job = submitted(imports, caller, tar_of(people(2)))
    worker = uuid4()
    with store.transaction() as tx:
        tx.spool.begin(job.id)
        first, second = tx.spool.claim(job.id, worker, 10, 30)
        assert not any(isinstance(value, bytes) for value in vars_of(first))
        payload = tx.spool.payload(job.id, worker, second.number)
        assert payload is not None
        assert payload.photograph == photograph(1)
        assert tx.spool.payload(job.id, uuid4(), first.number) is None


def vars_of(item: Any) -> list[object]:
    return [getattr(item, name) for name in item.__slots__]


def test_a_settled_item_is_not_settled_again(
    store: Store, imports: Imports, caller: Caller, psql: Psql
) -> None:
    job = submitted(imports, caller, tar_of(people(1)))
    first, second = uuid4(), uuid4()

    def verdict(why: str) -> list[Verdict]:
        return [Verdict(1, ItemStatus.REJECTED, Reason("invalid_item", why))]

    with store.transaction() as tx:
        tx.spool.begin(job.id)
        tx.spool.claim(job.id, first, 1, 30)
    expire(psql)
    with store.transaction() as tx:
        tx.spool.claim(job.id, second, 1, 30)
        assert tx.spool.hold(job.id, first, [1]) == set()
        assert tx.spool.hold(job.id, second, [1]) == {1}
        tx.spool.settle(job.id, verdict("first"))
        tx.spool.settle(job.id, verdict("second"))
    (item,) = items_of(imports, caller, job.id).values()
    assert item.reason == Reason("invalid_item", "first")


def test_metadata_is_the_new_subject_s(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: Psql
) -> None:
    for team in ("navy", "army"):
        manifest = f"file,id,team\n1.png,a,{team}\n".encode()
        seed = {"navy": 1, "army": 2}[team]
        files = {"manifest.csv": manifest, "1.png": photograph(seed)}
        finished(imports, enrolling, caller, tar_of(files))
    assert one(psql, "SELECT metadata FROM subject") == {"team": "navy"}
    assert one(psql, "SELECT count(*) FROM face") == 2
