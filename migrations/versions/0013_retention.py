"""Consent, and what a gallery demands and keeps: retention, and which searches are recorded."""

from collections.abc import Sequence

from alembic import op

from migrations.locks import lock

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# unmatched_since: before that nothing was promised and perhaps nothing recorded, so nobody's time
# has begun
GALLERY = """
ALTER TABLE gallery
  ADD COLUMN audit_searches text NOT NULL DEFAULT 'all',
  ADD COLUMN consent_required boolean NOT NULL DEFAULT false,
  ADD COLUMN unmatched_lifetime_s bigint,
  ADD COLUMN unmatched_since timestamptz,
  ADD CONSTRAINT ck_gallery_audit_searches
    CHECK (audit_searches IN ('all', 'matches', 'none')) NOT VALID,
  ADD CONSTRAINT ck_gallery_unmatched_lifetime_s
    CHECK (unmatched_lifetime_s BETWEEN 1 AND 3155760000) NOT VALID,
  ADD CONSTRAINT ck_gallery_unmatched_recorded
    CHECK (unmatched_lifetime_s IS NULL OR audit_searches <> 'none') NOT VALID;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_audit_searches;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_unmatched_lifetime_s;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_unmatched_recorded;

CREATE FUNCTION gallery_unmatched_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := NULL;
  ELSIF TG_OP = 'INSERT' OR OLD.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := now();
  ELSE
    NEW.unmatched_since := OLD.unmatched_since;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER gallery_unmatched_since
  BEFORE INSERT OR UPDATE OF unmatched_lifetime_s, unmatched_since ON gallery
  FOR EACH ROW EXECUTE FUNCTION gallery_unmatched_since();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER gallery_unmatched_since;
"""

CONSENT = """
CREATE TABLE consent (
  id uuid CONSTRAINT pk_consent PRIMARY KEY DEFAULT uuid_v7(),
  gallery_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  text_version text NOT NULL,
  purpose text NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  recorded_by text NOT NULL DEFAULT session_user,
  CONSTRAINT fk_consent_subject FOREIGN KEY (gallery_id, subject_id)
    REFERENCES subject (gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT ck_consent_text_version CHECK (char_length(text_version) BETWEEN 1 AND 255),
  CONSTRAINT ck_consent_purpose CHECK (char_length(purpose) BETWEEN 1 AND 1000),
  CONSTRAINT ck_consent_expires_at CHECK (expires_at > given_at)
);
CREATE INDEX ix_consent_gallery_id_subject_id ON consent (gallery_id, subject_id);
"""

# at commit: a subject, its consent and its face may come in any order
REQUIRED = """
CREATE FUNCTION consent_required() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gallery WHERE id = NEW.gallery_id AND consent_required)
     AND EXISTS (SELECT FROM face WHERE id = NEW.id)
     AND NOT EXISTS (SELECT FROM consent WHERE gallery_id = NEW.gallery_id
                       AND subject_id = NEW.subject_id
                       AND given_at <= clock_timestamp()
                       AND (expires_at IS NULL OR expires_at > clock_timestamp())) THEN
    RAISE EXCEPTION 'the gallery demands a consent, and the subject has no valid one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_face_consent', TABLE = 'face';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER consent_required AFTER INSERT OR UPDATE OF subject_id, gallery_id ON face
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION consent_required();
ALTER TABLE face ENABLE ALWAYS TRIGGER consent_required;

CREATE FUNCTION audit_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT 'delete_consent', gallery_id, subject_id, jsonb_build_object('consent', id)
      FROM changed c WHERE EXISTS (SELECT FROM subject s WHERE s.id = c.subject_id);
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT 'record_consent', gallery_id, subject_id,
           jsonb_build_object('consent', id, 'text_version', text_version, 'purpose', purpose,
                              'given_at', given_at, 'expires_at', expires_at)
      FROM became;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_insert AFTER INSERT ON consent REFERENCING NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION audit_consent();
CREATE TRIGGER audit_update AFTER UPDATE ON consent REFERENCING NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION audit_consent();
CREATE TRIGGER audit_delete AFTER DELETE ON consent REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION audit_consent();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON consent
  FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_truncate;
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_insert;
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_update;
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_delete;
"""

DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY['audit_consent()', 'consent_required()']::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""

# changes of the new settings are noted as those of the others
NOTED = """
DROP TRIGGER audit_update ON gallery;
CREATE TRIGGER audit_update AFTER UPDATE OF name, space_id, threshold, max_faces,
    max_faces_per_subject, subject_lifetime_s, gates{more} ON gallery
  FOR EACH ROW EXECUTE FUNCTION audit_gallery();
ALTER TABLE gallery ENABLE ALWAYS TRIGGER audit_update;
"""

# ANALYZE keeps some hundred values of each column of up to 1024 bytes, and so embeddings of up to
# 254 dimensions, which anybody who may read the table sees in pg_stats: erasure does not reach them
STATISTICS = (
    "ALTER TABLE face_embedding ALTER COLUMN vec SET STATISTICS 0",
    """
DO $$
BEGIN
  IF to_regprocedure('pg_clear_attribute_stats(text, text, text, boolean)') IS NOT NULL THEN
    EXECUTE 'SELECT pg_clear_attribute_stats(current_schema(), ''face_embedding'', ''vec'', false)';
  ELSIF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    DELETE FROM pg_statistic
     WHERE (starelid, staattnum) = (SELECT attrelid, attnum FROM pg_attribute
             WHERE attrelid = 'face_embedding'::regclass AND attname = 'vec');
  ELSE
    RAISE WARNING 'the statistics of face_embedding.vec may hold embeddings'
      USING HINT = 'Ask an administrator to delete them from pg_statistic.';
  END IF;
END $$
""",
)


def upgrade() -> None:
    # by itself: it waits for a vacuum under way, and holds nobody up meanwhile
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '2s'")
        for statement in STATISTICS:
            op.execute(statement)
        op.execute("RESET lock_timeout")
    lock("subject", "face", altered=["gallery"])
    op.execute(GALLERY)
    op.execute(CONSENT)
    op.execute(REQUIRED)
    op.execute(DEFINER)
    op.execute(NOTED.format(more=", audit_searches, consent_required, unmatched_lifetime_s"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE face_embedding ALTER COLUMN vec SET STATISTICS -1")
    op.execute(NOTED.format(more=""))
    op.execute("DROP TABLE consent")
    op.execute("DROP FUNCTION consent_required() CASCADE")
    op.execute("DROP FUNCTION audit_consent()")
    op.execute("DROP FUNCTION gallery_unmatched_since() CASCADE")
    op.execute(
        "ALTER TABLE gallery DROP COLUMN audit_searches, DROP COLUMN consent_required,"
        " DROP COLUMN unmatched_lifetime_s, DROP COLUMN unmatched_since"
    )
