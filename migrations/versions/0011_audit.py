"""The record: an append-only, hash-chained event for every change, and views for the auditor."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from alembic import op

from migrations.locks import lock

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _sql(name: str) -> str:
    return (Path(__file__).parents[1] / name).read_text(encoding="utf-8")


TABLES = _sql("audit_tables.sql")

# Netstrings: no two rows have one text. Times in microseconds, numbers in their bytes, so that no
# setting of a session changes the text. service/domain/audit.py makes the same.
TEXT = """
CREATE FUNCTION audit_text(e audit_event) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT convert_to(string_agg(coalesce(octet_length(v) || ':' || v, '~'), ',' ORDER BY n), 'UTF8')
    FROM unnest(ARRAY[
      e.chain::text, e.seq::text, (extract(epoch FROM e.occurred_at) * 1000000)::bigint::text,
      e.action, e.outcome, e.caller, e.key_id::text, e.sql_user, e.request_id, e.address,
      e.gallery_id::text, e.subject_id::text, e.face_id::text, e.space_id::text,
      encode(float8send(e.threshold), 'hex'), e.gallery_version::text, e.detail::text
    ]) WITH ORDINALITY AS t (v, n)
$$
"""

# The caller of this transaction, as the service tells it; at the SQL prompt it is nobody, and the
# SQL user stands for the caller.
CALLER = """
CREATE FUNCTION audit_caller() RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('facematch.caller', true), ''), '{}')::jsonb
$$;
-- every new event says who and from where, unless it brings that along; none brings its number
CREATE FUNCTION audit_complete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who jsonb;
BEGIN
  NEW.tx := pg_current_xact_id();
  NEW.seq := NULL;
  NEW.prev_hash := NULL;
  NEW.hash := NULL;
  NEW.sql_user := session_user;
  NEW.chain := coalesce(NEW.gallery_id, '00000000-0000-0000-0000-000000000000');
  IF NEW.caller IS NULL THEN
    who := audit_caller();
    NEW.caller := coalesce(who ->> 'name', session_user);
    NEW.key_id := (who ->> 'key_id')::uuid;
    NEW.request_id := who ->> 'request_id';
    NEW.address := who ->> 'address';
  END IF;
  RETURN NEW;
END $$;
"""

KEEP = """
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_event' THEN
    IF OLD.seq IS NULL AND OLD.tx = pg_current_xact_id() THEN RETURN NEW; END IF;
  ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_event' THEN
    IF EXISTS (SELECT FROM audit_anchor a WHERE a.chain = OLD.chain AND a.seq >= OLD.seq) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'insufficient_privilege',
    HINT = 'Use `facematch audit prune` to shorten it.';
END $$;
CREATE TRIGGER audit_complete BEFORE INSERT ON audit_event
  FOR EACH ROW EXECUTE FUNCTION audit_complete();
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_event
  FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_anchor
  FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_anchor
  FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();
