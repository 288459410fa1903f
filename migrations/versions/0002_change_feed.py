"""The change feed: what a transaction touched is noted, and numbered as it commits."""

from collections.abc import Sequence

from alembic import op

from migrations.locks import lock

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# feed_record finds no gallery when the gallery itself is being deleted: nothing to note then
FEED_RECORD = """
CREATE FUNCTION feed_record(g uuid, kind text, ids uuid[], grown boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gallery_change (gallery_id, subjects, faces, everything, grew)
  SELECT id, CASE kind WHEN 'subject' THEN ids ELSE '{}' END,
         CASE kind WHEN 'face' THEN ids ELSE '{}' END, kind = 'everything', grown
    FROM gallery WHERE id = g;
END $$
"""

FEED_NOTE = """
CREATE FUNCTION feed_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    FOR r IN SELECT id FROM gallery ORDER BY id LOOP
      PERFORM feed_record(r.id, 'everything', NULL, false);
    END LOOP;
  ELSIF TG_ARGV[0] = 'embedding' AND TG_OP = 'UPDATE' THEN
    FOR r IN SELECT gallery_id AS g, array_agg(DISTINCT face_id) AS ids
               FROM (SELECT gallery_id, face_id FROM changed
                     UNION ALL SELECT gallery_id, face_id FROM became) t
              GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, 'face', r.ids, false);
    END LOOP;
  ELSIF TG_ARGV[0] = 'embedding' THEN
    FOR r IN SELECT gallery_id AS g, array_agg(DISTINCT face_id) AS ids
               FROM changed GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, 'face', r.ids, false);
    END LOOP;
  ELSIF TG_OP = 'UPDATE' THEN
    FOR r IN SELECT gallery_id AS g, array_agg(DISTINCT id) AS ids, sum(n) > 0 AS grown
               FROM (SELECT gallery_id, id, -1 AS n FROM changed
                     UNION ALL SELECT gallery_id, id, 1 FROM became) t
              GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, TG_ARGV[0], r.ids, TG_ARGV[0] = 'face' AND r.grown);
    END LOOP;
  ELSE
    FOR r IN SELECT gallery_id AS g, array_agg(id) AS ids
               FROM changed GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, TG_ARGV[0], r.ids, TG_ARGV[0] = 'face' AND TG_OP = 'INSERT');
    END LOOP;
  END IF;
  RETURN NULL;
END $$
"""

# The first call at commit numbers every pending row of the transaction, in gallery order. The
# limit is checked behind the gallery's row lock, where no other enrolment can be half done. The
# error's detail is the gallery's name, for programs to read.
FEED_NUMBER = """
CREATE FUNCTION feed_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  r record;
  v record;
  pending boolean;
  faces bigint;
BEGIN
  SELECT c.version IS NULL INTO pending FROM gallery_change c WHERE c.id = NEW.id;
  IF pending IS NOT TRUE THEN RETURN NULL; END IF;
  FOR r IN SELECT gallery_id AS g, bool_or(grew) AS grown FROM gallery_change
            WHERE tx = pg_current_xact_id() AND version IS NULL GROUP BY 1 ORDER BY 1 LOOP
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

FEED_GALLERY = """
CREATE FUNCTION feed_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM feed_record(NEW.id, 'everything', NULL, false);
  RETURN NULL;
END $$;
CREATE FUNCTION feed_gallery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gallery', '');
  RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE CONSTRAINT TRIGGER feed_number AFTER INSERT ON gallery_change
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_number();
ALTER TABLE gallery_change ENABLE ALWAYS TRIGGER feed_number;
CREATE TRIGGER feed_space AFTER UPDATE OF space_id ON gallery FOR EACH ROW
  WHEN (OLD.space_id IS DISTINCT FROM NEW.space_id) EXECUTE FUNCTION feed_space();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER feed_space;
CREATE TRIGGER feed_gallery AFTER INSERT OR DELETE OR TRUNCATE ON gallery
  FOR EACH STATEMENT EXECUTE FUNCTION feed_gallery();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER feed_gallery;
"""

# ALWAYS: also under session_replication_role = replica
NOTING_TRIGGERS = """
CREATE TRIGGER feed_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION feed_note('{kind}');
CREATE TRIGGER feed_update AFTER UPDATE ON {table}
  REFERENCING OLD TABLE AS changed NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION feed_note('{kind}');
CREATE TRIGGER feed_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION feed_note('{kind}');
CREATE TRIGGER feed_truncate AFTER TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION feed_note('{kind}');
ALTER TABLE {table} ENABLE ALWAYS TRIGGER feed_insert;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER feed_update;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER feed_delete;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER feed_truncate;
"""

# A role may write subjects and faces without rights on gallery and gallery_change. The search
# path is pinned to the schema this runs in, or the caller's own tables could be put before ours.
DEFINER = """
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['feed_note()', 'feed_record(uuid, text, uuid[], boolean)',
                           'feed_number()', 'feed_space()'] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""


def upgrade() -> None:
    lock("subject", "face", "face_embedding", "gallery", "gallery_change")
    for statements in (FEED_RECORD, FEED_NOTE, FEED_NUMBER, FEED_GALLERY, TRIGGERS):
        op.execute(statements)
    for table, kind in (("subject", "subject"), ("face", "face"), ("face_embedding", "embedding")):
        op.execute(NOTING_TRIGGERS.format(table=table, kind=kind))
    op.execute(DEFINER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP FUNCTION feed_number(), feed_note(), feed_space(), feed_gallery() CASCADE")
    op.execute("DROP FUNCTION feed_record(uuid, text, uuid[], boolean)")
