"""SQL of bulk imports' items: spooled, claimed, settled, listed."""

from collections.abc import Sequence
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
from sqlalchemy.types import Integer, LargeBinary, Uuid

from service.domain.imports import (
    ClaimedItem,
    ItemStatus,
    ListedItem,
    ManifestRow,
    NewItem,
    Payload,
    Reason,
    Verdict,
)
from service.spool import Photographs
from service.store.tables import import_item

TRUSTED = 2
"""Times that a worker may have died over an item before it is taken alone."""
LAST = 5
"""Times after which it is rejected."""
GIVEN_UP = Reason(
    "internal_error",
    f"Every worker that took it, {LAST} of them, ended before it was done; the log says more.",
)

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
UPDATE import_item i SET external_id = r.name, metadata = r.metadata
  FROM unnest(:files, :names, CAST(:metadata AS jsonb[])) AS r (file, name, metadata)
 WHERE i.job_id = :job AND i.status = 'waiting' AND i.external_id IS NULL AND i.file = r.file
RETURNING i.file
""").bindparams(
    bindparam("files", type_=ARRAY(Text)),
    bindparam("names", type_=ARRAY(Text)),
    bindparam("metadata", type_=ARRAY(JSONB)),
)

# what is left of an item when its content has gone
EMPTIED = """photograph = NULL, image_sha256 = NULL, embedding = NULL, metadata = NULL,
       claimed_by = NULL, claimed_until = NULL, done_at = clock_timestamp()"""

REFUSE_UNNAMED = text(f"""
UPDATE import_item SET status = 'rejected', code = :code, reason = :reason, {EMPTIED}
 WHERE job_id = :job AND status = 'waiting' AND external_id IS NULL
""")

# rows are chosen in WITH: a joined subquery may be run again for each row, with further ones
CLAIM = text("""
WITH free AS (
  SELECT number FROM import_item
   WHERE job_id = :job AND status = 'waiting' AND attempts >= :least AND attempts < :most
     AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
   ORDER BY number LIMIT :limit
     FOR UPDATE SKIP LOCKED)
UPDATE import_item i
   SET claimed_by = :worker, attempts = i.attempts + 1,
       claimed_until = clock_timestamp() + make_interval(secs => :lease)
  FROM free
 WHERE i.job_id = :job AND i.number = free.number
RETURNING i.number, i.file, i.external_id, i.metadata,
          EXISTS (SELECT FROM import_job j
                    JOIN subject s ON s.gallery_id = j.gallery_id
                                  AND s.external_id = i.external_id
                    JOIN face f ON f.subject_id = s.id AND f.image_sha256 = i.image_sha256
                   WHERE j.id = i.job_id) AS known
""")

HOLD = text("""
SELECT number FROM import_item
 WHERE job_id = :job AND number = ANY(:numbers) AND status = 'waiting' AND claimed_by = :worker
 ORDER BY number FOR UPDATE
""").bindparams(bindparam("numbers", type_=ARRAY(Integer)))

SETTLE = text(f"""
UPDATE import_item i
   SET status = v.status, code = v.code, reason = v.reason, face_id = v.face_id, {EMPTIED}
  FROM unnest(:numbers, :statuses, :codes, :reasons, :faces)
    AS v (number, status, code, reason, face_id)
 WHERE i.job_id = :job AND i.number = v.number AND i.status = 'waiting'
""").bindparams(
    bindparam("numbers", type_=ARRAY(Integer)),
    bindparam("statuses", type_=ARRAY(Text)),
    bindparam("codes", type_=ARRAY(Text)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("faces", type_=ARRAY(Uuid)),
)

RELEASE = text("""
UPDATE import_item
   SET claimed_by = NULL, claimed_until = NULL, attempts = greatest(attempts - 1, 0)
 WHERE job_id = :job AND status = 'waiting' AND claimed_by = :worker
""")

GIVE_UP = text(f"""
UPDATE import_item SET status = 'rejected', code = :code, reason = :reason, {EMPTIED}
 WHERE job_id = :job AND status = 'waiting' AND attempts >= :last
   AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
""")

NEXT = text("""
SELECT min(greatest(extract(epoch FROM claimed_until - clock_timestamp()), 0))
  FROM import_item WHERE job_id = :job AND status = 'waiting'
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
        "photograph": None if done else item.photograph,
        "image_sha256": None if done else item.image_sha256,
        "embedding": None if done else item.embedding,
        "status": item.status,
        "code": item.reason and item.reason.code,
        "reason": item.reason and item.reason.text,
        "settled": done,
    }


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
        .values(external_id=None, metadata=None)
    )


def name(connection: Connection, job_id: UUID, rows: Sequence[ManifestRow]) -> set[str]:
    values = {
        "job": job_id,
        "files": [row.file for row in rows],
        "names": [row.external_id for row in rows],
        "metadata": [dict(row.metadata) for row in rows],
    }
    return set(connection.scalars(NAME, values))


def refuse_unnamed(connection: Connection, job_id: UUID, reason: Reason) -> None:
    connection.execute(REFUSE_UNNAMED, {"job": job_id, "code": reason.code, "reason": reason.text})


def claim(
    connection: Connection, job_id: UUID, worker: UUID, limit: int, lease_s: float
) -> list[ClaimedItem]:
    values = {"job": job_id, "worker": worker, "lease": lease_s}
    for least, most, size in ((0, TRUSTED, limit), (TRUSTED, LAST, 1)):
        rows = connection.execute(CLAIM, values | {"least": least, "most": most, "limit": size})
        items = [
            ClaimedItem(row.number, row.file, row.external_id, row.metadata or {}, row.known)
            for row in rows
        ]
        if items:
            return sorted(items, key=lambda item: item.number)
    return []


def payload(connection: Connection, job_id: UUID, worker: UUID, number: int) -> Payload | None:
    columns = import_item.c
    row = connection.execute(
        select(columns.photograph, columns.embedding).where(
            columns.job_id == job_id,
            columns.number == number,
            columns.claimed_by == worker,
            columns.status == ItemStatus.WAITING,
        )
    ).one_or_none()
    return None if row is None else Payload(row.photograph, row.embedding)


def hold(connection: Connection, job_id: UUID, worker: UUID, numbers: Sequence[int]) -> set[int]:
    values = {"job": job_id, "worker": worker, "numbers": list(numbers)}
    return set(connection.scalars(HOLD, values))


def settle(connection: Connection, job_id: UUID, verdicts: Sequence[Verdict]) -> None:
    values = {
        "job": job_id,
        "numbers": [verdict.number for verdict in verdicts],
        "statuses": [verdict.status.value for verdict in verdicts],
        "codes": [verdict.reason and verdict.reason.code for verdict in verdicts],
        "reasons": [verdict.reason and verdict.reason.text for verdict in verdicts],
        "faces": [verdict.face_id for verdict in verdicts],
    }
    connection.execute(SETTLE, values)


def release(connection: Connection, job_id: UUID, worker: UUID) -> None:
    connection.execute(RELEASE, {"job": job_id, "worker": worker})


def give_up(connection: Connection, job_id: UUID) -> None:
    values = {"job": job_id, "last": LAST, "code": GIVEN_UP.code, "reason": GIVEN_UP.text}
    connection.execute(GIVE_UP, values)


def seconds_to_next(connection: Connection, job_id: UUID) -> float | None:
    """Until an item can be claimed; None when none is waiting."""
    seconds = connection.scalar(NEXT, {"job": job_id})
    return None if seconds is None else float(seconds)


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
