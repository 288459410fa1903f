"""Rules that SQL itself keeps, whoever writes."""

import threading
import unicodedata
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from service.domain.galleries import Gallery
from service.domain.subjects import valid_external_id
from service.errors import GalleryFull, RequestInvalid
from service.ports import Store
from tests.store.values import embedding, enrol, one, vector

SPACES = (
    "INSERT INTO embedding_space"
    " (model, dimension, weights_sha256, detector, alignment, default_threshold) VALUES"
)
Sql = psycopg.Connection[Any]

ADD_SUBJECT = "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s) RETURNING id"
ADD_FACE = "INSERT INTO face (gallery_id, subject_id) VALUES (%s, %s) RETURNING id"
ADD_EMBEDDING = (
    "INSERT INTO face_embedding (face_id, gallery_id, space_id, vec) VALUES (%s, %s, %s, %s)"
)


def typed_face(psql: Sql, gallery: Gallery, name: str = "typed") -> UUID:
    subject_id = one(psql, ADD_SUBJECT, gallery.id, name)
    face_id: UUID = one(psql, ADD_FACE, gallery.id, subject_id)
    return face_id


def test_rows_typed_by_hand_get_their_defaults(psql: Sql, gallery: Gallery) -> None:
    face_id = typed_face(psql, gallery)
    psql.execute(ADD_EMBEDDING, (face_id, gallery.id, gallery.space_id, vector(embedding(1))))
    assert face_id.version == 7
    assert one(psql, "SELECT created_by = session_user FROM face") is True
    assert one(psql, "SELECT metadata FROM subject") == {}
    assert one(psql, "SELECT dimension FROM face_embedding") == 128


def test_ids_are_ordered_by_time(psql: Sql) -> None:
    earlier = one(psql, "SELECT uuid_v7()")
    psql.execute("SELECT pg_sleep(0.002)")
    assert earlier < one(psql, "SELECT uuid_v7()")
    assert one(psql, "SELECT uuid_v7()::text")[14] == "7"


@pytest.mark.parametrize("dimension", [127, 129, 1, 512])
def test_an_embedding_of_another_dimension_is_refused(
    psql: Sql, gallery: Gallery, dimension: int
) -> None:
    face_id = typed_face(psql, gallery)
    with pytest.raises(errors.ForeignKeyViolation, match="embedding_space"):
        psql.execute(
            ADD_EMBEDDING,
            (face_id, gallery.id, gallery.space_id, vector(embedding(1, dimension))),
        )


@pytest.mark.parametrize("length", [0.0, 0.99, 1.01, 100.0])
def test_an_embedding_that_is_not_of_unit_length_is_refused(
    psql: Sql, gallery: Gallery, length: float
) -> None:
    face_id = typed_face(psql, gallery)
    with pytest.raises(errors.CheckViolation, match="unit_length"):
        psql.execute(
            ADD_EMBEDDING,
            (face_id, gallery.id, gallery.space_id, vector(embedding(1) * length)),
        )


def test_an_embedding_cannot_lie_in_another_gallery_than_its_face(
    psql: Sql, gallery: Gallery
) -> None:
    other = one(
        psql,
        "INSERT INTO gallery (name, space_id, threshold) VALUES ('other', %s, 0) RETURNING id",
        gallery.space_id,
    )
    face_id = typed_face(psql, gallery)
    with pytest.raises(errors.ForeignKeyViolation, match="fk_face_embedding_face"):
        psql.execute(ADD_EMBEDDING, (face_id, other, gallery.space_id, vector(embedding(1))))


GOOD_IDS = ["a", " a", "a b", "../x/y", "é\u0301", "人", "🧑‍🦰", "x" * 255, "🧑" * 255, "\u200b"]
BAD_IDS = ["", " ", "\u3000 \u00a0", "x" * 256, "\t", "a\nb", "\x7f", "a\x85", "\u2028", "\x1f"]


@pytest.mark.parametrize("external_id", GOOD_IDS)
def test_a_good_id_is_taken_by_sql_and_by_the_domain(
    psql: Sql, gallery: Gallery, external_id: str
) -> None:
    assert valid_external_id(external_id) == external_id
    psql.execute(ADD_SUBJECT, (gallery.id, external_id))


@pytest.mark.parametrize("external_id", BAD_IDS)
def test_a_bad_id_is_refused_by_sql_and_by_the_domain(
    psql: Sql, gallery: Gallery, external_id: str
) -> None:
    with pytest.raises(RequestInvalid):
        valid_external_id(external_id)
    with pytest.raises(errors.CheckViolation, match="ck_subject_external_id"):
        psql.execute(ADD_SUBJECT, (gallery.id, external_id))


