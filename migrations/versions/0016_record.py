"""What the record and erasure still left open.

Events that a gallery's retention reads are not pruned; a consent can be withdrawn, and comes with
an import's item; what was erased is named by no kept answer and no result of an import.
"""

from collections.abc import Sequence
from importlib import import_module

from alembic import op

from migrations.locks import lock

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# An index whose making was broken off is there, invalid, and in the way.
INDEX = (
    "DROP INDEX CONCURRENTLY IF EXISTS ix_import_item_face_id",
    "CREATE INDEX CONCURRENTLY ix_import_item_face_id ON import_item (face_id)"
    " WHERE face_id IS NOT NULL",
)

# about: the subjects and faces that the kept answer tells of; body is null once one is erased.
# The table holds a day's answers: its index is made at once.
COLUMNS = """
ALTER TABLE idempotency_key
  ADD COLUMN about uuid[] NOT NULL DEFAULT '{}',
  ALTER COLUMN body DROP NOT NULL;
CREATE INDEX ix_idempotency_key_about ON idempotency_key USING gin (about);

ALTER TABLE import_item
  ADD COLUMN consent jsonb,
  DROP CONSTRAINT ck_import_item_payload,
  ADD CONSTRAINT ck_import_item_payload CHECK (
    CASE WHEN status = 'waiting' THEN num_nonnulls(photograph, embedding) = 1
         ELSE num_nonnulls(photograph, embedding, image_sha256, metadata, consent, claimed_by) = 0
    END) NOT VALID,
  ADD CONSTRAINT ck_import_item_consent CHECK (jsonb_typeof(consent) = 'object') NOT VALID;
ALTER TABLE import_item VALIDATE CONSTRAINT ck_import_item_payload;
ALTER TABLE import_item VALIDATE CONSTRAINT ck_import_item_consent;

ALTER TABLE consent
  ADD COLUMN withdrawn_at timestamptz,
  ADD CONSTRAINT ck_consent_withdrawn_at CHECK (
    withdrawn_at >= greatest(given_at, '0001-01-02') AND withdrawn_at < '9999-12-31') NOT VALID;
ALTER TABLE consent VALIDATE CONSTRAINT ck_consent_withdrawn_at;
"""

# The day more: retention that is at work at this moment counts from when it began, and so does
# whoever is just lengthening the time.
PRUNE = """
CREATE OR REPLACE FUNCTION audit_prune(old timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  c record;
  cut record;
  gone bigint;
  done bigint := 0;
BEGIN
  FOR c IN SELECT a.chain, a.seq,
                  least(old, now() - make_interval(secs => g.unmatched_lifetime_s)
                             - interval '1 day') AS old
             FROM audit_chain a LEFT JOIN gallery g ON g.id = a.chain ORDER BY a.chain LOOP
    SELECT seq, hash INTO cut FROM audit_event
     WHERE chain = c.chain AND seq < coalesce(
       (SELECT min(seq) FROM audit_event WHERE chain = c.chain AND occurred_at >= c.old), c.seq + 1)
     ORDER BY seq DESC LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    INSERT INTO audit_anchor (chain, seq, hash) VALUES (c.chain, cut.seq, cut.hash);
    DELETE FROM audit_event WHERE chain = c.chain AND seq <= cut.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO audit_event (action, gallery_id, detail)
    VALUES ('prune_audit', nullif(c.chain, '00000000-0000-0000-0000-000000000000'),
            jsonb_build_object('through', cut.seq, 'events', gone, 'before', c.old));
    done := done + gone;
  END LOOP;
  RETURN done;
END $$
"""

# Whoever lengthens the time may ask for events that were pruned under the shorter one: nobody's
# time begins before those that were kept for it.
SINCE = """
CREATE OR REPLACE FUNCTION gallery_unmatched_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := NULL;
  ELSIF TG_OP = 'INSERT' OR OLD.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := now();
  ELSIF NEW.unmatched_lifetime_s > OLD.unmatched_lifetime_s THEN
    NEW.unmatched_since := greatest(OLD.unmatched_since,
                                    now() - make_interval(secs => OLD.unmatched_lifetime_s));
  ELSE
    NEW.unmatched_since := OLD.unmatched_since;
  END IF;
  RETURN NEW;
END $$
"""

