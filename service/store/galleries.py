"""SQL of galleries and their versions."""

from dataclasses import asdict
from typing import cast
from uuid import UUID

import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    collate,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from service.domain.audit import SearchPolicy
from service.domain.embeddings import EmbeddingSpace
from service.domain.galleries import (
    Change,
    EnrolmentGates,
    Gallery,
    GalleryRules,
    GallerySettings,
    GalleryVersion,
    OtherSpace,
    touched_since,
)
from service.domain.photographs import Keeping
from service.errors import GalleryExists, GalleryMoved, GalleryNotReady
from service.store import calibrations, spaces
from service.store.connections import Read, Row, allow_long
from service.store.tables import (
    embedding_space,
    gallery,
    gallery_calibration,
    gallery_change,
    import_item,
    import_job,
    reembedding,
    subject,
)

GALLERIES = select(
    gallery.c.id,
    gallery.c.name,
    gallery.c.space_id,
    gallery.c.threshold,
    gallery.c.max_faces,
    gallery.c.max_faces_per_subject,
    gallery.c.subject_lifetime_s,
    gallery.c.gates,
    gallery.c.audit_searches,
    gallery.c.consent_required,
    gallery.c.unmatched_lifetime_s,
    gallery.c.keep_photographs,
    gallery.c.version,
    gallery.c.mark,
    gallery.c.created_at,
    gallery.c.updated_at,
    *spaces.columns(embedding_space, "space_"),
    *calibrations.columns(gallery_calibration, "calibration_"),
    reembedding.c.space_id.label("other_id"),
    reembedding.c.threshold.label("other_threshold"),
    reembedding.c.started_at,
    reembedding.c.switched_at,
).select_from(
    gallery.join(embedding_space, embedding_space.c.id == gallery.c.space_id)
    .outerjoin(
        gallery_calibration,
        and_(
            gallery_calibration.c.gallery_id == gallery.c.id,
            gallery_calibration.c.space_id == gallery.c.space_id,
        ),
    )
    .outerjoin(reembedding, reembedding.c.gallery_id == gallery.c.id)
)
# few galleries have one, and only for a while: with it joined, finding any took twice the time
OTHER = (
    select(
        *spaces.columns(embedding_space, "space_"),
        *calibrations.columns(gallery_calibration, "calibration_"),
    )
    .select_from(embedding_space)
    .outerjoin(
        gallery_calibration,
        and_(
            gallery_calibration.c.gallery_id == bindparam("of"),
            gallery_calibration.c.space_id == embedding_space.c.id,
        ),
    )
    .where(embedding_space.c.id == bindparam("space"))
)

# built once: making a statement and its key takes longer than the database takes to answer it
NAMED = GALLERIES.where(gallery.c.name == bindparam("called"))

DELETED = "The gallery was deleted at this moment; try again."

BY_NAME = collate(gallery.c.name, "C")


def find(connection: Connection, name: str, *, lock: bool = False) -> Gallery | None:
    """With `lock`, nobody else changes the gallery or its faces before this transaction ends."""
    if lock:
        # not FOR UPDATE: every writer's changes refer to the gallery, and whoever waits for all of
        # them to let go of it at once waits as long as there are any
        named = select(gallery.c.id).where(gallery.c.name == name)
        connection.execute(named.with_for_update(key_share=True))
    row = connection.execute(NAMED, {"called": name}).mappings().one_or_none()
    return None if row is None else _gallery(connection, row)


def listed(
    connection: Connection, after: str | None, limit: int, among: frozenset[UUID] | None
) -> list[Gallery]:
    """By name, code point order; `among` None means all."""
    page = GALLERIES.order_by(BY_NAME).limit(limit)
    if after is not None:
        page = page.where(after < BY_NAME)
    if among is not None:
        page = page.where(gallery.c.id.in_(among))
    return [_gallery(connection, row) for row in connection.execute(page).mappings()]


