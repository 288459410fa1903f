"""The reading side of the change feed: what a replica needs to be, and to stay, right."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg

from service.domain.faces import IndexedFace
from service.domain.galleries import Change, GalleryHead, GalleryVersion
from service.domain.replicas import Report
from service.ports import FaceBatch, FaceRead
from service.store import copies, replicas
from service.store.connections import LONGEST_SILENCE_S, BoundedConnection
from service.store.engine import connect_seconds, limits
from service.store.failures import translated
from service.store.listen import Bell
from service.store.triggers import TRIGGER_FAULTS
from service.store.urls import conninfo

# one for each space that a gallery has
HEADS = """
SELECT g.id, g.name, s.id, s.dimension, g.version, g.mark
  FROM gallery g LEFT JOIN reembedding r ON r.gallery_id = g.id
  JOIN embedding_space s ON s.id IN (g.space_id, r.space_id)
 ORDER BY g.name, s.id
"""

CHANGES = """
SELECT version, mark, prev_mark, faces, everything FROM gallery_change
 WHERE gallery_id = %s AND version > %s ORDER BY version
"""

# bit(64) to bigint is signed; modulo 2**64 the sum is the same
DIGEST = """
SELECT coalesce(sum(('x' || encode(substr(sha256(uuid_send(e.face_id) || uuid_send(f.subject_id)
                                                 || vector_send(e.vec)), 1, 8), 'hex')
                    )::bit(64)::bigint), 0)
  FROM face_embedding e JOIN face f ON f.gallery_id = e.gallery_id AND f.id = e.face_id
 WHERE e.gallery_id = %s AND e.space_id = %s
"""

# LOCK takes no snapshot: the reads that follow see nothing older than what the locks let through
BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
LOCK TABLE subject, face, face_embedding IN ACCESS SHARE MODE
"""


class PostgresFaceRead:
    """See `ports.FaceRead`; lives as long as the transaction of `PostgresFeed.read`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def heads(self) -> list[GalleryHead]:
        return _heads(self._connection)

    def changes(self, gallery_id: UUID, after: int) -> list[Change]:
        with translated():
            rows = self._connection.execute(CHANGES, (gallery_id, after)).fetchall()
        return _merged(rows)

    def trigger_faults(self) -> list[str]:
        with translated():
            # no parameters, so that % stands for itself
            return [row[0] for row in self._connection.execute(TRIGGER_FAULTS.encode())]

    def digest(self, head: GalleryHead) -> int:
        with translated():
            row = self._connection.execute(DIGEST, (head.id, head.space_id)).fetchone()
        return int(row[0]) % 2**64 if row else 0

    def faces(self, head: GalleryHead, face_ids: Sequence[UUID]) -> list[IndexedFace]:
        if not face_ids:
            return []
        return [
            face
            for batch in copies.chosen(self._connection, head, face_ids)
            for face in _each(batch)
        ]

    def all_faces(self, head: GalleryHead) -> Iterator[FaceBatch]:
        return copies.everything(self._connection, head)


class PostgresFeed:
    """See `ports.ChangeFeed`. One thread reads and waits; any thread may ring or close."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._conninfo = conninfo(url, connect_timeout=connect_seconds(timeout_s))
        self._limits = limits(timeout_s)
        # longer than a lock may be waited for, so that the server is the one to say so
        self._patience_s = 2 * timeout_s
        self._lock = threading.Lock()
        self._connection: BoundedConnection | None = None
        self._bell = Bell(self._conninfo)

    def heads(self) -> list[GalleryHead]:
        with self._connected() as connection:
            return _heads(connection)

    @contextmanager
    def read(self) -> Iterator[FaceRead]:
        with self._connected(LONGEST_SILENCE_S) as connection:
            connection.execute(BEGIN)
            yield PostgresFaceRead(connection)
            connection.execute("COMMIT")

    def report(self, report: Report) -> None:
        with self._connected() as connection:
            replicas.report(connection, report)

    def leave(self, replica_id: UUID) -> None:
        with self._connected() as connection:
            replicas.leave(connection, replica_id)

    def prune(self, keep_s: float) -> bool:
        with self._connected(LONGEST_SILENCE_S) as connection:
            return replicas.prune(connection, keep_s)

    def wait(self, timeout_s: float) -> bool:
        return self._bell.wait(timeout_s)

    def ring(self) -> None:
        self._bell.ring()

    def close(self) -> None:
        self._bell.close()
        with self._lock:
            self._drop()

    @contextmanager
    def _connected(self, patience_s: float | None = None) -> Iterator[psycopg.Connection[Any]]:
        """The reading connection; after any error it is dropped, and the next call makes one."""
        with self._lock, translated():
            try:
                if self._connection is None:
                    self._connection = self._connect()
                self._connection.patience_s = patience_s or self._patience_s
                yield self._connection
            except BaseException:
                self._drop()
                raise

    def _connect(self) -> BoundedConnection:
        connection = BoundedConnection.connect(self._conninfo, autocommit=True)
        connection.patience_s = self._patience_s
        connection.execute(self._limits.encode())
        # loading a large gallery is one statement
        connection.execute("SET statement_timeout = 0")
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


def _heads(connection: psycopg.Connection[Any]) -> list[GalleryHead]:
    with translated():
        rows = connection.execute(HEADS).fetchall()
    return [
        GalleryHead(gallery_id, name, space_id, dimension, GalleryVersion(number, mark))
        for gallery_id, name, space_id, dimension, number, mark in rows
    ]


def _merged(rows: Sequence[tuple[int, UUID, UUID, list[UUID], bool]]) -> list[Change]:
    """One change a version: a transaction notes each of its statements in a row of its own."""
    versions: dict[tuple[int, UUID, UUID], tuple[dict[UUID, None], list[bool]]] = {}
    for number, mark, previous_mark, faces, everything in rows:
        touched, flags = versions.setdefault((number, mark, previous_mark), ({}, []))
        touched.update(dict.fromkeys(faces))
        flags.append(everything)
    return [
        Change(GalleryVersion(number, mark), previous_mark, tuple(touched), any(flags))
        for (number, mark, previous_mark), (touched, flags) in versions.items()
    ]


def _each(batch: FaceBatch) -> Iterator[IndexedFace]:
    # tobytes and cut: numpy's void scalars are slow one by one
    faces, subjects = batch.face_ids.tobytes(), batch.subject_ids.tobytes()
    for place, embedding in enumerate(batch.embeddings):
        cut = slice(16 * place, 16 * place + 16)
        yield IndexedFace(UUID(bytes=faces[cut]), UUID(bytes=subjects[cut]), embedding)
