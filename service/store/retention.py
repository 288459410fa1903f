"""SQL of retention: subjects whose time is over."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from service.store import consents

# A subject counts as found when a search or verification named it, and when it was enrolled anew.
# Its time begins when it was created, and not before the gallery's rule was made.
UNMATCHED = """
g.unmatched_lifetime_s IS NOT NULL
AND greatest(s.created_at, g.unmatched_since)
    < now() - make_interval(secs => g.unmatched_lifetime_s)
AND NOT EXISTS (
  SELECT FROM audit_event e
   WHERE e.subject_id = s.id
     AND e.occurred_at >= now() - make_interval(secs => g.unmatched_lifetime_s)
     AND (e.action IN ('search', 'verify') AND e.outcome = 'match'
          OR e.action IN ('enrol', 'move_face')))
"""

CANDIDATES = text(f"""
WITH expired AS (
  SELECT id FROM subject WHERE expires_at <= now() LIMIT :limit),
unmatched AS (
  SELECT s.id FROM gallery g JOIN subject s ON s.gallery_id = g.id WHERE {UNMATCHED} LIMIT :limit),
unconsented AS (
  SELECT subject_id AS id FROM consent GROUP BY subject_id
  HAVING bool_and({consents.OVER}) LIMIT :limit)
SELECT id FROM subject WHERE id IN (SELECT id FROM expired UNION SELECT id FROM unmatched
                                    UNION SELECT id FROM unconsented)
 ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")

# asked once more of those that are locked now: one may have got more time at this moment
DELETE = text(f"""
DELETE FROM subject s
 WHERE id = ANY(:candidates)
   AND (expires_at <= now()
        OR EXISTS (SELECT FROM gallery g WHERE g.id = s.gallery_id AND {UNMATCHED})
        OR {consents.ENDED_FOR.format(subject="s")})
""").bindparams(bindparam("candidates", type_=ARRAY(Uuid)))

# as the function audit_prune has it
READS = text("""
SELECT name, now() - make_interval(secs => unmatched_lifetime_s) - interval '1 day' AS since
  FROM gallery WHERE unmatched_lifetime_s IS NOT NULL ORDER BY name
""")


def reads(connection: Connection) -> list[tuple[str, datetime]]:
    return [(row.name, row.since) for row in connection.execute(READS)]


def delete_lapsed(connection: Connection, limit: int) -> int:
    candidates = list(connection.scalars(CANDIDATES, {"limit": limit}))
    return connection.execute(DELETE, {"candidates": candidates}).rowcount if candidates else 0