def test_sql_and_the_domain_agree_on_every_single_character(psql: Sql, gallery: Gallery) -> None:
    def good(character: str) -> bool:
        try:
            valid_external_id(character)
        except RequestInvalid:
            return False
        return True

    characters = [
        chr(point) for point in range(1, 0x11000) if unicodedata.category(chr(point)) != "Cs"
    ]
    with psql.transaction(force_rollback=True):
        psql.execute(
            "CREATE TEMP TABLE probe (LIKE subject INCLUDING CONSTRAINTS INCLUDING DEFAULTS);"
            "CREATE FUNCTION pg_temp.good(name text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO probe (gallery_id, external_id) VALUES (gen_random_uuid(), name); "
            "RETURN true; EXCEPTION WHEN check_violation THEN RETURN false; END $$"
        )
        by_sql = psql.execute(
            "SELECT name, pg_temp.good(name) FROM unnest(%s::text[]) AS name"
            " WHERE NOT pg_temp.good(name)",
            (characters,),
        ).fetchall()
    assert {name for name, _ in by_sql} == {name for name in characters if not good(name)}


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE gallery SET threshold = 1.1", "ck_gallery_threshold"),
        ("UPDATE gallery SET max_faces = 0", "ck_gallery_max_faces_positive"),
        ("UPDATE gallery SET name = ''", "ck_gallery_name"),
        ("UPDATE gallery SET name = E'a\\nb'", "ck_gallery_name"),
        (f"{SPACES} ('m', 0, NULL, 'd', 'native', 0)", "ck_embedding_space_dimension"),
        (f"{SPACES} ('m', 1, 'AB', 'd', 'native', 0)", "ck_embedding_space_weights_sha256"),
        (f"{SPACES} ('m', 1, NULL, 'd', 'odd', 0)", "ck_embedding_space_alignment"),
        ("UPDATE face SET image_sha256 = 'x'", "ck_face_image_sha256"),
        ("UPDATE face SET box = '{1,2,3}'", "ck_face_box"),
        ("UPDATE face SET box = '{1,2,3,NULL}'", "ck_face_box"),
        ("UPDATE face SET box = '{{1,2},{3,4}}'", "ck_face_box"),
        ("UPDATE subject SET metadata = '[]'", "ck_subject_metadata"),
        ("UPDATE subject SET expires_at = 'infinity'", "ck_subject_expires_at"),
        ("UPDATE subject SET expires_at = '-infinity'", "ck_subject_expires_at"),
        ("UPDATE subject SET created_at = '10000-01-01'", "ck_subject_created_at"),
    ],
)
def test_a_wrong_value_is_refused(
    store: Store, psql: Sql, gallery: Gallery, statement: str, constraint: str
) -> None:
    enrol(store, gallery, "ada")
    with pytest.raises(errors.CheckViolation) as refusal:
        psql.execute(statement.encode())
    assert refusal.value.diag.constraint_name == constraint


def test_a_space_without_a_digest_is_one_too(psql: Sql, gallery: Gallery) -> None:
    add = (
        "INSERT INTO embedding_space (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('m', 2, 'd', 'native', 0)"
    )
    psql.execute(add)
    with pytest.raises(errors.UniqueViolation):
        psql.execute(add)


def test_the_limit_holds_for_statements_typed_by_hand(psql: Sql, gallery: Gallery) -> None:
    psql.execute("UPDATE gallery SET max_faces = 1")
    typed_face(psql, gallery, "first")
    with pytest.raises(errors.CheckViolation, match="limit of 1 faces") as refusal:
        typed_face(psql, gallery, "second")
    assert refusal.value.diag.constraint_name == "ck_gallery_max_faces"
    assert refusal.value.diag.table_name == "gallery"
    assert one(psql, "SELECT count(*) FROM face") == 1


def test_the_limit_holds_for_faces_moved_in(store: Store, psql: Sql, gallery: Gallery) -> None:
    enrol(store, gallery, "ada")
    small = one(
        psql,
        "INSERT INTO gallery (name, space_id, threshold, max_faces) VALUES ('small', %s, 0, 1)"
        " RETURNING id",
        gallery.space_id,
    )
    psql.execute("UPDATE subject SET gallery_id = %s", (small,))
    enrol(store, gallery, "bob", 1)
    with pytest.raises(errors.CheckViolation, match="limit of 1 faces"):
        psql.execute("UPDATE subject SET gallery_id = %s WHERE external_id = 'bob'", (small,))


def test_a_full_gallery_can_still_be_changed_and_emptied(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    enrol(store, gallery, "ada")
    enrol(store, gallery, "bob", 1)
    psql.execute("UPDATE gallery SET max_faces = 1")
    psql.execute("UPDATE face SET image_name = 'renamed'")
    psql.execute("DELETE FROM subject WHERE external_id = 'ada'")
    assert one(psql, "SELECT count(*) FROM face") == 1


def test_concurrent_enrolments_never_exceed_the_limit(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    psql.execute("UPDATE gallery SET max_faces = 10")
    refused: list[str] = []

    def work(worker: int) -> None:
        for place in range(4):
            try:
                enrol(store, gallery, f"{worker}-{place}", worker * 100 + place)
            except GalleryFull as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one(psql, "SELECT count(*) FROM face") == 10
    assert one(psql, "SELECT count(*) FROM subject") == 10
    assert one(psql, "SELECT version FROM gallery") == 10
    assert len(refused) == 22
    assert "'people'" in refused[0]
