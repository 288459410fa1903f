"""Kept photographs: sealed by the service, gone with their face, and only of a kind kept now."""

from collections.abc import Sequence

from alembic import op

from migrations.locks import alter_alone, lock

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# There already where the step was broken off behind it.
COLUMN = """
ALTER TABLE gallery ADD COLUMN IF NOT EXISTS keep_photographs text NOT NULL DEFAULT 'none'
  CONSTRAINT ck_gallery_keep_photographs CHECK (keep_photographs IN ('none', 'originals', 'chips'))
"""

# sealed bytes cannot be compressed: EXTERNAL saves the try; ANALYZE keeps no sample
TABLES = """
CREATE TABLE kept_photograph (
  face_id uuid CONSTRAINT pk_kept_photograph PRIMARY KEY,
  gallery_id uuid NOT NULL,
  kind text NOT NULL,
  key_id text NOT NULL,
  sealed bytea NOT NULL,
  CONSTRAINT fk_kept_photograph_face FOREIGN KEY (gallery_id, face_id)
    REFERENCES face (gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT ck_kept_photograph_kind CHECK (kind IN ('originals', 'chips')),
  CONSTRAINT ck_kept_photograph_key_id CHECK (key_id ~ '^[0-9a-f]{16}$'),
  CONSTRAINT ck_kept_photograph_sealed CHECK (octet_length(sealed) > 28)
);
ALTER TABLE kept_photograph
  ALTER COLUMN sealed SET STORAGE EXTERNAL,
  ALTER COLUMN sealed SET STATISTICS 0;
CREATE INDEX ix_kept_photograph_gallery_id_kind_face_id
  ON kept_photograph (gallery_id, kind, face_id);
"""

# Whoever enrols holds the advisory lock to the end, together with all others who do. Whoever has
# changed what is kept, and has then once held it alone, knows that nothing of the old kind comes
# any more. Not the gallery's row: the feed has its writers wait for that one in a queue.
KEPT = """
CREATE FUNCTION photograph_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(
    hashtextextended('facematch photographs ' || NEW.gallery_id, 0));
  -- with a snapshot of its own: what was changed before the lock was ours is seen
  IF EXISTS (SELECT FROM gallery WHERE id = NEW.gallery_id AND keep_photographs = NEW.kind) THEN
    RETURN NEW;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER photograph_kept BEFORE INSERT ON kept_photograph
  FOR EACH ROW EXECUTE FUNCTION photograph_kept();
ALTER TABLE kept_photograph ENABLE ALWAYS TRIGGER photograph_kept;

-- what was to go must not come back because the gallery keeps that kind again
CREATE FUNCTION photograph_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM kept_photograph
              WHERE gallery_id = NEW.id AND kind = NEW.keep_photographs) THEN
    RAISE EXCEPTION 'photographs that the gallery kept before are still to be deleted'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_gallery_photographs_deleted',
            TABLE = 'gallery', HINT = 'facematch photographs keep GALLERY none';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER photograph_policy BEFORE UPDATE OF keep_photographs ON gallery FOR EACH ROW
  WHEN (OLD.keep_photographs <> NEW.keep_photographs) EXECUTE FUNCTION photograph_policy();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER photograph_policy;

-- another photograph has taken the face's place, or none
CREATE FUNCTION photograph_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM kept_photograph WHERE face_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER photograph_replaced AFTER UPDATE OF image_sha256 ON face FOR EACH ROW
  WHEN (OLD.image_sha256 IS DISTINCT FROM NEW.image_sha256)
  EXECUTE FUNCTION photograph_replaced();
ALTER TABLE face ENABLE ALWAYS TRIGGER photograph_replaced;

-- The vacuum of releases before this one leaves kept_photograph as it is: the receipt stays open,
-- where anything was kept. Ours says what it has written anew.
CREATE FUNCTION photograph_rewritten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('facematch.rewritten', true) IS DISTINCT FROM 'kept_photograph'
     AND (SELECT pg_relation_size(oid) + pg_relation_size(reltoastrelid) > 0
            FROM pg_class WHERE oid = to_regclass('kept_photograph')) THEN
    NEW.vacuumed_at := NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER photograph_rewritten BEFORE UPDATE OF vacuumed_at ON erasure FOR EACH ROW
  WHEN (OLD.vacuumed_at IS NULL) EXECUTE FUNCTION photograph_rewritten();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER photograph_rewritten;
"""

DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY['photograph_kept()', 'photograph_policy()', 'photograph_replaced()',
                           'photograph_rewritten()']::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""

# replaced, not dropped: that would take the lock that everybody waits for
NOTED = """
CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE OF name, space_id, threshold, max_faces,
    max_faces_per_subject, subject_lifetime_s, gates, audit_searches, consent_required,
    unmatched_lifetime_s{more} ON gallery
  FOR EACH ROW EXECUTE FUNCTION audit_gallery();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER audit_update;
"""

# that one is kept, never the photograph
VIEW = """
CREATE OR REPLACE VIEW audit.enrolments AS
SELECT g.name AS gallery, s.external_id AS subject, f.id AS face_id, f.subject_id, f.created_at,
       f.created_by, e.key_id, e.sql_user, e.request_id, e.address, f.image_name,
       encode(f.image_sha256, 'hex') AS image_sha256, p.model, p.detector, p.alignment,
       p.weights_sha256, e.threshold, e.gallery_version, s.expires_at{column}
  FROM face f
  JOIN subject s ON s.id = f.subject_id
  JOIN gallery g ON g.id = f.gallery_id
  {tables}
"""
OF_OLD = """JOIN embedding_space p ON p.id = g.space_id
  LEFT JOIN audit_event e ON e.face_id = f.id AND e.action = 'enrol'"""
# who brought the photograph that is there now, one event at most, and what it was embedded with by
# them: the gallery may have been moved to another space since, with or without this face
OF_NOW = """LEFT JOIN LATERAL (
    SELECT * FROM audit_event
     WHERE face_id = f.id
       AND (action = 'enrol' OR action IN ('change_face', 'move_face')
                                AND detail -> 'changed' ?| '{created_at,image_sha256}')
     ORDER BY seq DESC LIMIT 1) e ON true
  LEFT JOIN embedding_space p ON p.id = coalesce(e.space_id, g.space_id)
  LEFT JOIN kept_photograph k ON k.face_id = f.id"""

# whether photographs went along
EXPORTS = """
CREATE OR REPLACE VIEW audit.exports AS
SELECT e.occurred_at, e.caller, e.key_id, e.sql_user, e.request_id, e.address,
       g.name AS gallery, e.gallery_id, s.external_id AS subject, e.subject_id,
       e.detail ->> 'of' AS what, (e.detail ->> 'faces')::bigint AS faces, e.gallery_version{column}
  FROM audit_event e
  LEFT JOIN gallery g ON g.id = e.gallery_id
  LEFT JOIN subject s ON s.id = e.subject_id
 WHERE e.action = 'export'
"""
PHOTOGRAPHS = """,
       coalesce((e.detail ->> 'photographs')::boolean, false) AS photographs"""


def upgrade() -> None:
    alter_alone(COLUMN)
    lock("face", "erasure", "gallery")
    op.execute(TABLES)
    op.execute(KEPT)
    op.execute(DEFINER)
    op.execute(NOTED.format(more=", keep_photographs"))
    op.execute(VIEW.format(column=", k.kind AS kept_photograph", tables=OF_NOW))
    op.execute(EXPORTS.format(column=PHOTOGRAPHS))
    # releases before it keep no photographs: what they enrol can be seen to have none
    op.execute("COMMENT ON TABLE alembic_version IS 'runs from 0016'")


def downgrade() -> None:
    lock("face", "erasure", altered=["gallery"])
    op.execute("COMMENT ON TABLE alembic_version IS 'runs from 0015'")
    op.execute("DROP VIEW audit.enrolments, audit.exports")
    op.execute(VIEW.format(column="", tables=OF_OLD))
    op.execute(EXPORTS.format(column=""))
    op.execute(NOTED.format(more=""))
    op.execute("DROP TABLE kept_photograph")
    op.execute(
        "DROP FUNCTION photograph_kept(), photograph_policy(), photograph_replaced(),"
        " photograph_rewritten() CASCADE"
    )
    op.execute("ALTER TABLE gallery DROP COLUMN keep_photographs")
