"""Values that the store's tests share."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace, unit
from service.domain.faces import Box, NewFace
from service.domain.galleries import Gallery, GalleryVersion
from service.ports import ChangeFeed, Store, Transaction

SPACE = EmbeddingSpace(
    model="Dlib",
    dimension=128,
    weights_sha256="ab" * 32,
    detector="dlib",
    alignment=Alignment.NATIVE,
    default_threshold=0.9,
)


def embedding(seed: int, dimension: int = 128) -> Embedding:
    return unit(np.random.default_rng(seed).normal(size=dimension), dimension)


def new_face(seed: int = 0, dimension: int = 128) -> NewFace:
    return NewFace(
        embedding=embedding(seed, dimension),
        image_sha256=seed.to_bytes(32, "big"),
        image_name=f"{seed}.jpg",
        box=Box(1, 2, 3, 4),
        created_by="test",
    )


def imported_face(seed: int) -> NewFace:
    return replace(new_face(seed), image_sha256=None, image_name=None, box=None)


def add(tx: Transaction, gallery: Gallery, name: str, seed: int = 0) -> tuple[UUID, UUID]:
    """A subject with one face: (subject id, face id)."""
    subject_id = tx.add_subject(gallery.id, name)
    face = new_face(seed, gallery.space.dimension)
    return subject_id, tx.add_face(gallery, subject_id, face)


def enrol(store: Store, gallery: Gallery, name: str, seed: int = 0) -> tuple[UUID, UUID]:
    with store.transaction() as tx:
        return add(tx, gallery, name, seed)


def version(feed: ChangeFeed, gallery: Gallery) -> GalleryVersion:
    return next(head.version for head in feed.heads() if head.id == gallery.id)


def vector(values: Embedding) -> str:
    """As it is typed in psql."""
    return "[" + ",".join(map(str, values.tolist())) + "]"


def one(connection: psycopg.Connection[Any], statement: str, *values: object) -> Any:
    """The first column of the only row."""
    row = connection.execute(statement.encode(), values or None).fetchone()
    assert row is not None
    return row[0]
