"""The digest of an index equals the one that Postgres computes of the table."""

from collections.abc import Iterator
from textwrap import dedent
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from service.domain.faces import IndexedFace
from service.domain.galleries import Gallery, GallerySettings
from service.index import GalleryIndex, IndexBuilder
from service.index.digest import digest
from service.ports import Store
from service.store import open_store
from tests.index.values import batch, built, face, version
from tests.store.values import SPACE, enrol


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = open_store(database_url, pool_size=2, timeout_s=3)
    yield store
    store.close()


@pytest.fixture
def gallery(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("people", SPACE, GallerySettings(0.5))


def documented() -> str:
    """The SQL expression of the docstring: what others will copy is what is tested."""
    paragraphs = dedent((digest.__doc__ or "").partition("\n")[2]).split("\n\n")
    return next(text for text in paragraphs if "vector_send" in text)


def in_database(url: str) -> int:
    query = f"SELECT {documented()} FROM face_embedding AS e JOIN face AS f ON f.id = e.face_id"
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


def loaded(store: Store) -> GalleryIndex:
    feed = store.feed()
    builder = IndexBuilder(SPACE.dimension)
    with feed.read() as read:
        (head,) = read.heads()
        for part in read.all_faces(head):
            builder.add(part)
    feed.close()
    return builder.finish(head.version)


def test_it_equals_that_of_postgres(store: Store, gallery: Gallery, database_url: str) -> None:
    seen = {in_database(database_url)}
    assert loaded(store).digest() in seen
    assert seen == {0}
    for number in range(12):  # so many that sums below 0 and above 2**64 are met
        enrol(store, gallery, f"person-{number}", number)
        assert loaded(store).digest() == in_database(database_url)
        seen.add(in_database(database_url))
    assert len(seen) == 13
    with store.transaction() as tx:
        tx.delete_subject(gallery.id, "person-11")
    assert loaded(store).digest() == in_database(database_url) in seen


def test_it_does_not_depend_on_order_or_history() -> None:
    faces = [face() for _ in range(30)]
    index = built(faces[:20])
    index.apply(version(2), [face(), *faces[20:]], [])
    extra = index.contents().keys() - {f.face_id for f in faces}
    index.apply(version(3), [], [*extra, faces[0].face_id])
    index.apply(version(4), [faces[0]], [])
    assert index.digest() == built(faces[::-1]).digest()


def test_any_difference_changes_it() -> None:
    one = face()
    other_bit = one.embedding.copy()
    other_bit.view(np.uint32)[3] ^= 1
    others = [
        IndexedFace(uuid4(), one.subject_id, one.embedding),
        IndexedFace(one.face_id, uuid4(), one.embedding),
        IndexedFace(one.face_id, one.subject_id, other_bit),
        IndexedFace(one.subject_id, one.face_id, one.embedding),
    ]
    digests = {built([f]).digest() for f in [one, *others]} | {built([]).digest()}
    assert len(digests) == 6
    assert built([]).digest() == 0


def test_parts_add_up_to_the_whole() -> None:
    faces = [face() for _ in range(9)]
    whole, one, two = (batch(f) for f in (faces, faces[:4], faces[4:]))
    sums = [digest(b.face_ids, b.subject_ids, b.embeddings) for b in (whole, one, two)]
    assert sums[0] == (sums[1] + sums[2]) % 2**64
