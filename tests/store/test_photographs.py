"""Kept photographs in SQL: only what the gallery keeps is there, and it goes with its face."""

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from service.domain.galleries import Gallery
from service.domain.photographs import Keeping
from service.errors import DatabaseBusy, GalleryNotReady, PhotographDamaged
from service.ports import Store
from service.store import erasures
from tests.store.photographs import (
    KEYS,
    all_kept,
    content_of,
    enrol_kept,
    keeping_gallery,
    kept_face,
)
from tests.store.test_erasures import on_disk
from tests.store.values import enrol, new_face, one

Sql = psycopg.Connection[Any]
COUNT = "SELECT count(*) FROM kept_photograph"


@pytest.fixture
def gallery(store: Store) -> Gallery:
    return keeping_gallery(store)


def change(store: Store, gallery: Gallery, keeping: Keeping) -> None:
    rules = replace(gallery.rules, keep_photographs=keeping)
    with store.transaction() as tx:
        tx.change_gallery(gallery.id, replace(gallery.settings, rules=rules))


def test_a_face_s_photograph_is_kept_sealed_and_opens(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    face_id = enrol_kept(store, gallery, "ada", 7)
    with store.transaction(read_only=True) as tx:
        kept = tx.kept_photograph(gallery.id, face_id)
    assert kept is not None
    opened = KEYS.open(kept)
    assert (opened.face_id, opened.gallery_id, opened.kind) == (face_id, gallery.id, "originals")
    assert (opened.image_sha256, opened.content) == (new_face(7).image_sha256, content_of(7))
    assert one(psql, "SELECT position(%s IN sealed) FROM kept_photograph", content_of(7)) == 0


def test_what_is_to_be_sealed_anew_comes_in_pages_by_face(store: Store, gallery: Gallery) -> None:
    ids = sorted(enrol_kept(store, gallery, f"person {seed}", seed) for seed in range(5))
    enrol(store, gallery, "nothing kept", 50)
    with store.transaction(read_only=True) as tx:
        first = tx.sealed_otherwise("0" * 16, None, 4)
        rest = tx.sealed_otherwise("0" * 16, first[-1].face_id, 4)
    assert [each.face_id for each in first + rest] == ids
    assert {KEYS.open(each).content for each in first + rest} == {*map(content_of, range(5))}


def test_a_row_that_was_moved_to_another_face_does_not_open(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    """Also where both are of the very same file."""
    first, second = (enrol_kept(store, gallery, name, 1) for name in ("ada", "bob"))
    psql.execute(
        "UPDATE kept_photograph k SET sealed = o.sealed FROM kept_photograph o"
        " WHERE k.face_id = %s AND o.face_id = %s",
        (first, second),
    )
    with store.transaction(read_only=True) as tx:
        moved, own = (tx.kept_photograph(gallery.id, each) for each in (first, second))
    assert moved is not None
    assert own is not None
    with pytest.raises(PhotographDamaged, match=str(first)):
        KEYS.open(moved)
    assert KEYS.open(own).content == content_of(1)


def test_nothing_is_kept_where_the_gallery_keeps_nothing_or_another_kind(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    """The gallery was changed between the work on a photograph and the commit."""
    face_id = enrol_kept(store, gallery, "ada", 1, Keeping.CHIPS)
    change(store, gallery, Keeping.NONE)
    enrol_kept(store, gallery, "bob", 2)
    assert one(psql, COUNT) == 0
    assert one(psql, "SELECT count(*) FROM face") == 2
    with store.transaction(read_only=True) as tx:
        assert tx.kept_photograph(gallery.id, face_id) is None


def test_what_is_counted_is_what_can_be_read(store: Store, gallery: Gallery, psql: Sql) -> None:
    """Somebody typed a row for a face that has no photograph to be bound to."""
    face_id = enrol_kept(store, gallery, "ada", 1)
    psql.execute(
        "WITH bare AS (INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, subject_id"
        " FROM face RETURNING id, gallery_id)"
        " INSERT INTO kept_photograph SELECT b.id, b.gallery_id, k.kind, k.key_id, k.sealed"
        " FROM bare b, kept_photograph k"
    )
    assert one(psql, COUNT) == 2
    with store.transaction(read_only=True) as tx:
        assert tx.count_photographs(gallery.id) == {KEYS.sealing.id: 1}
        assert tx.count_sealed(KEYS.sealing.id) == (1, 0)
        assert [each.face_id for each in all_kept(tx, gallery)] == [face_id]


def test_what_is_kept_no_more_does_not_open_and_goes_in_batches(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ids = [enrol_kept(store, gallery, f"person {seed}", seed) for seed in range(5)]
    change(store, gallery, Keeping.NONE)
    assert one(psql, COUNT) == 5
    with store.transaction(read_only=True) as tx:
        assert tx.kept_photograph(gallery.id, ids[0]) is None
        assert all_kept(tx, gallery) == []
        assert tx.sealed_otherwise("0" * 16, None, 9) == []
        assert (tx.count_photographs(gallery.id), tx.count_unkept(gallery.id)) == ({}, 5)
    deleted = []
    while True:
        with store.transaction() as tx:
            deleted.append(tx.delete_unkept(None, 2))
        if not deleted[-1]:
            break
    assert deleted == [2, 2, 1, 0]
    assert one(psql, COUNT) == 0


def test_what_was_to_go_is_not_kept_again(store: Store, gallery: Gallery, psql: Sql) -> None:
    enrol_kept(store, gallery, "ada")
    change(store, gallery, Keeping.NONE)
    with pytest.raises(GalleryNotReady, match="still being deleted"):
        change(store, gallery, Keeping.ORIGINALS)
    with store.transaction() as tx:
        assert tx.delete_unkept(gallery.id, 10) == 1
    change(store, gallery, Keeping.ORIGINALS)
    assert one(psql, COUNT) == 0


def test_another_gallery_s_photographs_stay(store: Store, gallery: Gallery, psql: Sql) -> None:
    others = keeping_gallery(store, "others")
    for each in (gallery, others):
        enrol_kept(store, each, "ada")
        change(store, each, Keeping.CHIPS)
    with store.transaction() as tx:
        assert tx.delete_unkept(others.id, 10) == 1
    assert one(psql, "SELECT gallery_id FROM kept_photograph") == gallery.id


def test_whoever_changes_what_is_kept_waits_for_those_who_enrol(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    """The one who enrols has looked before the change, and commits after it."""
    begun, go_on = threading.Event(), threading.Event()

    def enrols() -> None:
        with store.transaction() as tx:
            tx.add_face(gallery, tx.add_subject(gallery.id, "ada"), kept_face(1))
            begun.set()
            go_on.wait(10)

    thread = threading.Thread(target=enrols)
    thread.start()
    assert begun.wait(10)
    change(store, gallery, Keeping.NONE)
    with pytest.raises(DatabaseBusy), store.transaction() as tx:
        tx.await_keepers(gallery.id)
    go_on.set()
    thread.join()
    with store.transaction() as tx:
        tx.await_keepers(gallery.id)
    with store.transaction() as tx:
        assert tx.delete_unkept(gallery.id, 10) == 1
    assert one(psql, COUNT) == 0


def test_a_face_that_is_replaced_has_the_new_photograph_or_none(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    face_id = enrol_kept(store, gallery, "ada", 1)
    for _ in range(2):  # by the very same, too
        with store.transaction() as tx:
            tx.replace_face(gallery, face_id, kept_face(2))
            kept = tx.kept_photograph(gallery.id, face_id)
        assert kept is not None
        assert KEYS.open(kept).content == content_of(2)
        assert one(psql, COUNT) == 1
    with store.transaction() as tx:
        tx.replace_face(gallery, face_id, new_face(3))
    assert one(psql, COUNT) == 0


def test_a_photograph_that_was_replaced_meanwhile_is_not_sealed_anew(
    store: Store, gallery: Gallery
) -> None:
    """It would come back."""
    face_id = enrol_kept(store, gallery, "ada", 1)
    with store.transaction(read_only=True) as tx:
        (before,) = tx.sealed_otherwise("0" * 16, None, 9)
    with store.transaction() as tx:
        tx.replace_face(gallery, face_id, kept_face(2))
    with store.transaction() as tx:
        assert tx.seal_anew([(before, KEYS.seal(KEYS.open(before)))]) == 0
        kept = tx.kept_photograph(gallery.id, face_id)
    assert kept is not None
    assert KEYS.open(kept).content == content_of(2)


def test_a_release_that_knows_of_no_photographs_replaces_and_enrols(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    """By the columns of revision 0016."""
    enrol_kept(store, gallery, "ada", 1)
    psql.execute("UPDATE face SET image_sha256 = sha256('another'), created_at = now()")
    assert one(psql, COUNT) == 0
    with psql.transaction():
        psql.execute(
            "WITH s AS (INSERT INTO subject (gallery_id, external_id) VALUES (%s, 'bob')"
            " RETURNING id, gallery_id) INSERT INTO face (gallery_id, subject_id, image_sha256)"
            " SELECT gallery_id, id, sha256('bob') FROM s",
            (gallery.id,),
        )
    psql.execute("UPDATE gallery SET threshold = 0.6, max_faces = 10, gates = '{}'")
    assert one(psql, "SELECT keep_photographs FROM gallery") == "originals"
    assert one(psql, "SELECT count(*) FROM face") == 2


ERASED = {
    "face": "DELETE FROM face WHERE id = %s",
    "subject": "DELETE FROM subject WHERE id = (SELECT subject_id FROM face WHERE id = %s)",
    "gallery": "DELETE FROM gallery WHERE id = (SELECT gallery_id FROM face WHERE id = %s)",
    "everybody": "WITH f AS (SELECT %s) DELETE FROM subject",
}


@pytest.mark.parametrize("what", ERASED)
def test_no_byte_of_an_erased_photograph_is_in_the_files_after_the_vacuum(
    store: Store, gallery: Gallery, psql: Sql, what: str
) -> None:
    others = keeping_gallery(store, "others")
    enrol_kept(store, others, "eve", 99)
    face_id = enrol_kept(store, gallery, "ada", 7)
    middle = one(psql, "SELECT substr(sealed, 30, 900) FROM kept_photograph WHERE face_id = %s",
                 face_id)  # fmt: skip
    assert on_disk(psql, middle)
    psql.execute(ERASED[what].encode(), (face_id,))
    assert one(psql, COUNT + " WHERE face_id = %s", face_id) == 0
    assert on_disk(psql, middle), "deleting alone does not do it: else this test shows nothing"
    assert erasures.vacuum(psql, 5) >= 1
    assert not on_disk(psql, middle)


def test_the_vacuum_of_a_release_that_knows_of_no_photographs_completes_no_receipt(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol_kept(store, gallery, "ada", 7)
    psql.execute("DELETE FROM subject")
    for table in erasures.VACUUMED:
        if table != "kept_photograph":
            psql.execute(f"VACUUM (FULL, ANALYZE) {table}".encode())
    receipt = "SELECT vacuumed_at IS NOT NULL FROM erasure WHERE gallery_id = %s"
    psql.execute("UPDATE erasure SET vacuumed_at = clock_timestamp()")
    assert one(psql, receipt, gallery.id) is False
    assert erasures.vacuum(psql, 5) >= 1
    assert one(psql, receipt, gallery.id) is True


def test_where_nothing_was_kept_such_a_vacuum_completes_them(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    psql.execute("TRUNCATE kept_photograph")
    enrol(store, gallery, "ada", 7)
    psql.execute("DELETE FROM subject")
    psql.execute("UPDATE erasure SET vacuumed_at = clock_timestamp()")
    receipt = "SELECT vacuumed_at IS NOT NULL FROM erasure WHERE gallery_id = %s"
    assert one(psql, receipt, gallery.id) is True


def test_a_photograph_of_no_face_or_no_key_is_refused(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol_kept(store, gallery, "ada", 7)
    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute(
            "INSERT INTO kept_photograph"
            " SELECT gen_random_uuid(), gallery_id, kind, key_id, sealed FROM kept_photograph"
        )
    for change_ in ("key_id = 'secret'", "sealed = 'short'", "kind = 'none'"):
        with pytest.raises(errors.CheckViolation):
            psql.execute(f"UPDATE kept_photograph SET {change_}".encode())


def test_the_record_says_what_a_gallery_was_told_to_keep(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol_kept(store, gallery, "ada", 7)
    assert one(psql, "SELECT kept_photograph FROM audit.enrolments") == "originals"
    change(store, gallery, Keeping.NONE)
    told = one(psql, "SELECT detail::text FROM audit_event WHERE gallery_id = %s"
               " ORDER BY id DESC LIMIT 1", gallery.id)  # fmt: skip
    assert "keep_photographs" in told
