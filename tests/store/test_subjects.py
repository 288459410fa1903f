"""Subjects and their faces in SQL: what the tables refuse, and what merging and replacing leave."""

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from service.domain.galleries import Gallery
from service.domain.subjects import NewSubject, valid_metadata
from service.errors import DatabaseBusy, RequestInvalid, SubjectExists, SubjectFull
from service.ports import Store
from tests.store.test_rules import ADD_SUBJECT, typed_face
from tests.store.values import add, embedding, enrol, imported_face, new_face, one

Sql = psycopg.Connection[Any]


def nested(levels: int, inside: Any = 1) -> Any:
    for level in range(levels):
        inside = {"a": inside} if level % 2 else [inside]
    return {"x": inside}


GOOD_METADATA: list[Any] = [
    {},
    {"a": None, "b": [True, 1, -1.5, "x", {}], "": {"": []}},
    nested(15),
    nested(15, {}),
    {"a": 2**1000, "b": 1e-300, "c": -0.0},
    {"long": "x" * 16_300},
    {"long": "é" * 8_100},
    {"quotes": '"\\\n' * 2_000},
]
BAD_METADATA: list[Any] = [
    nested(16),
    nested(16, []),
    nested(40),
    {"a": [10**309]},
    {"a": {"b": -(10**309)}},
    {"long": "x" * 16_400},
    {"long": "é" * 8_200},
]


@pytest.mark.parametrize("metadata", GOOD_METADATA, ids=range(len(GOOD_METADATA)))
def test_good_metadata_are_taken_by_sql_and_by_the_domain(
    psql: Sql, gallery: Gallery, metadata: Any
) -> None:
    assert valid_metadata(metadata) is metadata
    add = "INSERT INTO subject (gallery_id, external_id, metadata) VALUES (%s, 'a', %s)"
    psql.execute(add, (gallery.id, Jsonb(metadata)))
    assert one(psql, "SELECT metadata FROM subject") == metadata


@pytest.mark.parametrize("metadata", BAD_METADATA, ids=range(len(BAD_METADATA)))
def test_bad_metadata_are_refused_by_sql_and_by_the_domain(
    psql: Sql, gallery: Gallery, metadata: Any
) -> None:
    with pytest.raises(RequestInvalid, match="metadata: "):
        valid_metadata(metadata)
    add = "INSERT INTO subject (gallery_id, external_id, metadata) VALUES (%s, 'a', %s)"
    with pytest.raises(errors.CheckViolation, match="ck_subject_metadata"):
        psql.execute(add, (gallery.id, Jsonb(metadata)))


def test_a_subject_typed_by_hand_ends_as_its_gallery_says(psql: Sql, gallery: Gallery) -> None:
    psql.execute("UPDATE gallery SET subject_lifetime_s = 60")
    psql.execute(ADD_SUBJECT, (gallery.id, "usual"))
    psql.execute(
        "INSERT INTO subject (gallery_id, external_id, expires_at)"
        " VALUES (%s, 'other', '2100-01-01')",
        (gallery.id,),
    )
    ends = psql.execute(
        "SELECT expires_at = created_at + interval '1 minute' FROM subject ORDER BY external_id"
    ).fetchall()
    assert ends == [(False,), (True,)]
    psql.execute("UPDATE subject SET expires_at = NULL")
    assert one(psql, "SELECT count(expires_at) FROM subject") == 0


def test_the_limit_of_a_subject_holds_for_statements_typed_by_hand(
    psql: Sql, gallery: Gallery
) -> None:
    psql.execute("UPDATE gallery SET max_faces_per_subject = 2")
    ada = one(psql, ADD_SUBJECT, gallery.id, "ada")
    several = "INSERT INTO face (gallery_id, subject_id) SELECT %s, %s FROM generate_series(1, %s)"
    with pytest.raises(errors.CheckViolation, match="more faces than the 2") as refusal:
        psql.execute(several, (gallery.id, ada, 3))
    assert refusal.value.diag.constraint_name == "ck_subject_max_faces"
    assert refusal.value.diag.table_name == "subject"
    psql.execute(several, (gallery.id, ada, 2))
    with pytest.raises(errors.CheckViolation), psql.transaction():
        # taking one away first does not help when two are given
        psql.execute("DELETE FROM face WHERE id = (SELECT min(id::text)::uuid FROM face)")
        psql.execute(several, (gallery.id, ada, 2))
    with psql.transaction():
        psql.execute(several, (gallery.id, ada, 1))
        psql.execute("DELETE FROM face WHERE id = (SELECT min(id::text)::uuid FROM face)")
    assert one(psql, "SELECT count(*) FROM face") == 2


