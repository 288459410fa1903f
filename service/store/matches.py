"""SQL of answers: faces as the table holds them now, and who may be an answer."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from service.domain.galleries import Gallery
from service.domain.matches import EnrolledFace, SubjectFilter
from service.domain.subjects import Metadata
from service.store import subjects, vectors
from service.store.tables import face, face_embedding, subject


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
    rows = connection.execute(
        select(
            face.c.id,
            face.c.subject_id,
            subject.c.external_id,
            _permitted(among).label("permitted"),
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
            column == any_(bindparam("wanted", list(wanted), ARRAY(Uuid))),
            face.c.gallery_id == of.id,
            face_embedding.c.space_id == of.space_id,
        )
    )
    return [
        EnrolledFace(
            row.id, row.subject_id, row.external_id, row.permitted, vectors.received(row.vec)
        )
        for row in rows
    ]


def _permitted(among: SubjectFilter) -> ColumnElement[bool]:
    conditions = [subjects.ALIVE]
    if among.metadata is not None:
        conditions.append(subject.c.metadata.contains(dict(among.metadata)))
    if among.metadata:
        conditions.append(subject.c.metadata != {})  # what the index on metadata holds
    if among.besides is not None:
        conditions.append(subject.c.id != among.besides)
    return and_(*conditions)


def permitted_subjects(
    connection: Connection, gallery_id: UUID, among: SubjectFilter
) -> NDArray[np.void]:
    """As one value: 100,000 rows would take longer to fetch than to find."""
    ids = func.string_agg(
        func.uuid_send(subject.c.id, type_=LargeBinary), func.decode("", "hex", type_=LargeBinary)
    )
    found = connection.scalar(
        select(ids).where(subject.c.gallery_id == gallery_id, _permitted(among))
    )
    return np.frombuffer(found or b"", dtype="V16")


def metadata(connection: Connection, subject_ids: Sequence[UUID]) -> dict[UUID, Metadata]:
    wanted = bindparam("wanted", list(subject_ids), ARRAY(Uuid))
    rows = connection.execute(
        select(subject.c.id, subject.c.metadata).where(subject.c.id == any_(wanted))
    )
    return {row.id: row.metadata for row in rows}
