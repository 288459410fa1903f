"""What else named an erased person goes in the same transaction: results and items of imports, and
answers kept for repeated requests."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.domain.galleries import Gallery
from service.domain.imports import ItemStatus, NewItem, Reason, Verdict
from service.domain.keys import trusted
from service.domain.repeats import Attempt, KeptAnswer, Once, Repeated
from service.erasures import Erasures
from service.errors import AttemptErased
from service.ports import Store, Transaction
from service.store import erasures
from tests.store.test_erasures import on_disk
from tests.store.values import add, embedding, enrol, one

Sql = psycopg.Connection[Any]
CALLER = trusted("test")
ITEMS = "SELECT status, code, external_id, file, reason FROM import_item ORDER BY number"


def waiting(number: int, name: str) -> NewItem:
    return NewItem(
        number,
        f"{name}/{number}.jpg",
        name,
        metadata={"called": name},
        embedding=embedding(100 + number).tobytes(),
    )


def job(store: Store, gallery: Gallery, *items: NewItem) -> UUID:
    with store.transaction() as tx:
        job_id = tx.spool.create(gallery, CALLER, several=True)
        tx.spool.add(job_id, items)
        tx.spool.publish(job_id)
    return job_id


def settled(store: Store, job_id: UUID, *verdicts: Verdict) -> None:
    with store.transaction() as tx:
        tx.spool.settle(job_id, verdicts)


def rows_naming(psql: Sql, table: str, name: str) -> int:
    """Rows with that name in a text or, spelt in hex, in a bytea.

    Not for short names of the letters a to f: random ids and digests hold such ones.
    """
    there = "strpos(t::text, %s) > 0 OR strpos(t::text, %s) > 0"
    found = f"SELECT count(*) FROM {table} t WHERE {there}"
    return int(one(psql, found, name, name.encode().hex()))


@pytest.fixture
def once(store: Store, psql: Sql) -> Callable[..., bytes]:
    """Carry something out once, under that key; what was answered."""
    psql.execute("DELETE FROM idempotency_key")

    def write(key: str, work: Callable[[Transaction], str], request: bytes = bytes(32)) -> bytes:
        def kept(result: str) -> KeptAnswer:
            return KeptAnswer(201, {"location": result}, json.dumps({"id": result}).encode())

        try:
            store.write(work, Once(Attempt("caller", key, request), kept))
        except Repeated as repeated:
            return repeated.answer.body
        return b""

    return write


def test_what_waits_for_an_erased_id_is_never_enrolled_and_keeps_nothing(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "lovelace", 1)
    job(store, gallery, waiting(1, "lovelace"), waiting(2, "bob"))
    psql.execute("DELETE FROM subject WHERE external_id = 'lovelace'")
    said = "The ID was erased while this waited."
    assert psql.execute(ITEMS.encode()).fetchall() == [
        ("rejected", "erased", None, None, said),
        ("waiting", None, "bob", "bob/2.jpg", None),
    ]
    assert rows_naming(psql, "import_item", "lovelace") == 0


def test_who_only_waits_in_an_import_can_be_erased(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    job(store, gallery, waiting(1, "ada"))
    done = Erasures(store).erase(CALLER, "ada")
    assert [each.id for each, _ in done.galleries] == [gallery.id]
    assert one(psql, "SELECT code FROM import_item") == "erased"


def test_results_of_an_import_name_nobody_who_was_erased(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    job_id = job(store, gallery, waiting(1, "ada"), waiting(2, "ada"), waiting(3, "bob"))
    face_id = enrol(store, gallery, "ada", 1)[1]
    settled(
        store,
        job_id,
        Verdict(1, ItemStatus.ENROLLED, face_id=face_id),
        Verdict(2, ItemStatus.SKIPPED, Reason("face_exists", "enrolled for ID 'ada'")),
        Verdict(3, ItemStatus.REJECTED, Reason("no_face", "nobody there")),
    )
    psql.execute("DELETE FROM subject")
    assert psql.execute(ITEMS.encode()).fetchall() == [
        ("enrolled", None, None, None, None),
        ("skipped", "face_exists", None, None, "The ID has been erased since."),
        ("rejected", "no_face", "bob", "bob/3.jpg", "nobody there"),
    ]


def test_nor_whom_they_called_by_a_former_name(store: Store, gallery: Gallery, psql: Sql) -> None:
    job_id = job(store, gallery, waiting(1, "byron"))
    enrol(store, gallery, "byron", 1)
    settled(store, job_id, Verdict(1, ItemStatus.SKIPPED, Reason("face_exists", "byron")))
    psql.execute("UPDATE subject SET external_id = 'lovelace'")
    psql.execute("DELETE FROM subject")
    assert one(psql, "SELECT external_id FROM import_item") is None


def test_a_deleted_face_s_photograph_is_named_no_more(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    job_id = job(store, gallery, waiting(1, "ada"))
    face_id = enrol(store, gallery, "ada", 1)[1]
    settled(store, job_id, Verdict(1, ItemStatus.ENROLLED, face_id=face_id))
    psql.execute("DELETE FROM face")
    assert one(psql, "SELECT file FROM import_item") is None


def test_somebody_else_s_results_stay(store: Store, gallery: Gallery, psql: Sql) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("others", gallery.space, gallery.settings)
    enrol(store, gallery, "ada", 1)
    job(store, other, waiting(1, "ada"))
    psql.execute("DELETE FROM subject")
    assert one(psql, "SELECT external_id FROM import_item") == "ada"


def test_what_waits_for_a_merged_subject_is_enrolled_for_the_other(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    into, other = enrol(store, gallery, "ada", 1)[0], enrol(store, gallery, "ada 2", 2)[0]
    job(store, gallery, waiting(1, "ada 2"))
    with store.transaction() as tx:
        tx.merge_subject(gallery.id, into, other)
    row = psql.execute("SELECT status, external_id FROM import_item").fetchone()
    assert row == ("waiting", "ada")


def test_a_kept_answer_is_emptied_with_whom_it_names(
    store: Store, gallery: Gallery, psql: Sql, once: Callable[..., bytes]
) -> None:
    def enrolled(name: str, seed: int) -> Callable[[Transaction], str]:
        def work(tx: Transaction) -> str:
            add(tx, gallery, name, seed)
            tx.made_version(gallery.id)
            return name

        return work

    once("first", enrolled("lovelace", 1), bytes(31) + b"a")
    once("second", enrolled("bob", 2))
    assert once("first", enrolled("lovelace", 1), bytes(31) + b"a") == b'{"id": "lovelace"}'
    psql.execute("DELETE FROM subject WHERE external_id = 'lovelace'")
    assert rows_naming(psql, "idempotency_key", "lovelace") == 0
    assert one(psql, "SELECT fingerprint FROM idempotency_key WHERE key = 'first'") == bytes(32)
    with pytest.raises(AttemptErased):
        once("first", enrolled("lovelace", 1), bytes(31) + b"a")
    assert one(psql, "SELECT count(*) FROM subject") == 1
    assert once("second", enrolled("bob", 2)) == b'{"id": "bob"}'
    psql.execute("DELETE FROM face")
    with pytest.raises(AttemptErased):
        once("second", enrolled("bob", 2))


def test_nothing_of_it_is_in_the_files_after_the_vacuum(
    store: Store, gallery: Gallery, psql: Sql, once: Callable[..., bytes]
) -> None:
    def enrolled(tx: Transaction) -> str:
        add(tx, gallery, "byron-king", 1)
        return "byron-king"

    once("key", enrolled)
    job(store, gallery, waiting(1, "byron-king"), waiting(2, "somebody"))
    vector = embedding(101).tobytes()[32:-32]
    assert on_disk(psql, vector)
    psql.execute("DELETE FROM subject")
    assert erasures.vacuum(psql, 5) >= 1
    assert not on_disk(psql, vector)
    assert not on_disk(psql, b"byron-king")
    assert on_disk(psql, embedding(102).tobytes()[32:-32])


def test_truncating_leaves_no_names_either(
    store: Store, gallery: Gallery, psql: Sql, once: Callable[..., bytes]
) -> None:
    def enrolled(tx: Transaction) -> str:
        add(tx, gallery, "lovelace", 1)
        return "lovelace"

    once("key", enrolled)
    job_id = job(store, gallery, waiting(1, "lovelace"))
    settled(store, job_id, Verdict(1, ItemStatus.REJECTED, Reason("no_face", "lovelace")))
    tables = ("import_item", "idempotency_key")
    assert [rows_naming(psql, table, "lovelace") for table in tables] == [1, 1]
    psql.execute("TRUNCATE subject CASCADE")
    assert [rows_naming(psql, table, "lovelace") for table in tables] == [0, 0]
