"""SQL of kept photographs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text, update

from service.domain.photographs import Keeping, KeptPhotograph, Sealed, Sealing
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


def forget(connection: Connection, face_id: UUID) -> None:
    connection.execute(delete(kept_photograph).where(columns.face_id == face_id))


def keep(connection: Connection, gallery_id: UUID, face_id: UUID, seals: Sealing | None) -> None:
    """Of a face of which nothing is kept. What the gallery does not keep is not put there:
    `photograph_kept` sees to it."""
    if seals is None:
        return
    sealed = seals(gallery_id, face_id)
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


def sealed_otherwise(
    connection: Connection, key_id: str, after: UUID | None, limit: int
) -> list[KeptPhotograph]:
    page = KEPT.where(columns.key_id != key_id)
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


# Two ways to be another kind, each in the order of the index: its first rows are all that is read.
UNKEPT = """
  FROM gallery g CROSS JOIN LATERAL (
    (SELECT face_id FROM kept_photograph
      WHERE gallery_id = g.id AND kind < g.keep_photographs ORDER BY gallery_id, kind {most})
    UNION ALL
    (SELECT face_id FROM kept_photograph
      WHERE gallery_id = g.id AND kind > g.keep_photographs ORDER BY gallery_id, kind {most})) k
 WHERE (CAST(:gallery AS uuid) IS NULL OR g.id = :gallery)
"""
COUNT_UNKEPT = text(f"SELECT count(*) {UNKEPT.format(most='')}")
DELETE_UNKEPT = text(f"""
DELETE FROM kept_photograph WHERE face_id = ANY (ARRAY(
  SELECT face_id FROM kept_photograph WHERE face_id = ANY (ARRAY(
    SELECT k.face_id {UNKEPT.format(most="LIMIT :limit")} LIMIT :limit))
  FOR UPDATE SKIP LOCKED))
""")
# those who enrol hold it together: see photograph_kept
ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('facematch photographs ' || :id, 0))")
ALONE_WAIT_MS = 500
"""Whoever enrols meanwhile has to wait as long."""


def await_keepers(connection: Connection, gallery_id: UUID) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {ALONE_WAIT_MS}")
    connection.execute(ALONE, {"id": str(gallery_id)})


def count_unkept(connection: Connection, gallery_id: UUID) -> int:
    return int(connection.scalar(COUNT_UNKEPT, {"gallery": gallery_id}) or 0)


def delete_unkept(connection: Connection, gallery_id: UUID | None, limit: int) -> int:
    return connection.execute(DELETE_UNKEPT, {"gallery": gallery_id, "limit": limit}).rowcount


def keeping(connection: Connection) -> list[str]:
    """The names of the galleries that keep photographs."""
    keep = gallery.c.keep_photographs != Keeping.NONE.value
    return list(connection.scalars(select(gallery.c.name).where(keep).order_by(gallery.c.name)))


def _photograph(row: Row[Any]) -> KeptPhotograph:
    sealed = Sealed(Keeping(row.kind), row.key_id, row.sealed)
    return KeptPhotograph(row.face_id, row.gallery_id, row.image_sha256, sealed)
