"""SQL of subjects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, any_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql import bindparam
from sqlalchemy.types import Uuid

from service.errors import SubjectExists
from service.store.tables import subject


def add(connection: Connection, gallery_id: UUID, external_id: str) -> UUID:
    """A refusal leaves the transaction usable, as bulk work needs it."""
    subject_id: UUID | None = connection.scalar(
        insert(subject)
        .values(gallery_id=gallery_id, external_id=external_id)
        .on_conflict_do_nothing(constraint="uq_subject_gallery_id_external_id")
        .returning(subject.c.id)
    )
    if subject_id is None:
        raise SubjectExists(external_id)
    return subject_id


def find(connection: Connection, gallery_id: UUID, external_id: str) -> UUID | None:
    subject_id: UUID | None = connection.scalar(
        select(subject.c.id).where(
            subject.c.gallery_id == gallery_id, subject.c.external_id == external_id
        )
    )
    return subject_id


def remove(connection: Connection, gallery_id: UUID, external_id: str) -> bool:
    deleted = connection.execute(
        delete(subject).where(
            subject.c.gallery_id == gallery_id, subject.c.external_id == external_id
        )
    )
    return deleted.rowcount > 0


def names(connection: Connection, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
    if not subject_ids:
        return {}
    wanted = bindparam("wanted", list(subject_ids), ARRAY(Uuid))
    rows = connection.execute(
        select(subject.c.id, subject.c.external_id).where(
            subject.c.id == any_(wanted),
            or_(subject.c.expires_at.is_(None), subject.c.expires_at > func.now()),
        )
    )
    return {row.id: row.external_id for row in rows}


def count(connection: Connection, gallery_id: UUID) -> int:
    counted = select(func.count()).select_from(subject).where(subject.c.gallery_id == gallery_id)
    return int(connection.scalar(counted) or 0)