def of_subject(
    connection: Connection, external_id: str, among: frozenset[UUID] | None
) -> list[Gallery]:
    having = select(subject.c.gallery_id).where(subject.c.external_id == external_id)
    awaiting = (
        select(import_job.c.gallery_id)
        .join(import_item, import_item.c.job_id == import_job.c.id)
        .where(import_item.c.external_id == external_id, import_item.c.status == "waiting")
    )
    found = GALLERIES.where(gallery.c.id.in_(having.union(awaiting))).order_by(gallery.c.id)
    if among is not None:
        found = found.where(gallery.c.id.in_(among))
    return [_gallery(connection, row) for row in connection.execute(found).mappings()]


def create(
    connection: Connection, name: str, space: EmbeddingSpace, settings: GallerySettings
) -> Gallery:
    """The gallery of that name, made where there is none."""
    existing = find(connection, name)
    if existing is not None:
        return existing
    try:
        return add(connection, name, space, settings)
    except GalleryExists:
        created = find(connection, name)
    if created is None:
        raise GalleryNotReady(DELETED)
    return created


def add(
    connection: Connection, name: str, space: EmbeddingSpace, settings: GallerySettings
) -> Gallery:
    """A new gallery; raises GalleryExists and leaves the transaction usable."""
    gallery_id: UUID | None = connection.scalar(
        insert(gallery)
        .values(name=name, space_id=spaces.ensure(connection, space), **_columns(settings))
        .on_conflict_do_nothing(constraint="uq_gallery_name")
        .returning(gallery.c.id)
    )
    made = None if gallery_id is None else _one(connection, gallery.c.id == gallery_id)
    if made is None:
        raise GalleryExists(name)
    return made


def change(connection: Connection, gallery_id: UUID, settings: GallerySettings) -> None:
    connection.execute(
        update(gallery).where(gallery.c.id == gallery_id).values(**_columns(settings))
    )


def remove(connection: Connection, gallery_id: UUID) -> None:
    """Everything in it goes by cascades, a row at a time, some ten thousand a second."""
    allow_long(connection)
    # plans from when the tables were small would look at every row for each of them
    connection.exec_driver_sql("DISCARD PLANS")
    connection.execute(delete(gallery).where(gallery.c.id == gallery_id))


def _columns(settings: GallerySettings) -> dict[str, object]:
    rules = settings.rules
    return {
        "threshold": settings.threshold,
        "max_faces": settings.max_faces,
        "max_faces_per_subject": rules.max_faces_per_subject,
        "subject_lifetime_s": rules.subject_lifetime_s,
        "gates": asdict(rules.gates),
        "audit_searches": rules.audit_searches.value,
        "consent_required": rules.consent_required,
        "unmatched_lifetime_s": rules.unmatched_lifetime_s,
        "keep_photographs": rules.keep_photographs.value,
    }


def _one(connection: Connection, condition: ColumnElement[bool]) -> Gallery | None:
    row = connection.execute(GALLERIES.where(condition)).mappings().one_or_none()
    return None if row is None else _gallery(connection, row)


def _gallery(connection: Connection, row: RowMapping) -> Gallery:
    return of_row(row, lambda what, of: connection.execute(what, of).mappings().one_or_none())


