"""Faces by binary COPY: rows of one fixed size, decoded many at a time."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from service.domain.galleries import GalleryHead
from service.ports import FaceBatch
from service.store import vectors
from service.store.failures import translated

BATCH_FACES = 10_000
BATCH_BYTES = 64_000_000
"""Whichever is reached first ends a batch: 10,000 faces of 4096 dimensions would be 160 MB."""

FACES = sql.SQL(
    """COPY (
SELECT e.face_id, f.subject_id, e.vec
  FROM face_embedding e JOIN face f ON f.gallery_id = e.gallery_id AND f.id = e.face_id
 WHERE e.gallery_id = {gallery} AND e.space_id = {space}{chosen}
) TO STDOUT (FORMAT binary)"""
)
CHOSEN = sql.SQL(" AND e.face_id = ANY({faces}::uuid[])")


def everything(connection: psycopg.Connection[Any], head: GalleryHead) -> Iterator[FaceBatch]:
    return _batches(connection, head, sql.SQL(""))


def chosen(
    connection: psycopg.Connection[Any], head: GalleryHead, face_ids: Sequence[UUID]
) -> Iterator[FaceBatch]:
    return _batches(connection, head, CHOSEN.format(faces=sql.Literal(list(face_ids))))


def _batches(
    connection: psycopg.Connection[Any], head: GalleryHead, chosen: sql.Composable
) -> Iterator[FaceBatch]:
    # COPY takes no parameters; these are UUIDs
    statement = FACES.format(
        gallery=sql.Literal(head.id), space=sql.Literal(head.space_id), chosen=chosen
    )
    size = vectors.record(head.dimension).itemsize
    enough = size * min(BATCH_FACES, max(1, BATCH_BYTES // size))
    with translated(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        waiting = bytearray()
        header = True
        for piece in copy:
            waiting += piece
            if header:
                del waiting[: vectors.header_size(waiting)]
                header = False
            if len(waiting) >= enough:
                yield vectors.decoded(memoryview(waiting)[:enough].tobytes(), head.dimension)
                del waiting[:enough]
        rows = waiting.removesuffix(vectors.COPY_TRAILER)
        if rows:
            yield vectors.decoded(rows, head.dimension)
