"""Subjects: metadata within bounds, an end of their own, and no more faces than is allowed."""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Each statement commits by itself, so that no lock is held while rows are read; an upgrade that
# was broken off in here starts it again. Of a date that is beyond what programs can tell, it is
# kept that it never, or long since, comes.
# The bounds of metadata are those of service/domain/subjects.py.
RULES = (
    "UPDATE subject SET expires_at = NULL WHERE expires_at >= '9999-12-31'",
    "UPDATE subject SET expires_at = '0001-01-02' WHERE expires_at < '0001-01-02'",
    """
ALTER TABLE subject
  DROP CONSTRAINT IF EXISTS ck_subject_metadata_size,
  DROP CONSTRAINT IF EXISTS ck_subject_metadata_depth,
  DROP CONSTRAINT IF EXISTS ck_subject_metadata_numbers,
  DROP CONSTRAINT IF EXISTS ck_subject_created_at,
  DROP CONSTRAINT IF EXISTS ck_subject_expires_at,
  ADD CONSTRAINT ck_subject_metadata_size
    CHECK (octet_length(metadata::text) <= 16384) NOT VALID,
  ADD CONSTRAINT ck_subject_metadata_depth
    CHECK (NOT jsonb_path_exists(metadata, 'strict $.**{17 to last}')) NOT VALID,
  ADD CONSTRAINT ck_subject_metadata_numbers CHECK (NOT jsonb_path_exists(metadata,
    'strict $.** ? (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308)')) NOT VALID,
  ADD CONSTRAINT ck_subject_created_at
    CHECK (created_at >= '0001-01-02' AND created_at < '9999-12-31') NOT VALID,
  ADD CONSTRAINT ck_subject_expires_at
    CHECK (expires_at >= '0001-01-02' AND expires_at < '9999-12-31') NOT VALID
""",
    "ALTER TABLE subject VALIDATE CONSTRAINT ck_subject_metadata_size",
    "ALTER TABLE subject VALIDATE CONSTRAINT ck_subject_metadata_depth",
    "ALTER TABLE subject VALIDATE CONSTRAINT ck_subject_metadata_numbers",
    "ALTER TABLE subject VALIDATE CONSTRAINT ck_subject_created_at",
    "ALTER TABLE subject VALIDATE CONSTRAINT ck_subject_expires_at",
)

# Most subjects have no metadata and most faces a photograph's hash: the first cost nothing here.
# An index whose making was broken off is there, invalid, and in the way.
INDEXES = (
    "DROP INDEX CONCURRENTLY IF EXISTS ix_subject_metadata",
    "CREATE INDEX CONCURRENTLY ix_subject_metadata ON subject USING gin (metadata jsonb_path_ops)"
    " WHERE metadata <> '{}'",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_face_gallery_id_image_sha256",
    "CREATE INDEX CONCURRENTLY ix_face_gallery_id_image_sha256 ON face (gallery_id, image_sha256)"
    " WHERE image_sha256 IS NOT NULL",
)

# gained: the subjects that the noted statement gave faces to
FEED_RECORD = """
DROP FUNCTION feed_record(uuid, text, uuid[], boolean);
CREATE FUNCTION feed_record(g uuid, kind text, ids uuid[], grown boolean, more uuid[] DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gallery_change (gallery_id, subjects, faces, everything, grew, gained)
  SELECT id, CASE kind WHEN 'subject' THEN ids ELSE '{}' END,
         CASE kind WHEN 'face' THEN ids ELSE '{}' END, kind = 'everything', grown,
         coalesce(more, '{}')
    FROM gallery WHERE id = g;
END $$
"""

