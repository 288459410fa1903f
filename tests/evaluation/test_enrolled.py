"""A gallery is read from a real database, whole and in order, whatever the batches."""

from collections.abc import Iterator

import numpy as np
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.errors import GalleryNotReady, GalleryUnknown
from service.evaluation.enrolled import read_enrolled
from service.ports import Store
from service.store import copies, open_store
from tests.store.values import SPACE, add, embedding, new_face


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = open_store(database_url, pool_size=2, timeout_s=3)
    yield store
    store.close()


@pytest.fixture
def gallery(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("people", SPACE, GallerySettings(0.5))


def test_faces_stand_beside_those_of_their_subject(
    store: Store, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "BATCH_FACES", 3)
    with store.transaction() as tx:
        owners = [add(tx, gallery, f"p{seed}", seed) for seed in range(5)]
        faces = {face_id: (subject_id, seed) for seed, (subject_id, face_id) in enumerate(owners)}
        for seed in range(5, 12):
            subject_id = owners[seed % 5][0]
            faces[tx.add_face(gallery, subject_id, new_face(seed))] = (subject_id, seed)
    found = read_enrolled(store, "people")
    assert (len(found), len(found.subject_ids), found.version.number) == (12, 5, 1)
    assert (np.diff(found.subjects) >= 0).all()
    assert {found.face_id(row) for row in range(12)} == faces.keys()
    for row in range(12):
        subject_id, seed = faces[found.face_id(row)]
        assert found.subject_id(int(found.subjects[row])) == subject_id
        np.testing.assert_array_equal(found.embeddings[row], embedding(seed))


def test_an_empty_gallery_is_read(store: Store, gallery: Gallery) -> None:
    found = read_enrolled(store, "people")
    assert (len(found), found.embeddings.shape, len(found.subject_ids)) == (0, (0, 128), 0)


def test_an_unknown_gallery_is_told_with_those_there_are(store: Store, gallery: Gallery) -> None:
    with pytest.raises(GalleryUnknown, match=r"no gallery 'x'; there are: 'people'\."):
        read_enrolled(store, "x")


def test_a_gallery_that_vanishes_meanwhile_is_not_read(
    store: Store, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.changes.HEADS", "SELECT * FROM gallery WHERE false")
    with pytest.raises(GalleryNotReady, match="try again"):
        read_enrolled(store, "people")
