"""Reading a whole gallery by binary COPY."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.ports import ChangeFeed, FaceBatch, Store
from service.store import copies, vectors
from tests.store.values import SPACE, add, embedding

Sql = psycopg.Connection[Any]


def filled(store: Store, dimension: int, faces: int) -> Gallery:
    space = replace(SPACE, model=f"M{dimension}", dimension=dimension)
    with store.transaction() as tx:
        gallery = tx.create_gallery(f"g{dimension}", space, GallerySettings(0.5))
        for seed in range(faces):
            add(tx, gallery, f"subject {seed}", seed)
    return gallery


def read_all(feed: ChangeFeed, gallery: Gallery) -> list[FaceBatch]:
    with feed.read() as read:
        (head,) = [head for head in read.heads() if head.id == gallery.id]
        return list(read.all_faces(head))


def rows(batches: list[FaceBatch]) -> Iterator[tuple[UUID, UUID, bytes]]:
    for batch in batches:
        assert batch.face_ids.dtype == batch.subject_ids.dtype == np.dtype("V16")
        assert batch.embeddings.dtype == np.float32
        for place, values in enumerate(batch.embeddings):
            yield (
                UUID(bytes=batch.face_ids[place].tobytes()),
                UUID(bytes=batch.subject_ids[place].tobytes()),
                values.tobytes(),
            )


@pytest.mark.parametrize("dimension", [1, 3, 128, 512, 4096, 16000])
def test_a_copy_equals_a_select(store: Store, feed: ChangeFeed, psql: Sql, dimension: int) -> None:
    gallery = filled(store, dimension, 7)
    filled(store, 2, 1)  # another gallery's faces stay out of it
    selected = psql.execute(
        "SELECT e.face_id, f.subject_id, e.vec::text FROM face_embedding e"
        " JOIN face f ON f.id = e.face_id WHERE e.gallery_id = %s",
        (gallery.id,),
    ).fetchall()
    expected = {
        (face_id, subject_id, np.array(text[1:-1].split(","), np.float32).tobytes())
        for face_id, subject_id, text in selected
    }
    assert len(expected) == 7
    assert set(rows(read_all(feed, gallery))) == expected


def test_what_is_read_is_what_was_enrolled_bit_for_bit(store: Store, feed: ChangeFeed) -> None:
    gallery = filled(store, 128, 50)
    enrolled = {embedding(seed).tobytes() for seed in range(50)}
    assert {values for _, _, values in rows(read_all(feed, gallery))} == enrolled


@pytest.mark.parametrize("faces", [0, 1, 9, 10, 11, 20])
def test_batches_are_bounded(
    store: Store, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch, faces: int
) -> None:
    monkeypatch.setattr(copies, "BATCH_FACES", 10)
    batches = read_all(feed, filled(store, 16, faces))
    sizes = [len(batch.face_ids) for batch in batches]
    assert sum(sizes) == faces
    assert all(size == 10 for size in sizes[:-1])
    assert len({face_id for face_id, _, _ in rows(batches)}) == faces


def test_batches_of_wide_vectors_are_bounded_by_bytes(
    store: Store, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "BATCH_BYTES", 40_000)
    batches = read_all(feed, filled(store, 4096, 5))
    assert [len(batch.face_ids) for batch in batches] == [2, 2, 1]


def test_a_reading_broken_off_leaves_a_usable_feed(
    store: Store, feed: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "BATCH_FACES", 1)
    gallery = filled(store, 128, 30)
    with feed.read() as read:
        batches = read.all_faces(read.heads()[0])
        assert len(next(batches).face_ids) == 1
        del batches
    assert len(list(rows(read_all(feed, gallery)))) == 30


def test_a_row_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"vector\(2\)"):
        vectors.decoded(bytes(vectors.record(2).itemsize), 2)
    with pytest.raises(ValueError, match="binary COPY"):
        vectors.header_size(b"something else entirely")
