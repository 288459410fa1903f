"""SQL of answers: faces as the table holds them now, and who may be an answer."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.galleries import Gallery
from service.domain.matches import EnrolledFace, SubjectFilter
from service.domain.subjects import Metadata
from service.store import subjects, vectors
from service.store.tables import face, face_embedding, subject

Condition = Literal["alive", "like", "described", "another"]
PERMITTED: dict[Condition, ColumnElement[bool]] = {
    "alive": subjects.ALIVE,
    "like": subject.c.metadata.contains(bindparam("like", type_=JSONB)),
    "described": subject.c.metadata != {},  # what the index on metadata holds
    "another": subject.c.id != bindparam("besides"),
}
"""Of a subject that may be an answer."""


def faces(
    connection: Connection, of: Gallery, face_ids: Sequence[UUID], among: SubjectFilter
) -> list[EnrolledFace]:
    """Those of them that are in the gallery, in its present space."""
    return _enrolled(connection, of, face.c.id, face_ids, among)


def faces_of_subjects(
    connection: Connection, of: Gallery, subject_ids: Sequence[UUID], among: SubjectFilter
) -> list[EnrolledFace]:
    return _enrolled(connection, of, face.c.subject_id, subject_ids, among)


def _enrolled(
    connection: Connection,
    of: Gallery,
    column: ColumnElement[UUID],
    wanted: Sequence[UUID],
    among: SubjectFilter,
) -> list[EnrolledFace]:
    if not wanted:
        return []
    values = {"wanted": list(wanted), "in_gallery": of.id, "in_space": of.space_id}
    rows = connection.execute(_rows(column, *_conditions(among)), values | _given(among))
    return [
        EnrolledFace(face_id, subject_id, external_id, permitted, vectors.received(vec))
        for face_id, subject_id, external_id, permitted, vec in rows
    ]


@cache
def _rows(column: ColumnElement[UUID], *conditions: Condition) -> Select[Any]:
    """Kept: building it takes longer than the database takes to answer."""
    return (
        select(
            face.c.id,
            face.c.subject_id,
            subject.c.external_id,
            and_(*(PERMITTED[each] for each in conditions)).label("permitted"),
            func.vector_send(face_embedding.c.vec, type_=LargeBinary).label("vec"),
        )
        .join(
            subject,
            (subject.c.gallery_id == face.c.gallery_id) & (subject.c.id == face.c.subject_id),
        )
        .join(
            face_embedding,
            (face_embedding.c.gallery_id == face.c.gallery_id)
            & (face_embedding.c.face_id == face.c.id),
        )
        .where(
            column == any_(bindparam("wanted", type_=ARRAY(Uuid))),
            face.c.gallery_id == bindparam("in_gallery"),
            face_embedding.c.space_id == bindparam("in_space"),
        )
    )


def _conditions(among: SubjectFilter) -> Iterator[Condition]:
    yield "alive"
    if among.metadata is not None:
        yield "like"
    if among.metadata:
        yield "described"
    if among.besides is not None:
        yield "another"


def _given(among: SubjectFilter) -> dict[str, object]:
    """What the conditions compare with."""
    given: dict[str, object] = {}
    if among.metadata is not None:
        given["like"] = dict(among.metadata)
    if among.besides is not None:
        given["besides"] = among.besides
    return given


def permitted_subjects(
    connection: Connection, gallery_id: UUID, among: SubjectFilter
) -> NDArray[np.void]:
    """As one value: 100,000 rows would take longer to fetch than to find."""
    ids = func.string_agg(
        func.uuid_send(subject.c.id, type_=LargeBinary), func.decode("", "hex", type_=LargeBinary)
    )
    found = connection.scalar(
        select(ids).where(
            subject.c.gallery_id == gallery_id, *(PERMITTED[each] for each in _conditions(among))
        ),
        _given(among),
    )
    return np.frombuffer(found or b"", dtype="V16")


def metadata(connection: Connection, subject_ids: Sequence[UUID]) -> dict[UUID, Metadata]:
    wanted = bindparam("wanted", list(subject_ids), ARRAY(Uuid))
    rows = connection.execute(
        select(subject.c.id, subject.c.metadata).where(subject.c.id == any_(wanted))
    )
    return {row.id: row.metadata for row in rows}
