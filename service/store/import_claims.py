"""SQL of the work on bulk imports' items: claimed by workers, settled, given back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer, Uuid

from service.domain.consents import read_consent
from service.domain.imports import ClaimedItem, ItemStatus, Payload, Reason, Verdict
from service.store.import_items import EMPTIED
from service.store.tables import import_item

TRUSTED = 2
"""Times that a worker may have died over an item before it is taken alone."""
LAST = 5
"""Times after which it is rejected."""
GIVEN_UP = Reason(
    "internal_error",
    f"Every worker that took it, {LAST} of them, ended before it was done; the log says more.",
)

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
RETURNING i.number, i.file, i.external_id, i.metadata, i.consent,
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


def claim(
    connection: Connection, job_id: UUID, worker: UUID, limit: int, lease_s: float
) -> list[ClaimedItem]:
    values = {"job": job_id, "worker": worker, "lease": lease_s}
    for least, most, size in ((0, TRUSTED, limit), (TRUSTED, LAST, 1)):
        rows = connection.execute(CLAIM, values | {"least": least, "most": most, "limit": size})
        items = [
            ClaimedItem(
                row.number,
                row.file,
                row.external_id,
                row.metadata or {},
                row.known,
                None if row.consent is None else read_consent(row.consent),
            )
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