def test_the_limit_of_a_subject_holds_for_faces_moved_to_it(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    psql.execute("UPDATE gallery SET max_faces_per_subject = 1")
    enrol(store, gallery, "ada")
    enrol(store, gallery, "bob", 1)
    move = (
        "UPDATE face SET subject_id = (SELECT id FROM subject WHERE external_id = 'ada')"
        " WHERE subject_id = (SELECT id FROM subject WHERE external_id = 'bob')"
    )
    with pytest.raises(errors.CheckViolation) as refusal:
        psql.execute(move)
    assert refusal.value.diag.message_detail == "ada"
    # an exchange gives nobody more than before
    psql.execute(
        "UPDATE face f SET subject_id = (SELECT id FROM subject s WHERE s.id <> f.subject_id)"
    )
    psql.execute("UPDATE gallery SET max_faces_per_subject = 2")
    psql.execute(move)
    assert one(psql, "SELECT count(DISTINCT subject_id) FROM face") == 1


def test_a_subject_above_a_lowered_limit_can_still_be_changed_and_emptied(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    _, first = enrol(store, gallery, "ada")
    subject_id = one(psql, "SELECT id FROM subject")
    with store.transaction() as tx:
        for seed in (1, 2):
            tx.add_face(gallery, subject_id, new_face(seed))
    psql.execute("UPDATE gallery SET max_faces_per_subject = 1")
    psql.execute("UPDATE face SET image_name = 'renamed'")
    with store.transaction() as tx:
        tx.replace_face(gallery, first, new_face(3))
    psql.execute("DELETE FROM face WHERE id = %s", (first,))
    assert one(psql, "SELECT count(*) FROM face") == 2


def test_concurrent_additions_never_exceed_a_subject_s_limit(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    """Straight into the tables, where nothing locks the subject before the commit."""
    psql.execute("UPDATE gallery SET max_faces_per_subject = 5")
    subject_id = one(psql, ADD_SUBJECT, gallery.id, "ada")
    refused: list[str] = []

    def work(worker: int) -> None:
        for place in range(3):
            try:
                with store.transaction() as tx:
                    tx.add_face(gallery, subject_id, new_face(worker * 10 + place))
            except SubjectFull as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one(psql, "SELECT count(*) FROM face") == 5
    assert len(refused) == 19
    assert "'ada'" in refused[0]


def test_a_role_without_rights_on_galleries_is_bound_by_their_rules(
    psql: Sql, gallery: Gallery
) -> None:
    clerk = f"clerk_{gallery.id.hex}"
    psql.execute("UPDATE gallery SET max_faces_per_subject = 1, subject_lifetime_s = 60")
    psql.execute(f"CREATE ROLE {clerk}; GRANT SELECT, INSERT ON subject, face TO {clerk}".encode())
    try:
        with psql.transaction():
            psql.execute(f"SET LOCAL ROLE {clerk}".encode())
            typed_face(psql, gallery, "ada")
        assert one(psql, "SELECT count(expires_at) FROM subject") == 1
        with pytest.raises(errors.CheckViolation), psql.transaction():
            psql.execute(f"SET LOCAL ROLE {clerk}".encode())
            psql.execute(
                "INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM subject"
            )
    finally:
        psql.execute(f"DROP OWNED BY {clerk}; DROP ROLE {clerk}".encode())


def merge(store: Store, gallery: Gallery, into: str, other: str) -> int:
    with store.transaction() as tx:
        ids = [tx.find_subject(gallery.id, name) for name in (into, other)]
        assert ids[0] is not None
        assert ids[1] is not None
        return tx.merge_subject(gallery.id, ids[0], ids[1])


def test_a_merge_leaves_what_the_subject_has_already(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    """The same photograph, or where that is not known the same embedding, is no second face."""
    enrol(store, gallery, "ada", 1)
    with store.transaction() as tx:
        ada = tx.find_subject(gallery.id, "ada")
        assert ada is not None
        tx.add_face(gallery, ada, imported_face(2))
        bob, _ = add(tx, gallery, "bob", 1)
        for face in (
            imported_face(2),
            imported_face(3),
            imported_face(1),  # as an embedding alone, of a photograph that ada has
            replace(new_face(4), embedding=embedding(1)),
        ):
            tx.add_face(gallery, bob, face)
    assert merge(store, gallery, "ada", "bob") == 2
    assert one(psql, "SELECT count(*) FROM subject") == 1
    assert one(psql, "SELECT count(*) FROM face") == 4
    assert one(psql, "SELECT count(*) FROM face_embedding") == 4


def test_a_merge_touches_no_other_subject(store: Store, psql: Sql, gallery: Gallery) -> None:
    for seed, name in enumerate(("ada", "bob", "eve")):
        enrol(store, gallery, name, seed)
    before = psql.execute("SELECT id, subject_id FROM face ORDER BY id").fetchall()
    assert merge(store, gallery, "ada", "bob") == 1
    after = psql.execute("SELECT id, subject_id FROM face ORDER BY id").fetchall()
    assert after[0] == before[0]
    assert after[1] == (before[1][0], before[0][1])
    assert after[2] == before[2]


def test_replacing_a_face_leaves_nothing_of_the_old_photograph(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    _, face_id = enrol(store, gallery, "ada", 1)
    psql.execute("UPDATE face SET quality = '{\"size\": 1}'")
    psql.execute(
        "WITH s AS (INSERT INTO embedding_space"
        " (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('Other', 2, 'd', 'native', 0) RETURNING id)"
        " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
        " SELECT f.id, f.gallery_id, s.id, '[0,1]' FROM face f, s"
    )
    with store.transaction() as tx:
        tx.replace_face(gallery, face_id, imported_face(2))
        face = tx.read_face(gallery, face_id, embeddings=True)
    assert face is not None
    assert (face.image_sha256, face.image_name, face.box, face.quality) == (None, None, None, None)
    assert face.embedding is not None
    assert face.embedding.tobytes() == embedding(2).tobytes()
    assert one(psql, "SELECT count(*) FROM face_embedding") == 1


@pytest.mark.parametrize(
    "quality", ["null", "[]", '"good"', '{"size": 1}', '{"size": "large"}', "7", '{"score": 1e400}']
)
def test_a_rating_that_is_none_of_ours_is_shown_as_none(
    store: Store, psql: Sql, gallery: Gallery, quality: str
) -> None:
    _, face_id = enrol(store, gallery, "ada", 1)
    psql.execute("UPDATE face SET quality = %s", (quality,))
    with store.transaction(read_only=True) as tx:
        face = tx.read_face(gallery, face_id)
    assert face is not None
    assert face.quality is None


def test_a_name_taken_at_this_moment_is_a_conflict_to_try_again(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    """Somebody types the same rename between our look and our write."""
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    tries: list[int] = []

    def work(tx: Any) -> None:
        tries.append(1)
        ada = tx.read_subject(gallery.id, "ada", lock=True)
        if len(tries) == 1:
            psql.execute("UPDATE subject SET external_id = 'eve' WHERE external_id = 'bob'")
        elif tx.find_subject(gallery.id, "eve") is not None:
            raise SubjectExists("eve")
        tx.change_subject(ada.id, replace(NEW_EVE, metadata=ada.metadata))

    with pytest.raises(SubjectExists):
        store.write(work)
    assert len(tries) == 2
    with pytest.raises(DatabaseBusy), store.transaction() as tx:
        ada = tx.find_subject(gallery.id, "ada")
        assert ada is not None
        tx.change_subject(ada, NEW_EVE)


NEW_EVE = NewSubject("eve", {})


def test_the_filter_uses_its_index(store: Store, psql: Sql, gallery: Gallery) -> None:
    psql.execute(
        "INSERT INTO subject (gallery_id, external_id, metadata) SELECT %s, n,"
        " CASE WHEN n %% 10 = 0 THEN jsonb_build_object('badge', n) ELSE '{}' END"
        " FROM generate_series(1, 20000) n".replace("n,", "n::text,", 1),
        (gallery.id,),
    )
    psql.execute("ANALYZE subject")
    with store.transaction(read_only=True) as tx:
        (found,) = tx.list_subjects(gallery.id, None, 10, {"badge": 770})
        assert tx.list_subjects(gallery.id, "770", 10, {"badge": 770}) == []
    assert found.external_id == "770"
    plan = psql.execute(
        "EXPLAIN SELECT FROM subject WHERE gallery_id = %s AND metadata @> '{\"badge\": 770}'"
        " AND metadata <> '{}' ORDER BY external_id LIMIT 10",
        (gallery.id,),
    ).fetchall()
    assert any("ix_subject_metadata" in line for (line,) in plan)
