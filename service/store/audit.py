"""SQL of the record."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, text

from service.domain.audit import START, Anchor, Link, RecordedSearch
from service.domain.keys import Caller
from service.store.tables import audit_anchor, audit_chain

# in the order of the function audit_text
LINKS = text("""
SELECT e.seq, prev_hash, hash, chain::text, e.seq::text,
       (extract(epoch FROM occurred_at) * 1000000)::bigint::text,
       action, outcome, caller, key_id::text, sql_user, request_id, address,
       gallery_id::text, subject_id::text, face_id::text, space_id::text,
       encode(float8send(threshold), 'hex'), gallery_version::text, detail::text
  FROM audit_event e WHERE chain = :chain AND e.seq > :after ORDER BY e.seq
""")
BATCH = 1000

# in the transaction that made the anchor, so behind it
TOLD_OF_PRUNING = text("""
SELECT EXISTS (SELECT FROM audit_event
                WHERE chain = :chain AND seq > :through AND action = 'prune_audit'
                  AND detail ->> 'through' = CAST(:through AS text))
""")

# from one chain to the next by the index: there may be a million events in each
UNENDED = text("""
WITH RECURSIVE told AS (
  (SELECT chain FROM audit_event ORDER BY chain LIMIT 1)
  UNION ALL
  SELECT e.chain FROM told CROSS JOIN LATERAL (
    SELECT chain FROM audit_event WHERE chain > told.chain ORDER BY chain LIMIT 1) e)
SELECT chain FROM told WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.chain = told.chain)
""")
UNNUMBERED = text("SELECT EXISTS (SELECT FROM audit_event WHERE seq IS NULL AND chain = :chain)")

EVENTS = text("""
INSERT INTO audit_event (occurred_at, action, outcome, caller, key_id, request_id, address,
                         gallery_id, subject_id, face_id, space_id, threshold, gallery_version,
                         detail)
VALUES (:occurred_at, :action, :outcome, :caller, :key_id, :request_id, :address, :gallery_id,
        :subject_id, :face_id, :space_id, :threshold, :gallery_version,
        jsonb_strip_nulls(jsonb_build_object('similarity', CAST(:similarity AS double precision))))
""")

NOTE = text("""
INSERT INTO audit_event (action, outcome, gallery_id, subject_id, detail)
VALUES (:action, :outcome, :gallery_id, :subject_id, CAST(:detail AS jsonb))
""")

TELL_CALLER = text("SELECT set_config('facematch.caller', :caller, true)")

LAST_EVENT = text("SELECT coalesce(max(id), 0) FROM audit_event")
# ids are given out in order, so those of this transaction are among those since it began
TOLD_OF = text("""
SELECT DISTINCT unnest(ARRAY[subject_id, face_id]) FROM audit_event
 WHERE id > :before AND tx = pg_current_xact_id()
""")

PRUNE = text("SELECT audit_prune(:before)")


def chains(connection: Connection) -> list[Anchor]:
    """The end of every chain."""
    rows = connection.execute(select(audit_chain).order_by(audit_chain.c.chain))
    return [Anchor(row.chain, row.seq, row.hash) for row in rows]


def unended(connection: Connection) -> list[UUID]:
    """Chains that have events and no end."""
    return list(connection.scalars(UNENDED))


def unnumbered(connection: Connection, chain: UUID) -> bool:
    """Whether there are events that never got a number: they hang on nothing."""
    return bool(connection.scalar(UNNUMBERED, {"chain": chain}))


def anchors(connection: Connection, chain: UUID) -> list[Anchor]:
    """What was anchored when the chain was pruned, oldest first."""
    rows = connection.execute(
        select(audit_anchor).where(audit_anchor.c.chain == chain).order_by(audit_anchor.c.seq)
    )
    return [Anchor(row.chain, row.seq, row.hash) for row in rows]


def start(connection: Connection, chain: UUID) -> Anchor:
    """What the oldest event that is left hangs on."""
    kept = anchors(connection, chain)
    return kept[-1] if kept else Anchor(chain, 0, START)


def tells_of_pruning(connection: Connection, start: Anchor) -> bool:
    """Whether an event that is left says that what came up to there was pruned."""
    named = {"chain": start.chain, "through": start.seq}
    return bool(connection.scalar(TOLD_OF_PRUNING, named))


def links(connection: Connection, chain: UUID, after: int) -> Iterator[Link]:
    """The chain's events above that number, in order, in constant memory."""
    streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH)
    with streaming.execute(LINKS, {"chain": chain, "after": after}) as rows:
        for row in rows:
            yield Link(row[0], tuple(row[3:]), row[1], row[2])


def tell_caller(connection: Connection, caller: Caller) -> None:
    """Who makes the changes of this transaction."""
    told = {
        "name": caller.name,
        "key_id": caller.key_id and str(caller.key_id),
        "request_id": caller.request_id,
        "address": caller.address,
    }
    connection.execute(TELL_CALLER, {"caller": json.dumps(told)})


def note(
    connection: Connection,
    action: str,
    gallery_id: UUID | None,
    subject_id: UUID | None,
    detail: Mapping[str, object],
) -> None:
    """An event that no change of rows tells of, by this transaction's caller."""
    connection.execute(
        NOTE,
        {
            "action": action,
            "outcome": "done",
            "gallery_id": gallery_id,
            "subject_id": subject_id,
            "detail": json.dumps(detail),
        },
    )


def record(connection: Connection, searches: Sequence[RecordedSearch]) -> None:
    """Many searches at once."""
    connection.execute(
        EVENTS,
        [
            {
                "occurred_at": each.occurred_at,
                "action": each.action,
                "outcome": each.outcome,
                "caller": each.caller.name,
                "key_id": each.caller.key_id,
                "request_id": each.caller.request_id,
                "address": each.caller.address,
                "gallery_id": each.gallery_id,
                "subject_id": each.subject_id,
                "face_id": each.face_id,
                "space_id": each.space_id,
                "threshold": each.threshold,
                "gallery_version": each.version,
                "similarity": each.similarity,
            }
            for each in searches
        ],
    )


def last_event(connection: Connection) -> int:
    """The highest id of an event that this transaction sees."""
    return int(connection.scalar(LAST_EVENT) or 0)


def told_of(connection: Connection, before: int) -> list[UUID]:
    """The subjects and faces that this transaction has changed since `last_event` said that."""
    found = connection.scalars(TOLD_OF, {"before": before})
    return [each for each in found if each is not None]


def prune(connection: Connection, before: datetime) -> int:
    """Delete events older than that, behind an anchor in each chain; returns how many."""
    return int(connection.scalar(PRUNE, {"before": before}) or 0)