OLD_SINCE = """
CREATE OR REPLACE FUNCTION gallery_unmatched_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := NULL;
  ELSIF TG_OP = 'INSERT' OR OLD.unmatched_lifetime_s IS NULL THEN
    NEW.unmatched_since := now();
  ELSE
    NEW.unmatched_since := OLD.unmatched_since;
  END IF;
  RETURN NEW;
END $$
"""

CONSENT = """
CREATE OR REPLACE FUNCTION consent_required() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gallery WHERE id = NEW.gallery_id AND consent_required)
     AND EXISTS (SELECT FROM face WHERE id = NEW.id)
     AND NOT EXISTS (SELECT FROM consent WHERE gallery_id = NEW.gallery_id
                       AND subject_id = NEW.subject_id{valid}
                       AND given_at <= clock_timestamp()
                       AND (expires_at IS NULL OR expires_at > clock_timestamp())) THEN
    RAISE EXCEPTION 'the gallery demands a consent, and the subject has no valid one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_face_consent', TABLE = 'face';
  END IF;
  RETURN NULL;
END $$
"""
NOT_WITHDRAWN = """
                       AND withdrawn_at IS NULL"""

AUDIT_CONSENT = """
CREATE OR REPLACE FUNCTION audit_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  own text[] := '{id,gallery_id,subject_id,recorded_by}';
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT 'delete_consent', gallery_id, subject_id, jsonb_build_object('consent', id)
      FROM changed c WHERE EXISTS (SELECT FROM subject s WHERE s.id = c.subject_id);
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT 'record_consent', gallery_id, subject_id,
           jsonb_build_object('consent', id) || to_jsonb(b) - own FROM became b;
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT CASE WHEN b.withdrawn_at IS NOT NULL AND c.withdrawn_at IS NULL
                THEN 'withdraw_consent' ELSE 'change_consent' END,
           b.gallery_id, b.subject_id, jsonb_build_object('consent', b.id) || to_jsonb(b) - own
      FROM became b JOIN changed c USING (id) WHERE to_jsonb(b) <> to_jsonb(c);
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER audit_update ON consent;
CREATE TRIGGER audit_update AFTER UPDATE ON consent
  REFERENCING OLD TABLE AS changed NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION audit_consent();
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_update;
"""

OLD_AUDIT_CONSENT = """
DROP TRIGGER audit_update ON consent;
CREATE TRIGGER audit_update AFTER UPDATE ON consent REFERENCING NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION audit_consent();
ALTER TABLE consent ENABLE ALWAYS TRIGGER audit_update;
CREATE OR REPLACE FUNCTION audit_consent() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""

# What else names an erased person goes in the same transaction, whoever erases. Its triggers' name
# comes before audit_delete, whose function deletes the names that a subject had before. A former
# name that is somebody else's by now stays. Items that wait would enrol the person again.
CLEAR = """
CREATE FUNCTION audit_clear() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gone uuid[];
BEGIN
  SELECT array_agg(id) INTO gone FROM changed;
  IF gone IS NULL THEN RETURN NULL; END IF;
  UPDATE idempotency_key
     SET body = NULL, headers = '{}', fingerprint = decode(repeat('00', 32), 'hex')
   WHERE about && gone;
  IF TG_TABLE_NAME = 'face' THEN
    UPDATE import_item SET file = NULL, external_id = NULL WHERE face_id = ANY (gone);
    RETURN NULL;
  END IF;
  UPDATE import_item i
     SET status = 'rejected', code = 'erased', reason = 'The ID was erased while this waited.',
         file = NULL, external_id = NULL, photograph = NULL, image_sha256 = NULL, embedding = NULL,
         metadata = NULL, consent = NULL, claimed_by = NULL, claimed_until = NULL,
         done_at = clock_timestamp()
    FROM changed c JOIN import_job j ON j.gallery_id = c.gallery_id
   WHERE i.job_id = j.id AND i.external_id = c.external_id AND i.status = 'waiting';
  UPDATE import_item i
     SET file = NULL, external_id = NULL,
         reason = CASE WHEN i.reason IS NOT NULL THEN 'The ID has been erased since.' END
    FROM (SELECT gallery_id, external_id FROM changed
          UNION
          SELECT c.gallery_id, f.external_id COLLATE "C"
            FROM changed c JOIN audit_identity f ON f.subject_id = c.id
           WHERE NOT EXISTS (SELECT FROM subject s WHERE s.gallery_id = c.gallery_id
                               AND s.external_id = f.external_id COLLATE "C")) n
    JOIN import_job j ON j.gallery_id = n.gallery_id
   WHERE i.job_id = j.id AND i.external_id = n.external_id AND i.status <> 'waiting';
  RETURN NULL;
