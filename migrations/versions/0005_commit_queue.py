"""Writers queue for a gallery's number before they touch its row."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Whoever waits for a row keeps its page pinned, and a pinned page is never cleared of the dead
# versions that every commit leaves: with eight writers there are always some that wait, the dead
# pile up, and each commit reads through them. The holder of this lock is the only one at the row,
# and it is let go when the transaction has ended, as the row's lock is.
# A transaction that has changed the row itself holds it already: to queue would be a deadlock.
QUEUE = """
    IF NOT EXISTS (SELECT FROM gallery WHERE id = r.g AND xmin = pg_current_xact_id()::xid) THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('facematch gallery ' || r.g, 0));
    END IF;"""

FEED_NUMBER = """
CREATE OR REPLACE FUNCTION feed_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  r record;
  v record;
  pending boolean;
  faces bigint;
BEGIN
  SELECT c.version IS NULL INTO pending FROM gallery_change c WHERE c.id = NEW.id;
  IF pending IS NOT TRUE THEN RETURN NULL; END IF;
  FOR r IN SELECT gallery_id AS g, bool_or(grew) AS grown FROM gallery_change
            WHERE tx = pg_current_xact_id() AND version IS NULL GROUP BY 1 ORDER BY 1 LOOP{queue}
    UPDATE gallery SET version = version + 1, prev_mark = mark, mark = gen_random_uuid(),
                       updated_at = clock_timestamp()
     WHERE id = r.g RETURNING name, max_faces, version, mark, prev_mark INTO v;
    IF NOT FOUND THEN CONTINUE; END IF;
    IF r.grown AND v.max_faces IS NOT NULL THEN
      SELECT count(*) INTO faces
        FROM (SELECT FROM face WHERE gallery_id = r.g LIMIT v.max_faces::bigint + 1) t;
      IF faces > v.max_faces THEN
        RAISE EXCEPTION 'gallery "%" would hold more than its limit of % faces',
                        v.name, v.max_faces
          USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_gallery_max_faces',
                TABLE = 'gallery', DETAIL = v.name;
      END IF;
    END IF;
    UPDATE gallery_change SET version = v.version, mark = v.mark, prev_mark = v.prev_mark
     WHERE tx = pg_current_xact_id() AND version IS NULL AND gallery_id = r.g;
    PERFORM pg_notify('gallery', r.g::text);
  END LOOP;
  RETURN NULL;
END $$
"""

# replacing a function forgets what ALTER FUNCTION had said of it
DEFINER = """
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION feed_number() SECURITY DEFINER SET search_path = %I, pg_temp',
                 current_schema());
END $$
"""


def upgrade() -> None:
    _replace(QUEUE)


def downgrade() -> None:
    _replace("")


def _replace(queue: str) -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(FEED_NUMBER.format(queue=queue))
    op.execute(DEFINER)
