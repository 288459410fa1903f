"""The record: an append-only, hash-chained event for every change, and views for the auditor."""

from collections.abc import Sequence
from importlib import import_module

from alembic import op

from migrations.locks import lock

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# No foreign key leads out of these tables: the record outlives what it tells of.
# id names the row only; a chain's order is seq, which is given out at commit, null before.
TABLES = """
CREATE TABLE audit_event (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_event PRIMARY KEY,
  chain uuid NOT NULL,
  seq bigint,
  occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL,
  outcome text NOT NULL DEFAULT 'done',
  caller text NOT NULL,
  key_id uuid,
  sql_user text NOT NULL DEFAULT session_user,
  request_id text,
  address text,
  gallery_id uuid,
  subject_id uuid,
  face_id uuid,
  space_id uuid,
  threshold double precision,
  gallery_version bigint,
  detail jsonb NOT NULL DEFAULT '{}',
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  prev_hash bytea,
  hash bytea,
  CONSTRAINT uq_audit_event_chain_seq UNIQUE (chain, seq),
  CONSTRAINT ck_audit_event_action CHECK (action ~ '^[a-z_]{1,40}$'),
  CONSTRAINT ck_audit_event_outcome CHECK (outcome ~ '^[a-z_]{1,40}$'),
  CONSTRAINT ck_audit_event_numbered CHECK (
    (seq IS NULL) = (hash IS NULL) AND (seq IS NULL) = (prev_hash IS NULL)),
  CONSTRAINT ck_audit_event_detail CHECK (jsonb_typeof(detail) = 'object')
);
CREATE INDEX ix_audit_event_tx ON audit_event (tx) WHERE seq IS NULL;
CREATE INDEX ix_audit_event_subject_id_occurred_at ON audit_event (subject_id, occurred_at);
CREATE INDEX ix_audit_event_face_id ON audit_event (face_id);
CREATE INDEX ix_audit_event_key_id_occurred_at ON audit_event (key_id, occurred_at);

-- the end of each chain; all zeros is the chain of events of no gallery
CREATE TABLE audit_chain (
  chain uuid CONSTRAINT pk_audit_chain PRIMARY KEY,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT ck_audit_chain_hash CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

-- what identifies a person, outside the chain, so that erasure can empty it
CREATE TABLE audit_identity (
  event_id bigint CONSTRAINT pk_audit_identity PRIMARY KEY
    CONSTRAINT fk_audit_identity_audit_event REFERENCES audit_event ON DELETE CASCADE,
  subject_id uuid NOT NULL,
  face_id uuid,
  external_id text,
  image_name text,
  image_sha256 bytea
);
CREATE INDEX ix_audit_identity_subject_id ON audit_identity (subject_id);
CREATE INDEX ix_audit_identity_face_id ON audit_identity (face_id);
CREATE INDEX ix_audit_identity_external_id ON audit_identity (external_id);

-- one for each version that erased faces, whoever asked for it; version is null where the whole
-- gallery went. What has happened since is filled in: every live replica passed it, and the space
-- that the rows had in the data files was given back.
CREATE TABLE erasure (
  id uuid CONSTRAINT pk_erasure PRIMARY KEY DEFAULT uuid_v7(),
  gallery_id uuid NOT NULL,
  version bigint,
  mark uuid,
  erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  caller text NOT NULL,
  key_id uuid,
  request_id text,
  subjects integer NOT NULL,
  faces integer NOT NULL,
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  passed_at timestamptz,
  replicas text[] NOT NULL DEFAULT '{}',
  vacuumed_at timestamptz
);
CREATE INDEX ix_erasure_gallery_id_version ON erasure (gallery_id, version);
CREATE INDEX ix_erasure_erased_at ON erasure (erased_at) WHERE passed_at IS NULL;

-- everything up to an anchor may be deleted; what follows still hangs on its hash
CREATE TABLE audit_anchor (
  chain uuid NOT NULL,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  made_by text NOT NULL DEFAULT session_user,
  CONSTRAINT pk_audit_anchor PRIMARY KEY (chain, seq)
);
"""

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