"""

# One function numbers versions and events, so that all its locks are taken in one order.
NUMBER = """
CREATE FUNCTION audit_number(c uuid, g_version bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e audit_event;
  last record;
  first bigint;
  g record;
BEGIN
  INSERT INTO audit_chain (chain, seq, hash) VALUES (c, 0, decode(repeat('00', 32), 'hex'))
    ON CONFLICT DO NOTHING;
  SELECT seq, hash INTO last FROM audit_chain WHERE chain = c FOR UPDATE;
  first := last.seq;
  SELECT space_id, threshold, version INTO g FROM gallery WHERE id = c;
  FOR e IN SELECT * FROM audit_event WHERE tx = pg_current_xact_id() AND seq IS NULL AND chain = c
            ORDER BY id LOOP
    e.seq := last.seq + 1;
    e.prev_hash := last.hash;
    e.space_id := coalesce(e.space_id, g.space_id);
    e.threshold := coalesce(e.threshold, g.threshold);
    e.gallery_version := coalesce(e.gallery_version, g_version, g.version);
    e.hash := sha256(e.prev_hash || audit_text(e));
    UPDATE audit_event SET seq = e.seq, prev_hash = e.prev_hash, hash = e.hash,
           space_id = e.space_id, threshold = e.threshold, gallery_version = e.gallery_version
     WHERE id = e.id;
    SELECT e.seq AS seq, e.hash AS hash INTO last;
  END LOOP;
  INSERT INTO erasure (gallery_id, version, mark, caller, key_id, request_id, subjects, faces)
  SELECT c, g_version, (SELECT mark FROM gallery WHERE id = c), min(caller),
         min(key_id::text)::uuid, min(request_id),
         count(*) FILTER (WHERE action = 'delete_subject'),
         count(*) FILTER (WHERE action = 'delete_face')
    FROM audit_event
   WHERE chain = c AND seq > first AND action IN ('delete_face', 'delete_subject')
  HAVING count(*) > 0;
  UPDATE audit_chain SET seq = last.seq, hash = last.hash WHERE chain = c;
END $$
"""

# A chain is cut behind an event before which everything is old: its events are in the order of
# their commits, and the time that each tells may be a little earlier.
PRUNE = """
CREATE FUNCTION audit_prune(old timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  c record;
  cut record;
  gone bigint;
  done bigint := 0;
BEGIN
  FOR c IN SELECT chain, seq FROM audit_chain ORDER BY chain LOOP
    SELECT seq, hash INTO cut FROM audit_event
     WHERE chain = c.chain AND seq < coalesce(
       (SELECT min(seq) FROM audit_event WHERE chain = c.chain AND occurred_at >= old), c.seq + 1)
     ORDER BY seq DESC LIMIT 1;
    CONTINUE WHEN NOT FOUND;
    INSERT INTO audit_anchor (chain, seq, hash) VALUES (c.chain, cut.seq, cut.hash);
    DELETE FROM audit_event WHERE chain = c.chain AND seq <= cut.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO audit_event (action, gallery_id, detail)
    VALUES ('prune_audit', nullif(c.chain, '00000000-0000-0000-0000-000000000000'),
            jsonb_build_object('through', cut.seq, 'events', gone, 'before', old));
    done := done + gone;
  END LOOP;
  RETURN done;
END $$
"""

FEED_NUMBER = """
CREATE OR REPLACE FUNCTION feed_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  r record;
  v record;
  pending boolean;
  faces bigint;
  number bigint;
BEGIN
  IF TG_TABLE_NAME = 'audit_event' THEN
    SELECT e.seq IS NULL INTO pending FROM audit_event e WHERE e.id = NEW.id;
  ELSE
    SELECT c.version IS NULL INTO pending FROM gallery_change c WHERE c.id = NEW.id;
  END IF;
  IF pending IS NOT TRUE THEN RETURN NULL; END IF;
  FOR r IN SELECT g, bool_or(grew) AS grown, bool_or(changed) AS changed,
                  bool_or(NOT changed) AS noted
             FROM (SELECT gallery_id AS g, grew, true AS changed FROM gallery_change
                    WHERE tx = pg_current_xact_id() AND version IS NULL
                   UNION ALL
                   SELECT DISTINCT chain, false, false FROM audit_event
                    WHERE tx = pg_current_xact_id() AND seq IS NULL) t
            GROUP BY 1 ORDER BY 1 LOOP
    -- whoever has changed or deleted the row holds it already: to queue would be a deadlock
    IF EXISTS (SELECT FROM gallery WHERE id = r.g AND xmin <> pg_current_xact_id()::xid) THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('facematch gallery ' || r.g, 0));
    END IF;
    number := NULL;
    IF r.changed THEN
      UPDATE gallery SET version = version + 1, prev_mark = mark, mark = gen_random_uuid(),
                         updated_at = clock_timestamp()
       WHERE id = r.g RETURNING name, max_faces, version, mark, prev_mark INTO v;
      IF FOUND THEN
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
        number := v.version;
      END IF;
    END IF;
    IF r.noted THEN
      PERFORM audit_number(r.g, number);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_number AFTER INSERT ON audit_event
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_number();
"""

NOTE = _sql("audit_notes.sql")

NOTING_TRIGGERS = """
CREATE TRIGGER audit_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER audit_update AFTER UPDATE ON {table}
  REFERENCING OLD TABLE AS changed NEW TABLE AS became
  FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER audit_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
"""

GALLERY_TRIGGERS = """
CREATE TRIGGER audit_insert AFTER INSERT OR DELETE ON gallery
  FOR EACH ROW EXECUTE FUNCTION audit_gallery();
CREATE TRIGGER audit_update AFTER UPDATE OF name, space_id, threshold, max_faces,
    max_faces_per_subject, subject_lifetime_s, gates ON gallery
  FOR EACH ROW EXECUTE FUNCTION audit_gallery();
CREATE TRIGGER audit_key AFTER INSERT OR UPDATE OR DELETE ON api_key
  FOR EACH ROW EXECUTE FUNCTION audit_key();
CREATE TRIGGER audit_key_gallery AFTER INSERT OR DELETE ON api_key_gallery
  FOR EACH ROW EXECUTE FUNCTION audit_key_gallery();
CREATE TRIGGER audit_calibration AFTER INSERT OR UPDATE ON gallery_calibration
  FOR EACH ROW EXECUTE FUNCTION audit_calibration();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON gallery
  FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON api_key
  FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON api_key_gallery
  FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
"""

ALWAYS = """
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT tgname, tgrelid::regclass AS place FROM pg_trigger
            WHERE NOT tgisinternal AND tgname LIKE 'audit\\_%' AND tgrelid IN (
              SELECT oid FROM pg_class
               WHERE relnamespace = quote_ident(current_schema())::regnamespace) LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.place, t.tgname);
  END LOOP;
END $$
"""

DEFINER = """
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace
             AND (proname LIKE 'audit\\_%' OR proname = 'feed_number') LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
  FOREACH f IN ARRAY ARRAY['feed_number()', 'audit_number(uuid, bigint)',
      'audit_prune(timestamptz)', 'audit_subject()',
      'audit_face()', 'audit_embedding()', 'audit_truncate()', 'audit_gallery()',
      'audit_calibration()', 'audit_key()', 'audit_key_gallery()',
      'audit_complete()', 'audit_keep()']::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', f);
  END LOOP;
