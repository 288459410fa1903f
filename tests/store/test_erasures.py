"""What was erased is gone from the tables, and from their files once these were written anew."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

import service.retention
import service.store.retention
from service.domain.consents import Consent
from service.domain.galleries import Gallery, GalleryRules
from service.domain.keys import Caller, trusted
from service.erasures import Erasures
from service.errors import (
    ConsentMissing,
    DatabaseUnavailable,
    ErasureNotFound,
    SubjectNotFound,
)
from service.ports import Store
from service.retention import Retention, delete_lapsed
from service.store import erasures
from tests.store.values import add, embedding, enrol, new_face, one

Sql = psycopg.Connection[Any]
CALLER = trusted("test")
PENDING = "SELECT count(*) FROM erasure WHERE vacuumed_at IS NULL"


def files(psql: Sql) -> Iterator[Path]:
    folder = Path(one(psql, "SHOW data_directory"))
    database = one(psql, "SELECT oid FROM pg_database WHERE datname = current_database()")
    psql.execute("CHECKPOINT")
    yield from (path for path in (folder / "base" / str(database)).iterdir() if path.is_file())


def on_disk(psql: Sql, wanted: bytes) -> bool:
    return any(wanted in path.read_bytes() for path in files(psql))


def middle(seed: int) -> bytes:
    """Of the vector as the table holds it: little-endian float32, as the machine has it."""
    return embedding(seed).astype("<f4").tobytes()[32:-32]


def test_no_byte_of_an_erased_embedding_is_in_the_files_after_the_vacuum(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    for seed in range(20):
        enrol(store, gallery, f"person {seed}", seed)
    assert on_disk(psql, middle(7))
    psql.execute("DELETE FROM subject WHERE external_id = 'person 7'")
    assert on_disk(psql, middle(7)), "deleting alone does not do it: else this test shows nothing"
    assert erasures.vacuum(psql, 5) >= 1
    assert not on_disk(psql, middle(7))
    assert not on_disk(psql, b"person 7")
    assert on_disk(psql, middle(8))
    assert one(psql, "SELECT bool_and(vacuumed_at IS NOT NULL) FROM erasure") is True
    assert erasures.vacuum(psql, 5) == 0


def test_what_analyze_has_seen_of_the_erased_is_nowhere_either(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with store.transaction() as tx:
        for seed in range(150):
            add(tx, gallery, f"person {seed}", seed)
    psql.execute("ANALYZE")
    psql.execute("DELETE FROM subject WHERE external_id <> 'person 8'")
    assert erasures.vacuum(psql, 5) >= 1
    assert one(psql, "SELECT count(*) FROM pg_stats WHERE attname = 'vec'") == 0
    everything = b"".join(path.read_bytes() for path in files(psql))
    assert [seed for seed in range(150) if middle(seed) in everything] == [8]
    assert b"person 77" not in everything


def test_no_byte_of_an_imported_embedding_is_in_the_files_after_the_vacuum(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    job = one(
        psql,
        "INSERT INTO import_job (gallery_id, space_id, created_by, several)"
        " VALUES (%s, %s, 'test', true) RETURNING id",
        gallery.id,
        gallery.space_id,
    )
    psql.execute(
        "INSERT INTO import_item (job_id, number, external_id, embedding)"
        " VALUES (%s, 1, 'ada', %s)",
        (job, embedding(5).tobytes()),
    )
    psql.execute("ANALYZE import_item")
    enrol(store, gallery, "ada", 5)
    psql.execute(
        "UPDATE import_item SET status = 'enrolled', embedding = NULL, face_id = uuid_v7(),"
        " done_at = now()"
    )
    psql.execute("DELETE FROM subject")
    assert on_disk(psql, middle(5))
    erasures.vacuum(psql, 5)
    assert not on_disk(psql, middle(5))


def test_the_vacuum_completes_an_erasure_that_came_with_a_backup(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("DELETE FROM subject")
    psql.execute("UPDATE erasure SET tx = '99999999999'")
    erasures.vacuum(psql, 5)
    assert one(psql, PENDING) == 0


def test_an_erasure_that_somebody_still_sees_is_not_called_vacuumed(
    store: Store, gallery: Gallery, psql: Sql, clean_url: str
) -> None:
    enrol(store, gallery, "ada", 1)
    with psycopg.connect(clean_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        psql.execute("DELETE FROM subject")
        erasures.vacuum(psql, 5)
        assert one(psql, PENDING) == 1
    erasures.vacuum(psql, 5)
    assert one(psql, PENDING) == 0


def test_an_erasure_that_comes_while_the_files_are_written_is_not_counted_as_held_up(
    store: Store, gallery: Gallery, psql: Sql, clean_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vacuum = erasures.vacuum

    def long_vacuum(connection: Sql, lock_timeout_s: float) -> int:
        done = vacuum(connection, lock_timeout_s)
        psql.execute("DELETE FROM subject WHERE external_id = 'bob'")
        return done

    monkeypatch.setattr(erasures, "vacuum", long_vacuum)
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    enrol(store, gallery, "cleo", 3)
    psql.execute("DELETE FROM subject WHERE external_id = 'ada'")
    assert erasures.rewrite(clean_url, 5) == erasures.Rewritten(completed=1, pending=0)
    assert one(psql, PENDING) == 1
    with psycopg.connect(clean_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        psql.execute("DELETE FROM subject WHERE external_id = 'cleo'")
        assert erasures.rewrite(clean_url, 5) == erasures.Rewritten(completed=1, pending=1)


def test_one_id_is_erased_in_every_gallery_that_the_caller_reaches(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with store.transaction() as tx:
        others = tx.create_gallery("others", gallery.space, gallery.settings)
        beyond = tx.create_gallery("beyond", gallery.space, gallery.settings)
        for each in (gallery, others, beyond):
            add(tx, each, "ada", 1)
            add(tx, each, "bob", 2)
    caller = replace(CALLER, galleries=frozenset({gallery.id, others.id}))
    done = Erasures(store).erase(caller, "ada")
    assert {each.id for each, _ in done.galleries} == {gallery.id, others.id}
    left = psql.execute(
        "SELECT g.name FROM subject s JOIN gallery g ON g.id = s.gallery_id"
        " WHERE external_id = 'ada'"
    ).fetchall()
    assert left == [("beyond",)]
    for each, version in done.galleries:
        (receipt,) = Erasures(store).page(caller, each.name, None, 10).erasures
        assert (receipt.version, receipt.faces, receipt.passed_at) == (version.number, 1, None)
    with pytest.raises(SubjectNotFound):
        Erasures(store).erase(caller, "ada")


def test_a_receipt_is_completed_once_every_live_replica_has_passed_the_version(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("INSERT INTO replica (id, name) VALUES (gen_random_uuid(), 'one')")
    psql.execute("INSERT INTO replica (id, name) VALUES (gen_random_uuid(), 'two')")
    psql.execute(
        "INSERT INTO replica_gallery (replica_id, gallery_id, version, mark)"
        " SELECT r.id, g.id, g.version, g.mark FROM replica r, gallery g"
    )
    psql.execute("DELETE FROM subject")
    use = Erasures(store)
    assert use.follow() == 0
    psql.execute(
        "UPDATE replica_gallery SET version = 2 WHERE replica_id IN"
        " (SELECT id FROM replica WHERE name = 'one')"
    )
    assert use.follow() == 0
    psql.execute("UPDATE replica_gallery SET version = 2")
    assert use.follow() == 1
    (receipt,) = use.page(CALLER, gallery.name, None, 10).erasures
    assert receipt.passed_at is not None
    assert sorted(receipt.replicas) == ["one", "two"]
    assert use.read(CALLER, receipt.id) == receipt
    stranger = Caller("stranger", None, CALLER.scopes, frozenset())
    with pytest.raises(ErasureNotFound):
        use.read(stranger, receipt.id)
    psql.execute("DELETE FROM replica")


def test_a_deleted_gallery_is_not_passed_by_a_replica_that_has_not_looked_since(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("INSERT INTO replica (id, name) VALUES (gen_random_uuid(), 'stopped')")
    psql.execute("DELETE FROM gallery")
    psql.execute("UPDATE erasure SET erased_at = now() - interval '11 s'")
    psql.execute("UPDATE replica SET seen_at = now() - interval '12 s'")
    passed = "SELECT bool_and(passed_at IS NOT NULL) FROM erasure WHERE gallery_id = %s"
    Erasures(store).follow()
    assert one(psql, passed, gallery.id) is False
    psql.execute("UPDATE replica SET seen_at = now()")
    Erasures(store).follow()
    assert one(psql, passed, gallery.id) is True
    psql.execute("DELETE FROM replica")


def test_those_whose_time_is_over_are_deleted(store: Store, gallery: Gallery, psql: Sql) -> None:
    enrol(store, gallery, "expired", 1)
    enrol(store, gallery, "not yet", 2)
    psql.execute(
        "UPDATE subject SET expires_at = now() - interval '1 s' WHERE external_id='expired'"
    )
    psql.execute(
        "UPDATE subject SET expires_at = now() + interval '1 h' WHERE external_id='not yet'"
    )
    assert delete_lapsed(store) == 1
    assert one(psql, "SELECT external_id FROM subject") == "not yet"


def test_the_thread_deletes_them_too_and_survives_an_outage(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(store, gallery, "expired", 1)
    psql.execute("UPDATE subject SET expires_at = now() - interval '1 s'")
    outages = iter([DatabaseUnavailable()])

    def away(self: Erasures) -> int:
        for outage in outages:
            raise outage
        return 0

    monkeypatch.setattr(Erasures, "follow", away)
    thread = Retention(store, 0.02)
    thread.start()
    end = time.monotonic() + 10
    while one(psql, "SELECT count(*) FROM subject") and time.monotonic() < end:
        time.sleep(0.02)
    enrol(store, gallery, "also", 2)
    psql.execute("UPDATE subject SET expires_at = now() - interval '1 s'")
    while one(psql, "SELECT count(*) FROM subject") and time.monotonic() < end:
        time.sleep(0.02)
    thread.close()
    assert one(psql, "SELECT count(*) FROM subject") == 0


def test_deleting_them_ends_when_the_service_does(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.retention, "BATCH", 1)
    for seed in range(3):
        enrol(store, gallery, f"expired {seed}", seed)
    psql.execute("UPDATE subject SET expires_at = now() - interval '1 s'")
    stopping = iter([False, True])
    assert delete_lapsed(store, lambda: next(stopping)) == 1
    assert one(psql, "SELECT count(*) FROM subject") == 2


def test_who_gets_more_time_while_others_are_looked_for_is_not_deleted(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("UPDATE subject SET expires_at = now() + interval '1 h'")
    # as they were in the snapshot that the search for them began with
    before = text("SELECT id FROM subject LIMIT :limit FOR UPDATE SKIP LOCKED")
    monkeypatch.setattr(service.store.retention, "CANDIDATES", before)
    assert delete_lapsed(store) == 0
    assert one(psql, "SELECT count(*) FROM subject") == 1


def aged(psql: Sql, gallery: Gallery, days: int) -> None:
    """As if the rule and everybody had been there for so long."""
    psql.execute("UPDATE subject SET created_at = now() - make_interval(days => %s)", (days,))
    psql.execute("ALTER TABLE gallery DISABLE TRIGGER gallery_unmatched_since")
    psql.execute("UPDATE gallery SET unmatched_since = now() - make_interval(days => %s)", (days,))
    psql.execute("ALTER TABLE gallery ENABLE ALWAYS TRIGGER gallery_unmatched_since")
    psql.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_keep")
    psql.execute(
        "UPDATE audit_event SET occurred_at = occurred_at - make_interval(days => %s)", (days,)
    )
    psql.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_keep")


def matched(psql: Sql, gallery: Gallery, subject_id: UUID, days_ago: int) -> None:
    psql.execute(
        "INSERT INTO audit_event (occurred_at, action, outcome, gallery_id, subject_id)"
        " VALUES (now() - make_interval(days => %s), 'search', 'match', %s, %s)",
        (days_ago, gallery.id, subject_id),
    )


def test_who_was_not_found_for_too_long_is_deleted_and_a_match_writes_nothing_to_a_subject(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    rules = GalleryRules(unmatched_lifetime_s=30 * 86_400)
    with store.transaction() as tx:
        tx.change_gallery(gallery.id, replace(gallery.settings, rules=rules))
    ids = {
        name: enrol(store, gallery, name, n)[0] for n, name in enumerate(("never", "long", "new"))
    }
    aged(psql, gallery, 40)
    matched(psql, gallery, ids["long"], 35)
    matched(psql, gallery, ids["new"], 5)
    assert delete_lapsed(store) == 2
    assert one(psql, "SELECT external_id FROM subject") == "new"


def test_nobody_s_time_begins_before_the_rule_was_made(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("UPDATE subject SET created_at = now() - interval '10 years'")
    psql.execute("UPDATE gallery SET unmatched_lifetime_s = 86400")
    assert delete_lapsed(store) == 0


def test_a_gallery_that_demands_consent_enrols_nobody_without(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    psql.execute("UPDATE gallery SET consent_required = true")
    with pytest.raises(ConsentMissing):
        enrol(store, gallery, "ada", 1)
    assert one(psql, "SELECT count(*) FROM subject") == 0
    with store.transaction() as tx:
        subject_id, _ = add(tx, gallery, "ada", 1)
        tx.consents.add(gallery.id, subject_id, Consent("2026-01", "door"), "test")
    noted = psql.execute(
        "SELECT detail ->> 'purpose' FROM audit_event WHERE action = 'record_consent'"
    )
    assert noted.fetchone() == ("door",)
    psql.execute(
        "UPDATE consent SET given_at = now() - interval '2 days',"
        " expires_at = now() - interval '1 day'"
    )
    with pytest.raises(ConsentMissing), store.transaction() as tx:
        tx.add_face(gallery, subject_id, new_face(9))
