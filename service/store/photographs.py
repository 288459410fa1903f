"""SQL of kept photographs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from service.domain.photographs import Keeping, KeptPhotograph, Sealed
from service.store.tables import face, kept_photograph

KEPT = (
    select(
        kept_photograph.c.face_id,
        kept_photograph.c.gallery_id,
        kept_photograph.c.kind,
        kept_photograph.c.key_id,
        kept_photograph.c.sealed,
        face.c.image_sha256,
    )
    .join(
        face,
        (face.c.gallery_id == kept_photograph.c.gallery_id)
        & (face.c.id == kept_photograph.c.face_id),
    )
    # SQL may take a face its hash, and with it what the content is bound to
    .where(face.c.image_sha256.is_not(None))
)


def keep(connection: Connection, gallery_id: UUID, face_id: UUID, sealed: Sealed | None) -> None:
    """In the place of what is kept of that face, nothing for None. What the gallery does not keep
    any more is dropped again by the commit."""
    connection.execute(delete(kept_photograph).where(kept_photograph.c.face_id == face_id))
    if sealed is None:
        return
    connection.execute(
        insert(kept_photograph).values(
            face_id=face_id,
            gallery_id=gallery_id,
            kind=sealed.kind.value,
            key_id=sealed.key_id,
            sealed=sealed.content,
        )
    )


def read(connection: Connection, gallery_id: UUID, face_id: UUID) -> KeptPhotograph | None:
    wanted = KEPT.where(
        kept_photograph.c.gallery_id == gallery_id, kept_photograph.c.face_id == face_id
    )
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _kept(row)


def sealed_otherwise(
    connection: Connection, key_id: str, after: UUID | None, limit: int
) -> list[KeptPhotograph]:
    page = KEPT.where(kept_photograph.c.key_id != key_id)
    if after is not None:
        page = page.where(kept_photograph.c.face_id > after)
    rows = connection.execute(page.order_by(kept_photograph.c.face_id).limit(limit))
    return [_kept(row) for row in rows]


def count_of(connection: Connection, gallery_id: UUID) -> dict[str, int]:
    rows = connection.execute(
        select(kept_photograph.c.key_id, func.count())
        .where(kept_photograph.c.gallery_id == gallery_id)
        .group_by(kept_photograph.c.key_id)
        .order_by(kept_photograph.c.key_id)
    )
    return {row[0]: row[1] for row in rows}


def count(connection: Connection, key_id: str) -> tuple[int, int]:
    own = func.count().filter(kept_photograph.c.key_id == key_id)
    row = connection.execute(select(own, func.count() - own).select_from(kept_photograph)).one()
    return row[0], row[1]


def seal_anew(connection: Connection, sealed: Sequence[tuple[KeptPhotograph, Sealed]]) -> int:
    changed = 0
    for before, after in sealed:
        done = connection.execute(
            update(kept_photograph)
            .where(
                kept_photograph.c.face_id == before.face_id,
                kept_photograph.c.sealed == before.sealed.content,
            )
            .values(key_id=after.key_id, sealed=after.content)
        )
        changed += done.rowcount
    return changed


def _kept(row: Row[*tuple[Any, ...]]) -> KeptPhotograph:
    sealed = Sealed(Keeping(row.kind), row.key_id, row.sealed)
    return KeptPhotograph(row.face_id, row.gallery_id, row.image_sha256, sealed)