END $$
"""

VIEWS = """
DO $$ BEGIN
  -- IF NOT EXISTS would want the right to create it all the same
  IF to_regnamespace('audit') IS NULL THEN CREATE SCHEMA audit; END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'the schema "audit" is missing and role % may not create it', current_user
    USING ERRCODE = 'insufficient_privilege',
          HINT = format('Ask an administrator to run CREATE SCHEMA audit AUTHORIZATION %I.',
                        current_user);
END $$;

CREATE VIEW audit.enrolments AS
SELECT g.name AS gallery, s.external_id AS subject, f.id AS face_id, f.subject_id, f.created_at,
       f.created_by, e.key_id, e.sql_user, e.request_id, e.address, f.image_name,
       encode(f.image_sha256, 'hex') AS image_sha256, p.model, p.detector, p.alignment,
       p.weights_sha256, e.threshold, e.gallery_version, s.expires_at
  FROM face f
  JOIN subject s ON s.id = f.subject_id
  JOIN gallery g ON g.id = f.gallery_id
  JOIN embedding_space p ON p.id = g.space_id
  LEFT JOIN audit_event e ON e.face_id = f.id AND e.action = 'enrol';

CREATE VIEW audit.enrolment_history AS
SELECT e.chain, e.seq, e.occurred_at, e.action, e.outcome, e.caller, e.key_id, e.sql_user,
       e.request_id, e.address, g.name AS gallery, e.gallery_id, e.subject_id, e.face_id,
       i.external_id AS subject, i.image_name, encode(i.image_sha256, 'hex') AS image_sha256,
       p.model, e.threshold, e.gallery_version, e.detail
  FROM audit_event e
  LEFT JOIN audit_identity i ON i.event_id = e.id
  LEFT JOIN gallery g ON g.id = e.gallery_id
  LEFT JOIN embedding_space p ON p.id = e.space_id
 WHERE e.action NOT IN ('search', 'verify', 'export');

CREATE VIEW audit.searches AS
SELECT e.occurred_at, e.action, e.outcome, e.caller, e.key_id, e.request_id, e.address,
       g.name AS gallery, e.gallery_id, e.subject_id, s.external_id AS subject, e.face_id,
       (e.detail ->> 'similarity')::double precision AS similarity, p.model, e.threshold,
       e.gallery_version
  FROM audit_event e
  LEFT JOIN gallery g ON g.id = e.gallery_id
  LEFT JOIN subject s ON s.id = e.subject_id
  LEFT JOIN embedding_space p ON p.id = e.space_id
 WHERE e.action IN ('search', 'verify');

CREATE VIEW audit.erasures AS
SELECT e.occurred_at, e.caller, e.key_id, e.sql_user, e.request_id, e.address,
       g.name AS gallery, e.gallery_id, e.subject_id, e.face_id, e.gallery_version
  FROM audit_event e LEFT JOIN gallery g ON g.id = e.gallery_id
 WHERE e.action = 'delete_face';

CREATE VIEW audit.key_usage AS
SELECT e.key_id, e.caller, e.gallery_id, g.name AS gallery, e.action, e.outcome,
       count(*) AS events, min(e.occurred_at) AS first_at, max(e.occurred_at) AS last_at
  FROM audit_event e LEFT JOIN gallery g ON g.id = e.gallery_id
 GROUP BY 1, 2, 3, 4, 5, 6;
"""


def upgrade() -> None:
    lock("subject", "face", "face_embedding", "gallery", "gallery_calibration")
    for statements in (TABLES, TEXT, CALLER, KEEP, NUMBER, PRUNE, FEED_NUMBER, NOTE):
        op.execute(statements)
    for table, function in (
        ("subject", "audit_subject"),
        ("face", "audit_face"),
        ("face_embedding", "audit_embedding"),
    ):
        op.execute(NOTING_TRIGGERS.format(table=table, function=function))
    op.execute(GALLERY_TRIGGERS)
    op.execute(ALWAYS)
    op.execute(DEFINER)
    op.execute(VIEWS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    views = "enrolments, enrolment_history, searches, erasures, key_usage"
    op.execute("DROP VIEW " + ", ".join(f"audit.{view}" for view in views.split(", ")))
    # the schema stays: an administrator may have made it for us
    noting = "subject face embedding truncate gallery key key_gallery calibration"
    for name in noting.split():
        op.execute(f"DROP FUNCTION audit_{name}() CASCADE")
    op.execute("DROP TABLE audit_anchor, audit_identity, audit_chain, erasure")
    # the functions first that speak of its type
    op.execute("DROP FUNCTION audit_number(uuid, bigint), audit_text(audit_event)")
    op.execute("DROP FUNCTION audit_prune(timestamptz)")
    op.execute("DROP TABLE audit_event")
    op.execute("DROP FUNCTION audit_changed(jsonb, jsonb), audit_caller(), audit_complete()")
    op.execute("DROP FUNCTION audit_keep()")
    queue = import_module("migrations.versions.0005_commit_queue")
    op.execute(queue.FEED_NUMBER.format(queue=queue.QUEUE))
    op.execute(queue.DEFINER)