END $$;

CREATE FUNCTION audit_clear_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE idempotency_key
     SET body = NULL, headers = '{}', fingerprint = decode(repeat('00', 32), 'hex')
   WHERE about <> '{}';
  UPDATE import_item
     SET file = NULL, external_id = NULL,
         reason = CASE WHEN reason IS NOT NULL THEN 'The ID has been erased since.' END
   WHERE status <> 'waiting';
  RETURN NULL;
END $$;

CREATE TRIGGER audit_clear AFTER DELETE ON subject REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION audit_clear();
CREATE TRIGGER audit_clear AFTER DELETE ON face REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION audit_clear();
CREATE TRIGGER audit_clear_all BEFORE TRUNCATE ON subject
  FOR EACH STATEMENT EXECUTE FUNCTION audit_clear_all();
CREATE TRIGGER audit_clear_all BEFORE TRUNCATE ON face
  FOR EACH STATEMENT EXECUTE FUNCTION audit_clear_all();
ALTER TABLE subject ENABLE ALWAYS TRIGGER audit_clear;
ALTER TABLE face ENABLE ALWAYS TRIGGER audit_clear;
ALTER TABLE subject ENABLE ALWAYS TRIGGER audit_clear_all;
ALTER TABLE face ENABLE ALWAYS TRIGGER audit_clear_all;
"""

DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY['audit_prune(timestamptz)', 'audit_consent()', 'consent_required()'{more}
      ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
                   f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$
"""
CLEARING = """,
      'audit_clear()', 'audit_clear_all()'"""

VIEW = """
CREATE VIEW audit.exports AS
SELECT e.occurred_at, e.caller, e.key_id, e.sql_user, e.request_id, e.address,
       g.name AS gallery, e.gallery_id, s.external_id AS subject, e.subject_id,
       e.detail ->> 'of' AS what, (e.detail ->> 'faces')::bigint AS faces, e.gallery_version
  FROM audit_event e
  LEFT JOIN gallery g ON g.id = e.gallery_id
  LEFT JOIN subject s ON s.id = e.subject_id
 WHERE e.action = 'export'
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # waits for transactions that are under way, and holds nobody up meanwhile
        for statement in INDEX:
            op.execute(statement)
    lock("subject", "face", altered=["idempotency_key", "import_item", "consent"])
    op.execute(COLUMNS)
    op.execute(PRUNE)
    op.execute(SINCE)
    op.execute(CONSENT.format(valid=NOT_WITHDRAWN))
    op.execute(AUDIT_CONSENT)
    op.execute(CLEAR)
    op.execute(DEFINER.format(more=CLEARING))
    op.execute(VIEW)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP VIEW audit.exports")
    op.execute("DROP FUNCTION audit_clear(), audit_clear_all() CASCADE")
    # what was withdrawn must not become valid
    op.execute(
        "UPDATE consent SET expires_at = greatest(withdrawn_at, given_at + interval '1 us')"
        " WHERE withdrawn_at IS NOT NULL"
    )
    op.execute(OLD_AUDIT_CONSENT)
    op.execute(CONSENT.format(valid=""))
    op.execute(OLD_SINCE)
    record = import_module("migrations.versions.0011_audit")
    op.execute(record.PRUNE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(DEFINER.format(more=""))
    # an answer without its body is no answer
    op.execute("DELETE FROM idempotency_key WHERE body IS NULL")
    op.execute("ALTER TABLE consent DROP COLUMN withdrawn_at")
    op.execute("""
ALTER TABLE import_item DROP CONSTRAINT ck_import_item_payload, DROP COLUMN consent;
ALTER TABLE import_item ADD CONSTRAINT ck_import_item_payload CHECK (
  CASE WHEN status = 'waiting' THEN num_nonnulls(photograph, embedding) = 1
       ELSE num_nonnulls(photograph, embedding, image_sha256, metadata, claimed_by) = 0 END);
DROP INDEX ix_import_item_face_id;
ALTER TABLE idempotency_key DROP COLUMN about, ALTER COLUMN body SET NOT NULL;
""")
