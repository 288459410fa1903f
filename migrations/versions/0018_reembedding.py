"""A gallery may have a second embedding space, which it is being moved to, or was moved from."""

from collections.abc import Sequence
from importlib import import_module

from alembic import op

from migrations.locks import alter_alone, lock

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# threshold: what the gallery decides by once it is in that space
TABLES = """
CREATE TABLE reembedding (
  gallery_id uuid CONSTRAINT pk_reembedding PRIMARY KEY
    CONSTRAINT fk_reembedding_gallery REFERENCES gallery ON DELETE CASCADE,
  space_id uuid NOT NULL
    CONSTRAINT fk_reembedding_embedding_space REFERENCES embedding_space,
  threshold double precision NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  switched_at timestamptz,
  CONSTRAINT ck_reembedding_threshold CHECK (threshold >= -1 AND threshold <= 1)
);
CREATE TABLE reembedding_failure (
  face_id uuid CONSTRAINT pk_reembedding_failure PRIMARY KEY,
  gallery_id uuid NOT NULL
    CONSTRAINT fk_reembedding_failure_reembedding REFERENCES reembedding ON DELETE CASCADE,
  code text NOT NULL,
  reason text NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_reembedding_failure_face FOREIGN KEY (gallery_id, face_id)
    REFERENCES face (gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX ix_reembedding_failure_gallery_id_face_id
  ON reembedding_failure (gallery_id, face_id);
"""

# the gallery's spaces that the replica can search in; replicas of releases before say nothing
READINESS = "ALTER TABLE replica_gallery ADD COLUMN IF NOT EXISTS searchable uuid[]"

# each space has its own; a gallery that changes over finds the one it had there
CALIBRATIONS = """
ALTER TABLE gallery_calibration DROP CONSTRAINT pk_gallery_calibration,
  ADD CONSTRAINT pk_gallery_calibration PRIMARY KEY (gallery_id, space_id)
"""

# Every embedding that comes or goes is noted in whatever space, so indexes of both follow: a
# gallery that changes over touches no face. Releases whose indexes have one space build them anew.
FEED_SPACE = """
CREATE OR REPLACE FUNCTION feed_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM feed_record(NEW.id, {change}, false);
  RETURN NULL;
END $$
"""
TOUCHING_NOTHING, EVERYTHING = "'face', '{}'", "'everything', NULL"

TOLD = """
CREATE FUNCTION reembedding_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gallery', '');
  RETURN NULL;
END $$;
CREATE TRIGGER reembedding_told AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON reembedding
  FOR EACH STATEMENT EXECUTE FUNCTION reembedding_told();
ALTER TABLE reembedding ENABLE ALWAYS TRIGGER reembedding_told;

CREATE FUNCTION audit_reembedding() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  r reembedding;
  what text := 'begin_reembedding';
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO audit_event (action, gallery_id, space_id, threshold, detail)
    SELECT 'end_reembedding', gallery_id, space_id, threshold,
           jsonb_build_object('switched_at', switched_at) FROM reembedding;
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' THEN r := OLD; what := 'end_reembedding'; ELSE r := NEW; END IF;
  IF TG_OP = 'UPDATE' THEN what := 'change_reembedding'; END IF;
  INSERT INTO audit_event (action, gallery_id, space_id, threshold, detail)
  VALUES (what, r.gallery_id, r.space_id, r.threshold,
          jsonb_build_object('switched_at', r.switched_at));
  RETURN NULL;
END $$;
CREATE TRIGGER audit_reembedding AFTER INSERT OR UPDATE OR DELETE ON reembedding
  FOR EACH ROW EXECUTE FUNCTION audit_reembedding();
ALTER TABLE reembedding ENABLE ALWAYS TRIGGER audit_reembedding;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON reembedding
  FOR EACH STATEMENT EXECUTE FUNCTION audit_reembedding();
ALTER TABLE reembedding ENABLE ALWAYS TRIGGER audit_truncate;
"""

# as revision 0011 made it
COMPLETE = (
    "CREATE OR REPLACE FUNCTION audit_complete"
    + import_module("migrations.versions.0011_audit").CALLER.partition(
        "CREATE FUNCTION audit_complete"
    )[2]
)
ADDRESS = "    NEW.address := who ->> 'address';\n"
# Where nobody has said who calls, it is somebody at the SQL prompt: from where, and in which role.
AT_THE_PROMPT = """\
    IF who ->> 'name' IS NULL THEN
      NEW.address := host(inet_client_addr());
      IF current_setting('role') NOT IN ('none', session_user) THEN
        NEW.detail := NEW.detail || jsonb_build_object('role', current_setting('role'));
      END IF;
    END IF;
"""

# replacing a function forgets what ALTER FUNCTION had said of it
DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[{functions}]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""
REPLACED = "'feed_space()', 'audit_complete()'"


def upgrade() -> None:
    alter_alone(READINESS, CALIBRATIONS)
    lock("face", "gallery", "embedding_space")
    op.execute(TABLES)
    op.execute(FEED_SPACE.format(change=TOUCHING_NOTHING))
    op.execute(TOLD)
    op.execute(COMPLETE.replace(ADDRESS, ADDRESS + AT_THE_PROMPT))
    op.execute(DEFINER.format(functions=f"{REPLACED}, 'audit_reembedding()'"))
    op.execute("COMMENT ON TABLE alembic_version IS 'runs from 0016'")


def downgrade() -> None:
    """Galleries stay in the space that they are in; all other embeddings are deleted, those too
    that a discard which was broken off has left."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DELETE FROM reembedding")  # the record tells of it
    op.execute("""
DELETE FROM face_embedding e USING gallery g
 WHERE g.id = e.gallery_id AND g.space_id <> e.space_id;
DROP TABLE reembedding_failure, reembedding;
ALTER TABLE replica_gallery DROP COLUMN searchable;
DROP FUNCTION reembedding_told(), audit_reembedding();
DELETE FROM gallery_calibration c USING gallery g
 WHERE g.id = c.gallery_id AND g.space_id <> c.space_id;
ALTER TABLE gallery_calibration DROP CONSTRAINT pk_gallery_calibration,
  ADD CONSTRAINT pk_gallery_calibration PRIMARY KEY (gallery_id)
""")
    op.execute(FEED_SPACE.format(change=EVERYTHING))
    op.execute(COMPLETE)
    op.execute(DEFINER.format(functions=REPLACED))
    op.execute("COMMENT ON TABLE alembic_version IS 'runs from 0016'")
