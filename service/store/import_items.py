"""SQL of bulk imports' items: spooled, named, listed, removed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Connection,
    Text,
    bindparam,
    case,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Integer, LargeBinary

from service.domain.consents import Consent, told
from service.domain.imports import (
    ItemStatus,
    ListedItem,
    ManifestRow,
    NewItem,
    Reason,
)
from service.spool import Photographs
from service.store.tables import import_item

ENROLLED = text("""
SELECT p.number
  FROM unnest(:numbers, :names, :digests) AS p (number, name, digest)
  JOIN import_job j ON j.id = :job
  JOIN subject s ON s.gallery_id = j.gallery_id AND s.external_id = p.name
  JOIN face f ON f.subject_id = s.id AND f.image_sha256 = p.digest
""").bindparams(
    bindparam("numbers", type_=ARRAY(Integer)),
    bindparam("names", type_=ARRAY(Text)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
)

NAME = text("""
UPDATE import_item i SET external_id = r.name, metadata = r.metadata, consent = r.consent
  FROM unnest(:files, :names, CAST(:metadata AS jsonb[]), CAST(:consents AS jsonb[]))
    AS r (file, name, metadata, consent)
 WHERE i.job_id = :job AND i.status = 'waiting' AND i.external_id IS NULL AND i.file = r.file
RETURNING i.file
""").bindparams(
    bindparam("files", type_=ARRAY(Text)),
    bindparam("names", type_=ARRAY(Text)),
    bindparam("metadata", type_=ARRAY(JSONB)),
    bindparam("consents", type_=ARRAY(JSONB(none_as_null=True))),
)

# what is left of an item when its content has gone
EMPTIED = """photograph = NULL, image_sha256 = NULL, embedding = NULL, metadata = NULL,
       consent = NULL, claimed_by = NULL, claimed_until = NULL, done_at = clock_timestamp()"""

REFUSE = text(f"""
UPDATE import_item i SET status = 'rejected', code = r.code, reason = r.reason, {EMPTIED}
  FROM unnest(:files, :codes, :reasons) AS r (file, code, reason)
 WHERE i.job_id = :job AND i.status = 'waiting' AND i.external_id IS NULL AND i.file = r.file
RETURNING i.file
""").bindparams(
    bindparam("files", type_=ARRAY(Text)),
    bindparam("codes", type_=ARRAY(Text)),
    bindparam("reasons", type_=ARRAY(Text)),
)

REFUSE_UNNAMED = text(f"""
UPDATE import_item SET status = 'rejected', code = :code, reason = :reason, {EMPTIED}
 WHERE job_id = :job AND status = 'waiting' AND external_id IS NULL
""")

EMPTY = text(f"""
WITH left_over AS MATERIALIZED (
  SELECT number FROM import_item WHERE job_id = :job AND status = 'waiting'
   ORDER BY number LIMIT :limit)
UPDATE import_item i SET status = 'cancelled', {EMPTIED}
  FROM left_over
 WHERE i.job_id = :job AND i.number = left_over.number AND i.status = 'waiting'
""")

REMOVE = text("""
WITH left_over AS MATERIALIZED (
  SELECT number FROM import_item WHERE job_id = :job ORDER BY number LIMIT :limit)
DELETE FROM import_item i USING left_over
 WHERE i.job_id = :job AND i.number = left_over.number
""")


ADD = insert(import_item).values(
    done_at=case((bindparam("settled", type_=Boolean), func.now()), else_=None)
)


def add(connection: Connection, job_id: UUID, items: Sequence[NewItem]) -> None:
    connection.execute(ADD, [_row(job_id, item) for item in items])


def _row(job_id: UUID, item: NewItem) -> dict[str, Any]:
    done = item.status is not ItemStatus.WAITING
    return {
        "job_id": job_id,
        "number": item.number,
        "file": item.file,
        "external_id": item.external_id,
        "metadata": None if done or item.metadata is None else dict(item.metadata),
        "consent": None if done else _told(item.consent),
        "photograph": None if done else item.photograph,
        "image_sha256": None if done else item.image_sha256,
        "embedding": None if done else item.embedding,
        "status": item.status,
        "code": item.reason and item.reason.code,
        "reason": item.reason and item.reason.text,
        "settled": done,
    }


def _told(given: Consent | None) -> dict[str, Any] | None:
    return None if given is None else told(given)


FORGET = text(f"""
UPDATE import_item i
   SET status = 'rejected', code = :code, reason = :reason, file = NULL, external_id = NULL,
       {EMPTIED}
  FROM import_job j
 WHERE i.job_id = j.id AND j.gallery_id = :gallery AND i.external_id = :name
   AND i.status = 'waiting'
""")


def forget(connection: Connection, gallery_id: UUID, external_id: str, why: Reason) -> None:
    """As the trigger audit_clear does where there is a subject of that id."""
    values = {"gallery": gallery_id, "name": external_id, "code": why.code, "reason": why.text}
    connection.execute(FORGET, values)


def enrolled(connection: Connection, job_id: UUID, photographs: Photographs) -> set[int]:
    values = {
        "job": job_id,
        "numbers": list(photographs),
        "names": [name for name, _ in photographs.values()],
        "digests": [digest for _, digest in photographs.values()],
    }
    return set(connection.scalars(ENROLLED, values))


def unname(connection: Connection, job_id: UUID) -> None:
    connection.execute(
        update(import_item)
        .where(import_item.c.job_id == job_id, import_item.c.status == ItemStatus.WAITING)
        .values(external_id=None, metadata=None, consent=None)
    )


def name(connection: Connection, job_id: UUID, rows: Sequence[ManifestRow]) -> set[str]:
    values = {
        "job": job_id,
        "files": [row.file for row in rows],
        "names": [row.external_id for row in rows],
        "metadata": [dict(row.metadata) for row in rows],
        "consents": [_told(row.consent) for row in rows],
    }
    return set(connection.scalars(NAME, values))


def refuse(connection: Connection, job_id: UUID, reasons: Mapping[str, Reason]) -> set[str]:
    values = {
        "job": job_id,
        "files": list(reasons),
        "codes": [reason.code for reason in reasons.values()],
        "reasons": [reason.text for reason in reasons.values()],
    }
    return set(connection.scalars(REFUSE, values))


def refuse_unnamed(connection: Connection, job_id: UUID, reason: Reason) -> None:
    connection.execute(REFUSE_UNNAMED, {"job": job_id, "code": reason.code, "reason": reason.text})


def empty(connection: Connection, job_id: UUID, limit: int) -> int:
    return connection.execute(EMPTY, {"job": job_id, "limit": limit}).rowcount


def remove(connection: Connection, job_id: UUID, limit: int) -> int:
    return connection.execute(REMOVE, {"job": job_id, "limit": limit}).rowcount


def listed(
    connection: Connection, job_id: UUID, status: ItemStatus | None, after: int, limit: int
) -> list[ListedItem]:
    columns = import_item.c
    page = (
        select(
            columns.number,
            columns.file,
            columns.external_id,
            columns.status,
            columns.code,
            columns.reason,
            columns.face_id,
            columns.done_at,
        )
        .where(columns.job_id == job_id, columns.number > after)
        .order_by(columns.number)
        .limit(limit)
    )
    if status is not None:
        page = page.where(columns.status == status)
    return [
        ListedItem(
            number=row.number,
            file=row.file,
            external_id=row.external_id,
            status=ItemStatus(row.status),
            reason=None if row.code is None else Reason(row.code, row.reason),
            face_id=row.face_id,
            done_at=row.done_at,
        )
        for row in connection.execute(page)
    ]