# What happened to subjects, faces and embeddings, a row each; identities go as their rows do.
NOTE = """
CREATE FUNCTION audit_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    WITH noted AS (
      INSERT INTO audit_event (action, gallery_id, subject_id)
      SELECT 'create_subject', gallery_id, id FROM became RETURNING id, subject_id)
    INSERT INTO audit_identity (event_id, subject_id, external_id)
    SELECT noted.id, subject_id, external_id FROM noted JOIN became ON became.id = subject_id;
  ELSIF TG_OP = 'UPDATE' THEN
    WITH noted AS (
      INSERT INTO audit_event (action, gallery_id, subject_id, detail)
      SELECT CASE WHEN b.external_id <> c.external_id THEN 'rename_subject'
                  ELSE 'change_subject' END,
             b.gallery_id, b.id,
             jsonb_build_object('changed', audit_changed(to_jsonb(c), to_jsonb(b)))
        FROM changed c JOIN became b USING (id)
       WHERE to_jsonb(c) <> to_jsonb(b) RETURNING id, subject_id)
    INSERT INTO audit_identity (event_id, subject_id, external_id)
    SELECT noted.id, subject_id, external_id FROM noted JOIN became ON became.id = subject_id;
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id)
    SELECT 'delete_subject', gallery_id, id FROM changed;
    DELETE FROM audit_identity WHERE subject_id IN (SELECT id FROM changed);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION audit_face() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    WITH noted AS (
      INSERT INTO audit_event (action, gallery_id, subject_id, face_id)
      SELECT 'enrol', gallery_id, subject_id, id FROM became RETURNING id, subject_id, face_id)
    INSERT INTO audit_identity
      (event_id, subject_id, face_id, external_id, image_name, image_sha256)
    SELECT noted.id, noted.subject_id, face_id, s.external_id, f.image_name, f.image_sha256
      FROM noted JOIN became f ON f.id = face_id LEFT JOIN subject s ON s.id = noted.subject_id;
  ELSIF TG_OP = 'UPDATE' THEN
    WITH noted AS (
      INSERT INTO audit_event (action, gallery_id, subject_id, face_id, detail)
      SELECT CASE WHEN b.subject_id <> c.subject_id THEN 'move_face' ELSE 'change_face' END,
             b.gallery_id, b.subject_id, b.id,
             jsonb_build_object('changed', audit_changed(to_jsonb(c), to_jsonb(b)),
                                'from_subject', c.subject_id)
        FROM changed c JOIN became b USING (id)
       WHERE to_jsonb(c) <> to_jsonb(b) RETURNING id, subject_id, face_id)
    INSERT INTO audit_identity
      (event_id, subject_id, face_id, external_id, image_name, image_sha256)
    SELECT noted.id, noted.subject_id, face_id, s.external_id, f.image_name, f.image_sha256
      FROM noted JOIN became f ON f.id = face_id LEFT JOIN subject s ON s.id = noted.subject_id;
    -- what is known of a face belongs to whom the face belongs to
    UPDATE audit_identity i SET subject_id = b.subject_id
      FROM became b WHERE i.face_id = b.id AND i.subject_id <> b.subject_id;
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id)
    SELECT 'delete_face', gallery_id, subject_id, id FROM changed;
    DELETE FROM audit_identity WHERE face_id IN (SELECT id FROM changed);
  END IF;
  RETURN NULL;
END $$;

-- a face's own embedding comes and goes with it, and is told of there
CREATE FUNCTION audit_embedding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id, space_id)
    SELECT 'add_embedding', f.gallery_id, f.subject_id, f.id, b.space_id
      FROM became b JOIN face f ON f.id = b.face_id
     WHERE NOT EXISTS (SELECT FROM audit_event e WHERE e.face_id = f.id AND e.action = 'enrol'
                                                   AND e.tx = pg_current_xact_id());
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id, space_id)
    SELECT 'change_embedding', b.gallery_id, f.subject_id, b.face_id, b.space_id
      FROM became b LEFT JOIN face f ON f.id = b.face_id;
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id, space_id)
    SELECT 'delete_embedding', f.gallery_id, f.subject_id, f.id, c.space_id
      FROM changed c JOIN face f ON f.id = c.face_id;
  END IF;
  RETURN NULL;
END $$;

-- before: afterwards nobody knows what there was
CREATE FUNCTION audit_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'subject' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id)
    SELECT 'delete_subject', gallery_id, id FROM subject;
    DELETE FROM audit_identity;
  ELSIF TG_TABLE_NAME = 'face' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id)
    SELECT 'delete_face', gallery_id, subject_id, id FROM face;
    DELETE FROM audit_identity WHERE face_id IS NOT NULL;
  ELSE
    INSERT INTO audit_event (action, gallery_id, face_id, space_id)
    SELECT 'delete_embedding', gallery_id, face_id, space_id FROM face_embedding;
  END IF;
  RETURN NULL;
END $$;

-- names of columns only: their values identify people
CREATE FUNCTION audit_changed(before jsonb, after jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(a.key ORDER BY a.key), '[]') FROM jsonb_each(after) a
    JOIN jsonb_each(before) b USING (key) WHERE a.value IS DISTINCT FROM b.value
$$;

-- settings of galleries are nobody's data: before and after are told
CREATE FUNCTION audit_gallery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  own text[] := '{id,version,mark,prev_mark,updated_at,created_at}';
  told jsonb;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit_event (action, gallery_id, detail)
    VALUES ('create_gallery', NEW.id, to_jsonb(NEW) - own);
  ELSIF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(a.key, jsonb_build_array(b.value, a.value)) INTO told
      FROM jsonb_each(to_jsonb(NEW) - own) a JOIN jsonb_each(to_jsonb(OLD) - own) b USING (key)
     WHERE a.value IS DISTINCT FROM b.value;
    IF told IS NOT NULL THEN
      INSERT INTO audit_event (action, gallery_id, detail) VALUES ('change_gallery', NEW.id, told);
    END IF;
  ELSE
    INSERT INTO audit_event (action, gallery_id, space_id, threshold, gallery_version, detail)
    VALUES ('delete_gallery', OLD.id, OLD.space_id, OLD.threshold, OLD.version,
            jsonb_build_object('name', OLD.name));
  END IF;
  RETURN NULL;
END $$;

-- never a hash; which key it is about stands in detail, who did it in key_id
CREATE FUNCTION audit_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  k api_key;
  what text := 'change_key';
BEGIN
  IF TG_OP = 'DELETE' THEN k := OLD; ELSE k := NEW; END IF;
  IF TG_OP = 'INSERT' THEN what := 'create_key';
  ELSIF TG_OP = 'DELETE' THEN what := 'delete_key';
  ELSIF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN what := 'revoke_key';
  ELSIF OLD.key_hash <> NEW.key_hash THEN what := 'rotate_key';
  END IF;
  INSERT INTO audit_event (action, detail)
  VALUES (what, jsonb_build_object('key', k.id, 'prefix', k.prefix, 'name', k.name,
                                   'scopes', k.scopes, 'all_galleries', k.all_galleries,
                                   'expires_at', k.expires_at));
  RETURN NULL;
END $$;
CREATE FUNCTION audit_key_gallery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit_event (action, gallery_id, detail)
    VALUES ('admit_key', NEW.gallery_id, jsonb_build_object('key', NEW.key_id));
  ELSE
    INSERT INTO audit_event (action, gallery_id, detail)
    VALUES ('exclude_key', OLD.gallery_id, jsonb_build_object('key', OLD.key_id));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION audit_calibration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_event (action, gallery_id, space_id, threshold, detail)
  VALUES ('calibrate', NEW.gallery_id, NEW.space_id, NEW.threshold,
          jsonb_build_object('fpir', NEW.fpir, 'subjects', NEW.subjects, 'faces', NEW.faces));
  RETURN NULL;
END $$;
"""

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
