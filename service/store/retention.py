"""SQL of retention: subjects whose time is over."""

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

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
  SELECT s.id FROM gallery g JOIN subject s ON s.gallery_id = g.id WHERE {UNMATCHED} LIMIT :limit)
SELECT id FROM subject WHERE id IN (SELECT id FROM expired UNION SELECT id FROM unmatched)
 ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")

# asked once more of those that are locked now: one may have got more time at this moment
DELETE = text(f"""
DELETE FROM subject s
 WHERE id = ANY(:candidates)
   AND (expires_at <= now()
        OR EXISTS (SELECT FROM gallery g WHERE g.id = s.gallery_id AND {UNMATCHED}))
""").bindparams(bindparam("candidates", type_=ARRAY(Uuid)))


def delete_lapsed(connection: Connection, limit: int) -> int:
    candidates = list(connection.scalars(CANDIDATES, {"limit": limit}))
    return connection.execute(DELETE, {"candidates": candidates}).rowcount if candidates else 0
