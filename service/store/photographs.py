"""SQL of kept photographs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from service.domain.photographs import Keeping, KeptPhotograph, Sealed
from service.store.tables import face, gallery, kept_photograph

columns = kept_photograph.c


def _kept(*wanted: Any) -> Select[Any]:
    """Of those that their gallery keeps: what it does not keep any more only waits for its end."""
    return (
        select(*wanted)
        .join(face, (face.c.gallery_id == columns.gallery_id) & (face.c.id == columns.face_id))
        .join(gallery, gallery.c.id == columns.gallery_id)
        # what it is bound to: without that it cannot be opened
        .where(columns.kind == gallery.c.keep_photographs, face.c.image_sha256.is_not(None))
    )


KEPT = _kept(
    columns.face_id,
    columns.gallery_id,
    columns.kind,
    columns.key_id,
    columns.sealed,
    face.c.image_sha256,
)


def keep(connection: Connection, gallery_id: UUID, face_id: UUID, sealed: Sealed | None) -> None:
    """In the place of what is kept of that face, nothing for None. What the gallery does not keep
    is not put there: `photograph_kept` sees to it."""
    connection.execute(delete(kept_photograph).where(columns.face_id == face_id))
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
    wanted = KEPT.where(columns.gallery_id == gallery_id, columns.face_id == face_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _photograph(row)


def listed(
    connection: Connection, gallery_id: UUID, after: UUID | None, limit: int
) -> list[KeptPhotograph]:
    return _page(connection, KEPT.where(columns.gallery_id == gallery_id), after, limit)


def sealed_otherwise(
    connection: Connection, key_id: str, after: UUID | None, limit: int
) -> list[KeptPhotograph]:
    return _page(connection, KEPT.where(columns.key_id != key_id), after, limit)


def _page(
    connection: Connection, page: Select[Any], after: UUID | None, limit: int
) -> list[KeptPhotograph]:
    if after is not None:
        page = page.where(columns.face_id > after)
    rows = connection.execute(page.order_by(columns.face_id).limit(limit))
    return [_photograph(row) for row in rows]


def count_of(connection: Connection, gallery_id: UUID) -> dict[str, int]:
    rows = connection.execute(
        _kept(columns.key_id, func.count())
        .where(columns.gallery_id == gallery_id)
        .group_by(columns.key_id)
        .order_by(columns.key_id)
    )
    return {row[0]: row[1] for row in rows}


def count(connection: Connection, key_id: str) -> tuple[int, int]:
    own = func.count().filter(columns.key_id == key_id)
    row = connection.execute(_kept(own, func.count() - own)).one()
    return row[0], row[1]


def seal_anew(connection: Connection, sealed: Sequence[tuple[KeptPhotograph, Sealed]]) -> int:
    changed = 0
    for before, after in sealed:
        done = connection.execute(
            update(kept_photograph)
            .where(
                columns.face_id == before.face_id,
                columns.sealed == before.sealed.content,
            )
            .values(key_id=after.key_id, sealed=after.content)
        )
        changed += done.rowcount
    return changed


def _photograph(row: Row[Any]) -> KeptPhotograph:
    sealed = Sealed(Keeping(row.kind), row.key_id, row.sealed)
    return KeptPhotograph(row.face_id, row.gallery_id, row.image_sha256, sealed)
