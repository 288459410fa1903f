"""SQL of the record."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, text

from service.domain.audit import START, Anchor, Link
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

PRUNE = text("SELECT audit_prune(:before)")


def chains(connection: Connection) -> list[Anchor]:
    """The end of every chain."""
    rows = connection.execute(select(audit_chain).order_by(audit_chain.c.chain))
    return [Anchor(row.chain, row.seq, row.hash) for row in rows]


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


def links(connection: Connection, chain: UUID, after: int) -> Iterator[Link]:
    """The chain's events above that number, in order, in constant memory."""
    streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH)
    with streaming.execute(LINKS, {"chain": chain, "after": after}) as rows:
        for row in rows:
            yield Link(row[0], tuple(row[3:]), row[1], row[2])


def prune(connection: Connection, before: datetime) -> int:
    """Delete events older than that, behind an anchor in each chain; returns how many."""
    return int(connection.scalar(PRUNE, {"before": before}) or 0)