OLD_FEED_RECORD = """
DROP FUNCTION feed_record(uuid, text, uuid[], boolean, uuid[]);
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
CREATE OR REPLACE FUNCTION feed_note() RETURNS trigger LANGUAGE plpgsql AS $$
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
    END LOOP;{faces}
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

FACES = """
  ELSIF TG_ARGV[0] = 'face' AND TG_OP = 'UPDATE' THEN
    FOR r IN SELECT g, array_agg(DISTINCT id) AS ids, sum(n) > 0 AS grown,
                    array_agg(DISTINCT s) FILTER (WHERE more) AS gained
               FROM (SELECT gallery_id AS g, subject_id AS s, id, n,
                            sum(n) OVER (PARTITION BY gallery_id, subject_id) > 0 AS more
                       FROM (SELECT gallery_id, subject_id, id, -1 AS n FROM changed
                             UNION ALL SELECT gallery_id, subject_id, id, 1 FROM became) t) u
              GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, 'face', r.ids, r.grown, r.gained);
    END LOOP;
  ELSIF TG_ARGV[0] = 'face' AND TG_OP = 'INSERT' THEN
    FOR r IN SELECT gallery_id AS g, array_agg(id) AS ids, array_agg(DISTINCT subject_id) AS gained
               FROM changed GROUP BY 1 ORDER BY 1 LOOP
      PERFORM feed_record(r.g, 'face', r.ids, true, r.gained);
    END LOOP;"""

# Fires for the same row after feed_number, for triggers go by their names: by then this
# transaction is the only one at the gallery's faces, so that no race passes the limit. The error's
# detail is the subject's id, for programs to read.
SUBJECT_LIMIT = """
CREATE FUNCTION subject_limit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  most bigint;
  given uuid;
  faces bigint;
BEGIN
  SELECT max_faces_per_subject INTO most FROM gallery WHERE id = NEW.gallery_id;
  -- one by one: with the whole array as its parameter the query would be planned at every commit
  FOREACH given IN ARRAY NEW.gained LOOP
    SELECT count(*) INTO faces
      FROM (SELECT FROM face WHERE gallery_id = NEW.gallery_id AND subject_id = given
             LIMIT most + 1) t;
    IF faces > most THEN
      RAISE EXCEPTION 'subject % would have more faces than the % its gallery allows', given, most
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_subject_max_faces', TABLE = 'subject',
              DETAIL = (SELECT external_id FROM subject WHERE id = given);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER subject_limit AFTER INSERT ON gallery_change
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.gained <> '{}')
  EXECUTE FUNCTION subject_limit();
ALTER TABLE gallery_change ENABLE ALWAYS TRIGGER subject_limit;
"""

# not ALWAYS: what is restored or replicated keeps the end that it had, or none
SUBJECT_LIFETIME = """
CREATE FUNCTION subject_lifetime() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT NEW.created_at + make_interval(secs => subject_lifetime_s) INTO NEW.expires_at
    FROM gallery WHERE id = NEW.gallery_id;
  RETURN NEW;
END $$;
CREATE TRIGGER subject_lifetime BEFORE INSERT ON subject
  FOR EACH ROW WHEN (NEW.expires_at IS NULL) EXECUTE FUNCTION subject_lifetime();
"""

# as in 0002: a role may write subjects and faces without rights on gallery and gallery_change
DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
             AND proname IN ('feed_note', 'feed_record', 'subject_limit', 'subject_lifetime') LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5s'")
        for statement in RULES:
            op.execute(statement)
        # these wait for transactions that are under way, and hold nobody up meanwhile
        op.execute("SET lock_timeout = 0")
        for statement in INDEXES:
            op.execute(statement)
        op.execute("RESET lock_timeout")
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE gallery_change ADD COLUMN gained uuid[] NOT NULL DEFAULT '{}'")
    op.execute(FEED_RECORD)
    op.execute(FEED_NOTE.replace("{faces}", FACES))
    op.execute(SUBJECT_LIMIT)
    op.execute(SUBJECT_LIFETIME)
    op.execute(DEFINER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION subject_limit(), subject_lifetime() CASCADE")
    op.execute(FEED_NOTE.replace("{faces}", ""))
    op.execute(OLD_FEED_RECORD)
    op.execute(DEFINER)
    op.execute("ALTER TABLE gallery_change DROP COLUMN gained")
    op.execute("DROP INDEX ix_subject_metadata, ix_face_gallery_id_image_sha256")
    op.execute(
        "ALTER TABLE subject DROP CONSTRAINT ck_subject_metadata_size,"
        " DROP CONSTRAINT ck_subject_metadata_depth, DROP CONSTRAINT ck_subject_metadata_numbers,"
        " DROP CONSTRAINT ck_subject_created_at, DROP CONSTRAINT ck_subject_expires_at"
    )