def of_row(row: Row, read: Read) -> Gallery:
    """From a row that has the columns of `GALLERIES`; `read` reads one more, or finds none."""
    return Gallery(
        id=row["id"],
        name=row["name"],
        space_id=row["space_id"],
        space=spaces.of_row(row, "space_"),
        threshold=row["threshold"],
        max_faces=row["max_faces"],
        version=GalleryVersion(row["version"], row["mark"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        rules=GalleryRules(
            max_faces_per_subject=row["max_faces_per_subject"],
            subject_lifetime_s=row["subject_lifetime_s"],
            gates=EnrolmentGates(**row["gates"]),
            unmatched_lifetime_s=row["unmatched_lifetime_s"],
            consent_required=row["consent_required"],
            audit_searches=SearchPolicy(row["audit_searches"]),
            keep_photographs=Keeping(row["keep_photographs"]),
        ),
        calibration=calibrations.of_row(row, "calibration_"),
        other=_other(row, read),
    )


def _other(row: Row, read: Read) -> OtherSpace | None:
    if row["other_id"] is None:
        return None
    found = read(OTHER, {"of": row["id"], "space": row["other_id"]})
    if found is None:
        raise GalleryMoved  # the space was found to be another one that is known; see `spaces`
    return OtherSpace(
        space_id=row["other_id"],
        space=spaces.of_row(found, "space_"),
        threshold=row["other_threshold"],
        started_at=row["started_at"],
        switched_at=row["switched_at"],
        calibration=calibrations.of_row(found, "calibration_"),
    )


def knows(connection: Connection, gallery_id: UUID, version: GalleryVersion) -> bool:
    """Whether that version with that mark is in the gallery's history, as far as it is kept."""
    at_head = select(gallery.c.id).where(
        gallery.c.id == gallery_id,
        gallery.c.version == version.number,
        gallery.c.mark == version.mark,
    )
    kept = select(gallery_change.c.id).where(
        gallery_change.c.gallery_id == gallery_id,
        gallery_change.c.version == version.number,
        gallery_change.c.mark == version.mark,
    )
    return bool(connection.scalar(select(or_(at_head.exists(), kept.exists()))))


# by name, so that whoever has waited does not find it; nobody overtakes whoever waits for a lock
ENTER, CLEAR = (
    text(f"SELECT {function}(hashtextextended('facematch gallery named ' || :name, 0))")
    for function in ("pg_advisory_xact_lock_shared", "pg_advisory_xact_lock")
)


def enter(connection: Connection, name: str) -> None:
    connection.execute(ENTER, {"name": name})


def clear(connection: Connection, name: str) -> None:
    connection.execute(CLEAR, {"name": name})


# the queue in which the feed's trigger has its writers wait
HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('facematch gallery ' || :id, 0))")


def hold(connection: Connection, gallery_id: UUID) -> None:
    """Nobody else commits a change of its faces before this transaction ends."""
    connection.execute(HOLD, {"id": str(gallery_id)})


def changed_faces(
    connection: Connection, gallery_id: UUID, since: GalleryVersion, most: int
) -> frozenset[UUID] | None:
    """See `ports.Transaction.changed_faces`."""
    columns = gallery_change.c
    head = select(gallery.c.version, gallery.c.mark).where(gallery.c.id == gallery_id)
    row = connection.execute(head).one_or_none()
    if row is None:
        raise GalleryNotReady(DELETED)
    number, mark = row
    if number - since.number > most:
        return None
    here = columns.gallery_id == gallery_id
    chain = connection.execute(
        select(columns.version, columns.mark, columns.prev_mark, func.bool_or(columns.everything))
        .where(here, columns.version > since.number)
        .group_by(columns.version, columns.mark, columns.prev_mark)
        .order_by(columns.version)
    )
    changes = [
        Change(GalleryVersion(version, mark), previous, (), everything)
        for version, mark, previous, everything in chain
    ]
    if touched_since(since, changes, GalleryVersion(number, mark)) is None:
        return None
    # those without a version are this transaction's own: of others' none can be seen
    faces = select(func.unnest(columns.faces)).distinct()
    return frozenset(
        connection.scalars(
            faces.where(here, or_(columns.version > since.number, columns.version.is_(None)))
        )
    )


def made_version(connection: Connection, gallery_id: UUID) -> GalleryVersion:
    """Both statements travel at once: SQLAlchemy has no way to say that, the driver has."""
    driver = cast("psycopg.Connection[tuple[int, UUID]]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS feed_number, subject_limit IMMEDIATE;"
            f"SELECT version, mark FROM gallery WHERE id = '{gallery_id}'"
        )
        cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        raise GalleryNotReady(DELETED)
    return GalleryVersion(*row)


# an embedding as it is stored, which does not fetch it; what else its row holds is of fixed size
SIZE = text("""
SELECT (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM subject t WHERE gallery_id = :gallery)
     + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM face t WHERE gallery_id = :gallery)
     + (SELECT coalesce(sum(pg_column_size(vec) + 72), 0) FROM face_embedding
         WHERE gallery_id = :gallery)
""")


def size(connection: Connection, gallery_id: UUID) -> int:
    """See `ports.Transaction.gallery_bytes`."""
    return int(connection.scalar(SIZE, {"gallery": gallery_id}) or 0)
