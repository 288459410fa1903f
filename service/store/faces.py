"""SQL of faces and their embeddings."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    LargeBinary,
    Row,
    Select,
    Uuid,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from service.domain.embeddings import Embedding
from service.domain.faces import Box, Face, ListedFace, NewFace
from service.domain.galleries import Gallery
from service.domain.quality import Quality
from service.errors import FaceExists
from service.store import photographs, reembedding, vectors
from service.store.columns import Vector
from service.store.tables import face, face_embedding, subject


def add(connection: Connection, into: Gallery, subject_id: UUID, new: NewFace) -> UUID:
    """The face and its embedding in one statement, so one round trip; its photograph in another."""
    values = {"gallery_id": into.id, "subject_id": subject_id, **_columns(new)}
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
    photographs.keep(connection, into.id, face_id, new.photograph)
    if new.beside is not None:
        reembedding.embed_beside(connection, into.id, face_id, new.beside)
    return face_id


def _columns(new: NewFace) -> dict[str, object]:
    values: dict[str, object] = {
        "image_sha256": new.image_sha256,
        "image_name": new.image_name and _text(new.image_name),
        "box": new.box and [new.box.left, new.box.top, new.box.width, new.box.height],
        "created_by": new.created_by,
    }
    if new.quality is not None:  # None would be JSON's null
        values["quality"] = asdict(new.quality)
    if new.created_at is not None:
        values["created_at"] = new.created_at
    return values


def replace(connection: Connection, into: Gallery, face_id: UUID, new: NewFace) -> None:
    """Nothing of the old photograph and its embedding stays, but the face's id."""
    blank: dict[str, object] = {"quality": null(), "created_at": func.now()}
    connection.execute(update(face).where(face.c.id == face_id).values(blank | _columns(new)))
    photographs.forget(connection, face_id)
    photographs.keep(connection, into.id, face_id, new.photograph)
    of_face = (face_embedding.c.gallery_id == into.id) & (face_embedding.c.face_id == face_id)
    connection.execute(
        delete(face_embedding).where(of_face, face_embedding.c.space_id != into.space_id)
    )
    connection.execute(
        insert(face_embedding)
        .values(
            face_id=face_id,
            gallery_id=into.id,
            space_id=into.space_id,
            vec=cast(literal(new.embedding, Vector), Vector),
        )
        .on_conflict_do_update(
            constraint="pk_face_embedding", set_={"vec": literal_column("excluded.vec")}
        )
    )
    if new.beside is not None:
        reembedding.embed_beside(connection, into.id, face_id, new.beside)


def remove(connection: Connection, gallery_id: UUID, face_id: UUID) -> None:
    connection.execute(delete(face).where(face.c.gallery_id == gallery_id, face.c.id == face_id))


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


def image_owner(
    connection: Connection, gallery_id: UUID, image_sha256: bytes, besides: UUID | None
) -> str | None:
    """The external id of a subject with that photograph; the face `besides` does not count."""
    owners = (
        select(subject.c.external_id)
        .join(
            face, (face.c.gallery_id == subject.c.gallery_id) & (face.c.subject_id == subject.c.id)
        )
        .where(face.c.gallery_id == gallery_id, face.c.image_sha256 == image_sha256)
        .order_by(subject.c.external_id)
        .limit(1)
    )
    if besides is not None:
        owners = owners.where(face.c.id != besides)
    owner: str | None = connection.scalar(owners)
    return owner


def of_subject(
    connection: Connection,
    into: Gallery,
    subject_id: UUID,
    after: UUID | None,
    limit: int | None,
    *,
    embeddings: bool,
) -> list[Face]:
    """By id, which is the order of their enrolment; those after that one."""
    page = _shown(into, embeddings=embeddings).where(face.c.subject_id == subject_id)
    if after is not None:
        page = page.where(face.c.id > after)
    return [_face(row) for row in connection.execute(page.order_by(face.c.id).limit(limit))]


def read(connection: Connection, into: Gallery, face_id: UUID, *, embeddings: bool) -> Face | None:
    shown = _shown(into, embeddings=embeddings).where(face.c.id == face_id)
    row = connection.execute(shown).one_or_none()
    return None if row is None else _face(row)


def _shown(into: Gallery, *, embeddings: bool) -> Select[Any]:
    embedding = (
        select(func.vector_send(face_embedding.c.vec, type_=LargeBinary))
        .where(
            face_embedding.c.gallery_id == face.c.gallery_id,
            face_embedding.c.face_id == face.c.id,
            face_embedding.c.space_id == into.space_id,
        )
        .scalar_subquery()
    )
    return (
        select(
            face.c.id,
            subject.c.external_id,
            face.c.created_at,
            face.c.created_by,
            face.c.image_name,
            face.c.image_sha256,
            face.c.box,
            face.c.quality,
            (embedding if embeddings else null()).label("vec"),
        )
        .join(
            subject,
            (subject.c.gallery_id == face.c.gallery_id) & (subject.c.id == face.c.subject_id),
        )
        .where(face.c.gallery_id == into.id)
    )


def _face(row: Row[Any]) -> Face:
    return Face(
        id=row.id,
        external_id=row.external_id,
        created_at=row.created_at,
        created_by=row.created_by,
        image_name=row.image_name,
        image_sha256=row.image_sha256,
        box=None if row.box is None else Box(*row.box),
        quality=_quality(row.quality),
        embedding=None if row.vec is None else vectors.received(row.vec),
    )


def _quality(rated: Any) -> Quality | None:
    """None for what is no rating of ours: the column takes any JSON."""
    names = {field.name for field in fields(Quality)}
    try:
        numbers = {name: float(value) for name, value in rated.items() if value is not None}
        return Quality(**{name: numbers[name] for name in names & numbers.keys()})
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None


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
