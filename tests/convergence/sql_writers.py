"""Writers that use plain SQL, as people do in psql and programs that know nothing of the feed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from tests.convergence.record import Record
from tests.convergence.workers import Worker
from tests.fakes.analyser import SPACE

LONG_S = 3.0
ENOUGH = 150
"""Subjects of these writers in a gallery; above it only deletions."""

Rows = list[tuple[Any, ...]]

ADD_FACE = """
WITH f AS (INSERT INTO face (gallery_id, subject_id) VALUES (%(g)s, %(s)s) RETURNING id)
INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)
SELECT f.id, g.id, g.space_id, %(vec)s::text::vector FROM f, gallery g WHERE g.id = %(g)s
"""
SOME = """
SELECT id, external_id FROM subject WHERE gallery_id = %s AND external_id LIKE 'sql-%%'
 ORDER BY random() LIMIT %s
"""
ONE_FACE = """
SELECT f.id, f.subject_id FROM face f JOIN subject s ON s.id = f.subject_id
 WHERE f.gallery_id = %s AND s.external_id LIKE 'sql-%%' ORDER BY random() LIMIT 1
"""


class SqlWriter(Worker):
    """Writes into all galleries; its subjects' ids begin with sql-."""

    def __init__(self, name: str, url: str, galleries: list[UUID], seed: int, record: Record):
        super().__init__(name, seed, record)
        self._url = url
        self._galleries = galleries
        self._values = np.random.default_rng(self.random.getrandbits(64))
        self._number = 0
        self._connection: psycopg.Connection[Any] | None = None

    def step(self) -> None:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, connect_timeout=5)
            self._write(self.random.choice(self._galleries))
        except psycopg.Error as error:
            conflict = isinstance(error, psycopg.IntegrityError | psycopg.errors.DeadlockDetected)
            self.record.count("SQL writes: conflicts" if conflict else "SQL writes: broken off")
            self.close()
        self.rest(self.random.uniform(0.03, 0.15))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, gallery: UUID) -> None:
        assert self._connection is not None
        kind = self.random.choice(OPERATIONS)
        if len(self._some(gallery, ENOUGH)) == ENOUGH:
            kind = SqlWriter.delete_range
        kind(self, gallery)
        self._connection.commit()
        self.record.count(f"SQL writes: {kind.__name__}")
        self.record.count("writes", kind is not SqlWriter.roll_back)

    def _sql(self, statement: str, *values: object) -> Rows:
        assert self._connection is not None
        cursor = self._connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def _some(self, gallery: UUID, count: int) -> Rows:
        return self._sql(SOME, gallery, count)

    def _new_id(self) -> str:
        self._number += 1
        return f"sql-{self.random.randrange(10):d}-{self.name}-{self._number}"

    def _vector(self) -> str:
        vector = self._values.normal(size=SPACE.dimension)
        return str((vector / np.linalg.norm(vector)).tolist())

    def _add_face(self, gallery: UUID, subject: UUID) -> None:
        assert self._connection is not None
        values = {"g": gallery, "s": subject, "vec": self._vector()}
        self._connection.execute(ADD_FACE, values)

    def enrol(self, gallery: UUID) -> None:
        for _ in range(self.random.randint(1, 3)):
            insert = "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s) RETURNING id"
            ((subject,),) = self._sql(insert, gallery, self._new_id())
            self._add_face(gallery, subject)

    def replace_embedding(self, gallery: UUID) -> None:
        for face, _ in self._sql(ONE_FACE, gallery):
            update = "UPDATE face_embedding SET vec = %s::text::vector WHERE face_id = %s"
            self._sql(update, self._vector(), face)

    def replace_face(self, gallery: UUID) -> None:
        for face, subject in self._sql(ONE_FACE, gallery):
            self._sql("DELETE FROM face WHERE id = %s", face)
            self._add_face(gallery, subject)

    def rename(self, gallery: UUID) -> None:
        for subject, _ in self._some(gallery, 1):
            self._sql("UPDATE subject SET external_id = %s WHERE id = %s", self._new_id(), subject)

    def move_face(self, gallery: UUID) -> None:
        for face, _ in self._sql(ONE_FACE, gallery):
            for subject, _ in self._some(gallery, 1):
                self._sql("UPDATE face SET subject_id = %s WHERE id = %s", subject, face)

    def delete_range(self, gallery: UUID) -> None:
        first, last = sorted("sql-" + self.random.choice("0123456789:") for _ in range(2))
        delete = "DELETE FROM subject WHERE gallery_id = %s AND external_id BETWEEN %s AND %s"
        self._sql(delete, gallery, first, last)

    def savepoints(self, gallery: UUID) -> None:
        self.enrol(gallery)
        self._sql("SAVEPOINT before")
        self.delete_range(gallery)
        self.enrol(gallery)
        self._sql("ROLLBACK TO SAVEPOINT before")
        self.replace_embedding(gallery)

    def roll_back(self, gallery: UUID) -> None:
        self.delete_range(gallery)
        self.enrol(gallery)
        self._sql("ROLLBACK")

    def long_transaction(self, gallery: UUID) -> None:
        self.enrol(gallery)
        self.rest(self.random.uniform(LONG_S / 3, LONG_S))
        self.replace_embedding(gallery)

    def commit_asynchronously(self, gallery: UUID) -> None:
        self._sql("SET LOCAL synchronous_commit = off")
        self.enrol(gallery)

    def both_galleries(self, gallery: UUID) -> None:
        for each in self.random.sample(self._galleries, len(self._galleries)):
            self.enrol(each)
            self.replace_face(each)

    def as_replication(self, gallery: UUID) -> None:
        """Foreign keys do nothing then, and ordinary triggers do not fire."""
        self._sql("SET LOCAL session_replication_role = replica")
        self.enrol(gallery)
        for subject, _ in self._some(gallery, 1):
            self._sql("SELECT FROM subject WHERE id = %s FOR UPDATE", subject)
            faces = "(SELECT id FROM face WHERE subject_id = %s)"
            self._sql(f"DELETE FROM face_embedding WHERE face_id IN {faces}", subject)
            self._sql("DELETE FROM face WHERE subject_id = %s", subject)
            self._sql("DELETE FROM subject WHERE id = %s", subject)


OPERATIONS: list[Callable[[SqlWriter, UUID], None]] = [
    *[SqlWriter.enrol] * 4,
    SqlWriter.replace_embedding,
    SqlWriter.replace_face,
    SqlWriter.rename,
    SqlWriter.move_face,
    SqlWriter.delete_range,
    SqlWriter.savepoints,
    SqlWriter.roll_back,
    SqlWriter.long_transaction,
    SqlWriter.commit_asynchronously,
    SqlWriter.both_galleries,
    SqlWriter.as_replication,
]
