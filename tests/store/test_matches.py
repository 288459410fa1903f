"""What answers read of the tables: faces as they are now, and who may be an answer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.domain.matches import SubjectFilter
from service.errors import RequestInvalid
from service.ports import Store
from tests.store.values import SPACE, add, embedding, enrol, new_face

Sql = psycopg.Connection[Any]


def permitted(store: Store, gallery: Gallery, among: SubjectFilter) -> set[UUID]:
    with store.transaction(read_only=True) as tx:
        ids = tx.permitted_subjects(gallery.id, among)
    return {UUID(bytes=each.tobytes()) for each in ids}


def test_a_face_comes_with_its_subject_and_its_very_embedding(
    store: Store, gallery: Gallery
) -> None:
    subject_id, face_id = enrol(store, gallery, "ada", 3)
    with store.transaction(read_only=True) as tx:
        (face,) = tx.enrolled_faces(gallery, [face_id, uuid4()])
        assert tx.enrolled_faces(gallery, []) == []
    assert (face.face_id, face.subject_id, face.external_id) == (face_id, subject_id, "ada")
    assert face.permitted
    assert face.embedding.dtype == np.float32
    assert face.embedding.tobytes() == embedding(3).tobytes()


def test_a_glance_shows_the_gallery_and_its_faces_as_a_transaction_does(
    store: Store, gallery: Gallery
) -> None:
    ids = [enrol(store, gallery, name, n)[1] for n, name in enumerate(('a"da', "eve,{}", "é"))]
    wanted = [*ids[:2], uuid4()]
    with store.transaction(read_only=True) as tx:
        now, faces, before = tx.find_gallery("people"), tx.enrolled_faces(gallery, wanted), tx.now()
    seen = store.glance("people", wanted)
    assert seen is not None
    assert seen.gallery == now
    assert before < seen.now < before + timedelta(minutes=1)
    fields = [(f.face_id, f.subject_id, f.external_id, f.embedding.tobytes()) for f in faces]
    assert sorted(fields) == sorted(
        (f.face_id, f.subject_id, f.external_id, f.embedding.tobytes()) for f in seen.faces
    )
    assert {f.external_id for f in seen.faces} == {'a"da', "eve,{}"}


def test_a_glance_shows_no_gallery_where_there_is_none_and_no_face_that_nobody_asked_for(
    store: Store, gallery: Gallery
) -> None:
    enrol(store, gallery, "ada")
    assert store.glance("nobody") is None
    seen = store.glance("people")
    assert seen is not None
    assert seen.faces == ()


def test_a_face_of_another_gallery_is_not_there(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("others", SPACE, GallerySettings(0.5))
        subject_id, face_id = add(tx, other, "ada")
    glance = store.glance("people", [face_id])
    assert glance is not None
    assert glance.faces == ()
    with store.transaction(read_only=True) as tx:
        assert tx.enrolled_faces(gallery, [face_id]) == []
        assert tx.faces_of_subjects(gallery, [subject_id]) == []
        assert len(tx.permitted_subjects(gallery.id, SubjectFilter())) == 0


def test_every_face_of_the_subjects_is_read(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        subject_id, first = add(tx, gallery, "ada", 1)
        second = tx.add_face(gallery, subject_id, new_face(2))
        add(tx, gallery, "eve", 3)
    with store.transaction(read_only=True) as tx:
        faces = tx.faces_of_subjects(gallery, [subject_id])
    assert {each.face_id for each in faces} == {first, second}


def test_the_expired_the_excluded_and_those_of_other_metadata_are_not_permitted(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ids = {name: enrol(store, gallery, name, n) for n, name in enumerate(("ada", "bob", "eve"))}
    now = datetime.now(UTC)
    expire = "UPDATE subject SET expires_at = %s WHERE external_id = %s"
    psql.execute(expire, (now - timedelta(seconds=1), "bob"))
    psql.execute(expire, (now + timedelta(hours=1), "eve"))
    psql.execute("""UPDATE subject SET metadata = '{"a": {"b": [1, 2]}}' WHERE external_id='ada'""")
    ada, eve = ids["ada"][0], ids["eve"][0]
    cases = [
        (SubjectFilter(), {ada, eve}),
        (SubjectFilter(besides=ada), {eve}),
        (SubjectFilter({"a": {"b": [2]}}), {ada}),
        (SubjectFilter({"a": {"b": [3]}}), set()),
        (SubjectFilter({}), {ada, eve}),
        (SubjectFilter({"a": {}}, besides=ada), set()),
    ]
    for among, wanted in cases:
        assert permitted(store, gallery, among) == wanted, among
        with store.transaction(read_only=True) as tx:
            faces = tx.enrolled_faces(gallery, [face for _, face in ids.values()], among)
        glance = store.glance("people", [face for _, face in ids.values()], among)
        assert glance is not None
        for seen in (faces, glance.faces):
            assert {each.subject_id for each in seen if each.permitted} == wanted, among
            assert len(seen) == 3


@pytest.mark.parametrize("impossible", [{"a": "\0"}, {"\0": 1}, {"a": float("nan")}])
def test_a_filter_that_jsonb_cannot_hold_is_refused(
    impossible: dict[str, Any], store: Store, gallery: Gallery
) -> None:
    with pytest.raises(RequestInvalid), store.transaction(read_only=True) as tx:
        tx.permitted_subjects(gallery.id, SubjectFilter(impossible))
    with pytest.raises(RequestInvalid):
        store.glance("people", [], SubjectFilter(impossible))


def test_metadata_is_read_as_it_is(store: Store, gallery: Gallery, psql: Sql) -> None:
    ada, _ = enrol(store, gallery, "ada")
    psql.execute("""UPDATE subject SET metadata = '{"site": "north", "tags": ["é", null]}'""")
    with store.transaction(read_only=True) as tx:
        assert tx.subject_metadata([ada, uuid4()]) == {ada: {"site": "north", "tags": ["é", None]}}
        assert tx.subject_metadata([]) == {}
