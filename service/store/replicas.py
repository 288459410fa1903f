"""SQL of replicas: their reports, and the changes that all of them have applied."""

from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, func, select

from service.domain.galleries import GalleryVersion
from service.domain.replicas import DEAD_AFTER_S, ReplicaState, Report
from service.store.tables import replica, replica_gallery

# one statement: a heartbeat is one round trip; galleries deleted meanwhile are left out, and what
# stands there already is not written again
REPORT = """
WITH me AS (
  INSERT INTO replica (id, name, checked_at, differences)
  VALUES (%(id)s, %(name)s, %(checked_at)s, %(differences)s)
  ON CONFLICT (id) DO UPDATE SET seen_at = now(), checked_at = excluded.checked_at,
                                 differences = excluded.differences
  RETURNING id)
INSERT INTO replica_gallery (replica_id, gallery_id, version, mark, searchable)
SELECT me.id, g.id, v.version, v.mark, v.searchable::uuid[]
  FROM me, unnest(%(galleries)s::uuid[], %(numbers)s::bigint[], %(marks)s::uuid[],
                  %(searchable)s::text[]) AS v (gallery_id, version, mark, searchable)
  JOIN gallery g ON g.id = v.gallery_id
 WHERE NOT EXISTS (SELECT FROM replica_gallery told
                    WHERE told.replica_id = %(id)s AND told.gallery_id = v.gallery_id
                      AND told.version = v.version AND told.mark = v.mark
                      AND told.searchable = v.searchable::uuid[])
ON CONFLICT (replica_id, gallery_id) DO UPDATE
   SET version = excluded.version, mark = excluded.mark, searchable = excluded.searchable,
       applied_at = now()
"""

# The newest change of a gallery stays, whatever its age. A live replica that has not loaded a
# gallery yet reads it whole, so it needs no changes of before. Only each gallery's oldest changes
# are looked at: all that are kept may be millions, and a replica's catch-up waits for this.
PRUNE = """
WITH needed AS (
  SELECT g.id, least(g.version, min(rg.version)) AS version
    FROM gallery g
    LEFT JOIN (replica_gallery rg JOIN replica r
                 ON r.id = rg.replica_id AND r.seen_at > now() - make_interval(secs => %(dead)s))
      ON rg.gallery_id = g.id
   GROUP BY g.id),
old AS (
  SELECT c.id
    FROM needed n CROSS JOIN LATERAL (
           SELECT id, at FROM gallery_change
            WHERE gallery_id = n.id AND version < n.version
            ORDER BY version LIMIT %(batch)s) c
   WHERE c.at < now() - make_interval(secs => %(keep)s)
   LIMIT %(batch)s)
DELETE FROM gallery_change WHERE id IN (SELECT id FROM old)
"""
FORGET = "DELETE FROM replica WHERE seen_at < now() - interval '1 day'"
BATCH = 2_000
"""A few hundredths of a second."""


def report(connection: psycopg.Connection[Any], told: Report) -> None:
    connection.execute(
        REPORT,
        {
            "id": told.replica_id,
            "name": told.name,
            "checked_at": told.checked_at,
            "differences": told.differences,
            "galleries": list(told.galleries),
            "numbers": [held.version.number for held in told.galleries.values()],
            "marks": [held.version.mark for held in told.galleries.values()],
            # unnest would flatten an array of arrays
            "searchable": [
                "{" + ",".join(sorted(map(str, held.searchable))) + "}"
                for held in told.galleries.values()
            ],
        },
    )


def leave(connection: psycopg.Connection[Any], replica_id: UUID) -> None:
    connection.execute("DELETE FROM replica WHERE id = %s", (replica_id,))


def prune(connection: psycopg.Connection[Any], keep_s: float) -> bool:
    """Delete changes that are old and that no live replica needs, a batch of them at most; True
    when there may be more."""
    connection.execute(FORGET)
    done = connection.execute(PRUNE, {"dead": DEAD_AFTER_S, "keep": keep_s, "batch": BATCH})
    return done.rowcount >= BATCH


def states(connection: Connection, gallery_id: UUID) -> list[ReplicaState]:
    silent = func.extract("epoch", func.clock_timestamp() - replica.c.seen_at)
    rows = connection.execute(
        select(
            replica.c.name,
            replica_gallery.c.version,
            replica_gallery.c.mark,
            replica_gallery.c.searchable,
            replica.c.started_at,
            replica.c.seen_at,
            silent.label("silent"),
            replica.c.checked_at,
            replica.c.differences,
        )
        .select_from(replica)
        .outerjoin(
            replica_gallery,
            (replica_gallery.c.replica_id == replica.c.id)
            & (replica_gallery.c.gallery_id == gallery_id),
        )
        .order_by(replica.c.started_at, replica.c.id)
    )
    return [
        ReplicaState(
            name=row.name,
            version=None if row.version is None else GalleryVersion(row.version, row.mark),
            started_at=row.started_at,
            seen_at=row.seen_at,
            silent_s=float(row.silent),
            checked_at=row.checked_at,
            differences=row.differences,
            searchable=None if row.searchable is None else frozenset(row.searchable),
        )
        for row in rows
    ]
