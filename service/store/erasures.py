"""SQL of erasures, and the vacuum that they ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Row, func, select, update

from service.domain.erasures import Erasure
from service.errors import DatabaseUnsuitable
from service.store.failures import translated
from service.store.tables import erasure, gallery
from service.store.urls import conninfo

ERASURES = select(erasure, gallery.c.name.label("gallery_name")).select_from(
    erasure.outerjoin(gallery, gallery.c.id == erasure.c.gallery_id)
)

VACUUMED = (
    "face_embedding",
    "kept_photograph",
    "face",
    "subject",
    "consent",
    "audit_identity",
    "idempotency_key",
    "import_item",
)
"""Tables that held something of the erased person. A plain VACUUM frees the rows' room but leaves
their bytes in it; FULL writes the table anew. ANALYZE has kept values of theirs, too: names, never
embeddings; they are replaced, and the table that they stood in is written anew last."""
STATISTICS = "pg_catalog.pg_statistic"

# Those whose rows no transaction, standby or slot can still see: the others are written anew too.
# A number that this server has not given out yet is another one's: the receipt came with a backup,
# which the erased rows were not in.
FREE = """
SELECT id FROM erasure
 WHERE vacuumed_at IS NULL AND (
   tx >= pg_snapshot_xmax(pg_current_snapshot())
   OR age(tx::xid) > greatest(
     age(pg_snapshot_xmin(pg_current_snapshot())::xid),
     (SELECT max(age(backend_xmin)) FROM pg_stat_activity),
     (SELECT max(age(backend_xmin)) FROM pg_stat_replication),
     (SELECT max(age(xmin)) FROM pg_replication_slots),
     (SELECT max(age(transaction)) FROM pg_prepared_xacts)))
"""


OPEN = "FROM erasure WHERE vacuumed_at IS NULL"
MAY_SEE = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"


def listed(
    connection: Connection,
    gallery_id: UUID | None,
    after: UUID | None,
    limit: int,
    *,
    open_only: bool,
) -> list[Erasure]:
    page = ERASURES.limit(limit)
    if gallery_id is not None:
        page = page.where(erasure.c.gallery_id == gallery_id)
    if open_only:
        page = page.where(erasure.c.passed_at.is_(None)).order_by(erasure.c.erased_at)
    else:
        page = page.order_by(erasure.c.id.desc())
    if after is not None:
        page = page.where(erasure.c.id < after)
    return [_erasure(row) for row in connection.execute(page)]


def find(connection: Connection, erasure_id: UUID) -> Erasure | None:
    row = connection.execute(ERASURES.where(erasure.c.id == erasure_id)).one_or_none()
    return None if row is None else _erasure(row)


def mark_passed(connection: Connection, erasure_id: UUID, replicas: Sequence[str]) -> None:
    connection.execute(
        update(erasure)
        .where(erasure.c.id == erasure_id, erasure.c.passed_at.is_(None))
        .values(passed_at=func.clock_timestamp(), replicas=list(replicas))
    )


def vacuum(connection: psycopg.Connection[Any], lock_timeout_s: float) -> int:
    """Write the tables anew without what was erased; returns how many erasures that completes.

    The connection must be in autocommit mode. Each table is locked while it is written.

    Raises:
        DatabaseUnsuitable: the role cannot see who still looks at the erased rows.
    """
    if not connection.execute(MAY_SEE).fetchone() == (True,):
        raise DatabaseUnsuitable(
            "This role cannot see the transactions of others, so nobody can say that the erased "
            "rows are gone: GRANT pg_read_all_stats to it, or use the tables' owner."
        )
    free = [row[0] for row in connection.execute(FREE).fetchall()]
    if not free:
        return 0
    connection.execute(f"SET lock_timeout = '{int(lock_timeout_s * 1000)}'")
    for table in VACUUMED:
        connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
    connection.execute(f"VACUUM (FULL) {STATISTICS}")
    connection.execute("SELECT set_config('facematch.rewritten', 'kept_photograph', false)")
    done = connection.execute(
        "UPDATE erasure SET vacuumed_at = clock_timestamp() WHERE id = ANY(%s)", (free,)
    )
    return done.rowcount


@dataclass(frozen=True, slots=True)
class Rewritten:
    """How many erasures are out of the data files now, and how many are not yet, of those that had
    happened when it began."""

    completed: int
    pending: int


def rewrite(url: str, lock_timeout_s: float) -> Rewritten:
    """See `vacuum`; `url` must not go through a transaction pooler.

    Raises:
        DatabaseBusy: somebody else holds a table.
        DatabaseUnavailable: the connection failed.
    """
    with (
        translated(),
        psycopg.connect(conninfo(url, connect_timeout=5), autocommit=True) as connection,
    ):
        asked = [row[0] for row in connection.execute(f"SELECT id {OPEN}").fetchall()]
        completed = vacuum(connection, lock_timeout_s)
        pending = connection.execute(f"SELECT count(*) {OPEN} AND id = ANY(%s)", (asked,))
        row = pending.fetchone()
        return Rewritten(completed, row[0] if row else 0)


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(
        id=row.id,
        gallery_id=row.gallery_id,
        gallery_name=row.gallery_name,
        version=row.version,
        erased_at=row.erased_at,
        caller=row.caller,
        key_id=row.key_id,
        request_id=row.request_id,
        subjects=row.subjects,
        faces=row.faces,
        passed_at=row.passed_at,
        replicas=tuple(row.replicas),
        vacuumed_at=row.vacuumed_at,
    )
