"""SQL of answers: faces as the table holds them now, and who may be an answer."""

import json
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
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.galleries import Gallery
from service.domain.matches import EnrolledFace, Glance, SubjectFilter
from service.domain.subjects import Metadata
from service.store import galleries, subjects, vectors
from service.store.connections import Read
from service.store.tables import face, face_embedding, gallery, subject

FIELDS = ("id", "subject_id", "external_id", "permitted")
EMPTY = literal_column("''::bytea", LargeBinary)

Condition = Literal["alive", "like", "described", "another"]
PERMITTED: dict[Condition, ColumnElement[bool]] = {
    "alive": subjects.ALIVE,
    "like": subject.c.metadata.contains(cast(bindparam("like", type_=Text), JSONB)),
    # what the index on metadata holds
    "described": subject.c.metadata != literal_column("'{}'::jsonb"),
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


# kept: building a statement takes longer than the database takes to answer it
@cache
def _rows(column: ColumnElement[UUID], *conditions: Condition) -> Select[Any]:
    return _faces(bindparam("in_gallery"), bindparam("in_space"), column, *conditions)


def _faces(
    in_gallery: ColumnElement[UUID],
    in_space: ColumnElement[UUID],
    column: ColumnElement[UUID],
    *conditions: Condition,
) -> Select[Any]:
    """The fields of an `EnrolledFace`, of those whose `column` is `wanted`."""
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
            face.c.gallery_id == in_gallery,
            face_embedding.c.space_id == in_space,
        )
    )


def glance(read: Read, name: str, face_ids: Sequence[UUID], among: SubjectFilter) -> Glance | None:
    """See `ports.Store.glance`."""
    values = {"called": name, "wanted": list(face_ids)} | _given(among)
    row = read(_glance(*_conditions(among)), values)
    if row is None:
        return None
    of = galleries.of_row(row, read)
    lists = (row[f"every_{field}"] or () for field in FIELDS)
    embeddings = vectors.received_together(row["every_vec"] or b"", of.space.dimension)
    faces = (EnrolledFace(*fields) for fields in zip(*lists, embeddings, strict=True))
    return Glance(of, tuple(faces), row["now"])


@cache
def _glance(*conditions: Condition) -> Select[Any]:
    """One row: the gallery, and a list for each field of its faces."""
    faces = _faces(gallery.c.id, gallery.c.space_id, face.c.id, *conditions)
    *fields, vec = faces.selected_columns
    lists = [func.array_agg(each).label(f"every_{each.name}") for each in fields]
    every = func.string_agg(vec, EMPTY).label("every_vec")
    found = faces.with_only_columns(*lists, every, maintain_column_froms=True)
    beside = found.correlate(gallery).lateral("found")
    named = galleries.NAMED.join(beside, true())
    return named.add_columns(func.clock_timestamp().label("now"), *beside.c)


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
        given["like"] = json.dumps(dict(among.metadata))
    if among.besides is not None:
        given["besides"] = among.besides
    return given


def permitted_subjects(
    connection: Connection, gallery_id: UUID, among: SubjectFilter
) -> NDArray[np.void]:
    """As one value: 100,000 rows would take longer to fetch than to find."""
    ids = func.string_agg(func.uuid_send(subject.c.id, type_=LargeBinary), EMPTY)
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
