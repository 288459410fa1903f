"""SQL of subjects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    Connection,
    Row,
    and_,
    any_,
    cast,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.sql import bindparam
from sqlalchemy.types import Boolean, Uuid

from service.domain.subjects import NOTHING, Metadata, NewSubject, Subject
from service.errors import SubjectExists
from service.store import consents
from service.store.tables import face, subject

ALIVE = and_(
    or_(subject.c.expires_at.is_(None), subject.c.expires_at > func.now()),
    ~literal_column(consents.ENDED_FOR.format(subject="subject"), Boolean),
)
"""Neither expired nor left without the consent it once had, by the database's clock."""

FACES = (
    select(func.count())
    .select_from(face)
    .where(face.c.gallery_id == subject.c.gallery_id, face.c.subject_id == subject.c.id)
    .scalar_subquery()
)
SUBJECTS = select(
    subject.c.id,
    subject.c.external_id,
    subject.c.metadata,
    subject.c.created_at,
    subject.c.expires_at,
    (~ALIVE).label("expired"),
    FACES.label("faces"),
)

# what `into` has already stays behind: the same photograph, or the same embedding where a
# photograph is not known; the very rule of enrolment
MOVE = text("""
UPDATE face f SET subject_id = :into
 WHERE f.gallery_id = :gallery AND f.subject_id = :other
   AND NOT EXISTS (SELECT FROM face t WHERE t.subject_id = :into
                                        AND t.image_sha256 = f.image_sha256)
   AND (f.image_sha256 IS NOT NULL OR NOT EXISTS (
     SELECT FROM face_embedding e, face t, face_embedding te
      WHERE e.gallery_id = f.gallery_id AND e.face_id = f.id
        AND t.gallery_id = f.gallery_id AND t.subject_id = :into
        AND te.gallery_id = t.gallery_id AND te.face_id = t.id
        AND te.space_id = e.space_id AND vector_send(te.vec) = vector_send(e.vec)))
""").bindparams(*(bindparam(name, type_=Uuid()) for name in ("gallery", "into", "other")))

MOVE_CONSENTS = text(
    "UPDATE consent SET subject_id = :into WHERE gallery_id = :gallery AND subject_id = :other"
)
# else what waits for the other would make it anew, or be thrown away with it
MOVE_ITEMS = text("""
UPDATE import_item i SET external_id = into_.external_id
  FROM import_job j, subject into_, subject other
 WHERE i.job_id = j.id AND j.gallery_id = :gallery AND i.external_id = other.external_id
   AND into_.id = :into AND other.id = :other
""")


def add(
    connection: Connection, gallery_id: UUID, external_id: str, metadata: Metadata = NOTHING
) -> UUID:
    """A refusal leaves the transaction usable, as bulk work needs it."""
    values = {"gallery_id": gallery_id, "external_id": external_id, "metadata": dict(metadata)}
    return _added(connection, values)


def create(connection: Connection, gallery_id: UUID, new: NewSubject) -> UUID:
    """As `add`."""
    return _added(connection, {"gallery_id": gallery_id, **_columns(new)})


def _added(connection: Connection, values: dict[str, object]) -> UUID:
    subject_id: UUID | None = connection.scalar(
        insert(subject)
        .values(values)
        .on_conflict_do_nothing(constraint="uq_subject_gallery_id_external_id")
        .returning(subject.c.id)
    )
    if subject_id is None:
        raise SubjectExists(str(values["external_id"]))
    return subject_id


def _columns(new: NewSubject) -> dict[str, object]:
    return {
        "external_id": new.external_id,
        "metadata": dict(new.metadata),
        "expires_at": new.expires_at,
    }


def find(connection: Connection, gallery_id: UUID, external_id: str) -> UUID | None:
    subject_id: UUID | None = connection.scalar(
        select(subject.c.id).where(
            subject.c.gallery_id == gallery_id, subject.c.external_id == external_id
        )
    )
    return subject_id


def read(
    connection: Connection, gallery_id: UUID, external_id: str, *, lock: bool = False
) -> Subject | None:
    """With `lock`, nobody else changes it or adds a face before this transaction ends."""
    named = and_(subject.c.gallery_id == gallery_id, subject.c.external_id == external_id)
    if lock:
        # a statement of its own: what is read after it is what was committed before it
        connection.execute(select(subject.c.id).where(named).with_for_update())
    row = connection.execute(SUBJECTS.where(named)).one_or_none()
    return None if row is None else _subject(row)


def listed(
    connection: Connection,
    gallery_id: UUID,
    after: str | None,
    limit: int,
    containing: Metadata | None,
) -> list[Subject]:
    page = SUBJECTS.where(subject.c.gallery_id == gallery_id)
    if after is not None:
        page = page.where(subject.c.external_id > after)
    if containing:
        # the second says nothing new, but that the index may be used
        wanted = cast(literal(dict(containing), JSONB), JSONB)
        page = page.where(subject.c.metadata.contains(wanted), subject.c.metadata != text("'{}'"))
    rows = connection.execute(page.order_by(subject.c.external_id).limit(limit))
    return [_subject(row) for row in rows]


def _subject(row: Row[tuple[object, ...]]) -> Subject:
    return Subject(**row._mapping)


def change(connection: Connection, subject_id: UUID, to: NewSubject) -> None:
    connection.execute(update(subject).where(subject.c.id == subject_id).values(_columns(to)))


def merge(connection: Connection, gallery_id: UUID, into: UUID, other: UUID) -> int:
    """See `ports.Transaction.merge_subject`."""
    both = {"gallery": gallery_id, "into": into, "other": other}
    moved = connection.execute(MOVE, both)
    connection.execute(MOVE_CONSENTS, both)
    connection.execute(MOVE_ITEMS, both)
    metadata = select(subject.c.metadata).where(subject.c.id == other).scalar_subquery()
    connection.execute(
        update(subject)
        .where(subject.c.id == into)
        .values(metadata=metadata.concat(subject.c.metadata))
    )
    connection.execute(delete(subject).where(subject.c.id == other))
    return moved.rowcount


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
        select(subject.c.id, subject.c.external_id).where(subject.c.id == any_(wanted), ALIVE)
    )
    return {row.id: row.external_id for row in rows}


def count(connection: Connection, gallery_id: UUID) -> int:
    counted = select(func.count()).select_from(subject).where(subject.c.gallery_id == gallery_id)
    return int(connection.scalar(counted) or 0)
