"""SQL of faces and their embeddings."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection, Uuid, any_, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from service.domain.embeddings import Embedding
from service.domain.faces import ListedFace, NewFace
from service.domain.galleries import Gallery
from service.errors import FaceExists
from service.store import vectors
from service.store.tables import Vector, face, face_embedding, subject


def add(connection: Connection, into: Gallery, subject_id: UUID, new: NewFace) -> UUID:
    """The face and its embedding in one statement, so one round trip."""
    values: dict[str, object] = {
        "gallery_id": into.id,
        "subject_id": subject_id,
        "image_sha256": new.image_sha256,
        "image_name": new.image_name and _text(new.image_name),
        "box": new.box and [new.box.left, new.box.top, new.box.width, new.box.height],
        "created_by": new.created_by,
    }
    if new.quality is not None:  # None would be JSON's null
        values["quality"] = asdict(new.quality)
    if new.created_at is not None:
        values["created_at"] = new.created_at
    added = (
        insert(face)
        .values(values)
        .on_conflict_do_nothing(constraint="uq_face_subject_id_image_sha256")
        .returning(face.c.id, face.c.gallery_id)
        .cte("added")
    )
    face_id: UUID | None = connection.scalar(
        insert(face_embedding)
        .from_select(
            ["face_id", "gallery_id", "space_id", "vec"],
            select(
                added.c.id,
                added.c.gallery_id,
                literal(into.space_id),
                cast(literal(new.embedding, Vector), Vector),
            ),
        )
        .returning(face_embedding.c.face_id)
    )
    if face_id is None:
        raise FaceExists(_name(connection, subject_id))
    return face_id


def _text(name: str) -> str:
    """A file's name as the client gave it may hold what Postgres cannot: NUL, half surrogates."""
    return name.replace("\0", "").encode(errors="replace").decode()


def _name(connection: Connection, subject_id: UUID) -> str:
    name = connection.scalar(select(subject.c.external_id).where(subject.c.id == subject_id))
    return str(name or subject_id)


def has_image(connection: Connection, subject_id: UUID, image_sha256: bytes) -> bool:
    found = select(face.c.id).where(
        face.c.subject_id == subject_id, face.c.image_sha256 == image_sha256
    )
    return bool(connection.scalar(select(found.exists())))


def has_embedding(connection: Connection, subject_id: UUID, embedding: Embedding) -> bool:
    """Compared as bytes: pgvector's own equality takes 0.0 and -0.0 for one."""
    found = (
        select(face.c.id)
        .join(
            face_embedding,
            (face_embedding.c.gallery_id == face.c.gallery_id)
            & (face_embedding.c.face_id == face.c.id),
        )
        .where(
            face.c.subject_id == subject_id,
            func.vector_send(face_embedding.c.vec) == vectors.encoded(embedding),
        )
    )
    return bool(connection.scalar(select(found.exists())))


def count(connection: Connection, gallery_id: UUID) -> int:
    counted = select(func.count()).select_from(face).where(face.c.gallery_id == gallery_id)
    return int(connection.scalar(counted) or 0)


def images(connection: Connection, face_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    wanted = bindparam("wanted", list(face_ids), ARRAY(Uuid))
    rows = connection.execute(select(face.c.id, face.c.image_name).where(face.c.id == any_(wanted)))
    return {row.id: row.image_name for row in rows}


def listed(
    connection: Connection, gallery_id: UUID, after: str | None, limit: int | None
) -> list[ListedFace]:
    page = (
        select(subject.c.external_id, face.c.created_at, face.c.id)
        .join(
            face, (face.c.gallery_id == subject.c.gallery_id) & (face.c.subject_id == subject.c.id)
        )
        .where(subject.c.gallery_id == gallery_id)
    )
    if after is not None:
        page = page.where(subject.c.external_id > after)
    if limit is not None:
        # ties: the rest of the last subject's faces
        page = page.order_by(subject.c.external_id).fetch(limit, with_ties=True)
    rows = page.subquery()
    ordered = select(rows.c.external_id, rows.c.created_at).order_by(
        rows.c.external_id, rows.c.created_at, rows.c.id
    )
    return [ListedFace(row.external_id, row.created_at) for row in connection.execute(ordered)]
