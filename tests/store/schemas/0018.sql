SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA audit;
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
CREATE TYPE public.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);
CREATE TYPE public.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);
CREATE TYPE public.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);
CREATE FUNCTION public.audit_calibration() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO audit_event (action, gallery_id, space_id, threshold, detail)
  VALUES ('calibrate', NEW.gallery_id, NEW.space_id, NEW.threshold,
          jsonb_build_object('fpir', NEW.fpir, 'subjects', NEW.subjects, 'faces', NEW.faces));
  RETURN NULL;
END $$;
CREATE FUNCTION public.audit_caller() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT coalesce(nullif(current_setting('facematch.caller', true), ''), '{}')::jsonb
$$;
CREATE FUNCTION public.audit_changed(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT coalesce(jsonb_agg(a.key ORDER BY a.key), '[]') FROM jsonb_each(after) a
    JOIN jsonb_each(before) b USING (key) WHERE a.value IS DISTINCT FROM b.value
$$;
CREATE FUNCTION public.audit_clear() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_clear_all() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_complete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    IF who ->> 'name' IS NULL THEN
      NEW.address := host(inet_client_addr());
      IF current_setting('role') NOT IN ('none', session_user) THEN
        NEW.detail := NEW.detail || jsonb_build_object('role', current_setting('role'));
      END IF;
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION public.audit_consent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_embedding() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_face() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_gallery() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_keep() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_key_gallery() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_number(c uuid, g_version bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
CREATE FUNCTION public.audit_prune(old timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
CREATE FUNCTION public.audit_reembedding() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.audit_subject() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.audit_event (
    id bigint NOT NULL,
    chain uuid NOT NULL,
    seq bigint,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    action text NOT NULL,
    outcome text DEFAULT 'done'::text NOT NULL,
    caller text NOT NULL,
    key_id uuid,
    sql_user text DEFAULT SESSION_USER NOT NULL,
    request_id text,
    address text,
    gallery_id uuid,
    subject_id uuid,
    face_id uuid,
    space_id uuid,
    threshold double precision,
    gallery_version bigint,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    prev_hash bytea,
    hash bytea,
    CONSTRAINT ck_audit_event_action CHECK ((action ~ '^[a-z_]{1,40}$'::text)),
    CONSTRAINT ck_audit_event_detail CHECK ((jsonb_typeof(detail) = 'object'::text)),
    CONSTRAINT ck_audit_event_numbered CHECK ((((seq IS NULL) = (hash IS NULL)) AND ((seq IS NULL) = (prev_hash IS NULL)))),
    CONSTRAINT ck_audit_event_outcome CHECK ((outcome ~ '^[a-z_]{1,40}$'::text))
);
CREATE FUNCTION public.audit_text(e public.audit_event) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT convert_to(string_agg(coalesce(octet_length(v) || ':' || v, '~'), ',' ORDER BY n), 'UTF8')
    FROM unnest(ARRAY[
      e.chain::text, e.seq::text, (extract(epoch FROM e.occurred_at) * 1000000)::bigint::text,
      e.action, e.outcome, e.caller, e.key_id::text, e.sql_user, e.request_id, e.address,
      e.gallery_id::text, e.subject_id::text, e.face_id::text, e.space_id::text,
      encode(float8send(e.threshold), 'hex'), e.gallery_version::text, e.detail::text
    ]) WITH ORDINALITY AS t (v, n)
$$;
CREATE FUNCTION public.audit_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF TG_TABLE_NAME = 'subject' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id)
    SELECT 'delete_subject', gallery_id, id FROM subject;
    DELETE FROM audit_identity;
  ELSIF TG_TABLE_NAME = 'face' THEN
    INSERT INTO audit_event (action, gallery_id, subject_id, face_id)
    SELECT 'delete_face', gallery_id, subject_id, id FROM face;
    DELETE FROM audit_identity WHERE face_id IS NOT NULL;
  ELSIF TG_TABLE_NAME = 'face_embedding' THEN
    INSERT INTO audit_event (action, gallery_id, face_id, space_id)
    SELECT 'delete_embedding', gallery_id, face_id, space_id FROM face_embedding;
  ELSIF TG_TABLE_NAME = 'gallery' THEN
    INSERT INTO audit_event (action, gallery_id, space_id, threshold, gallery_version, detail)
    SELECT 'delete_gallery', id, space_id, threshold, version, jsonb_build_object('name', name)
      FROM gallery;
  ELSIF TG_TABLE_NAME = 'api_key' THEN
    INSERT INTO audit_event (action, detail)
    SELECT 'delete_key', jsonb_build_object('key', id, 'prefix', prefix, 'name', name) FROM api_key;
  ELSIF TG_TABLE_NAME = 'api_key_gallery' THEN
    INSERT INTO audit_event (action, gallery_id, detail)
    SELECT 'exclude_key', gallery_id, jsonb_build_object('key', key_id) FROM api_key_gallery;
  ELSE
    INSERT INTO audit_event (action, gallery_id, subject_id, detail)
    SELECT 'delete_consent', gallery_id, subject_id, jsonb_build_object('consent', id) FROM consent;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.consent_required() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF EXISTS (SELECT FROM gallery WHERE id = NEW.gallery_id AND consent_required)
     AND EXISTS (SELECT FROM face WHERE id = NEW.id)
     AND NOT EXISTS (SELECT FROM consent WHERE gallery_id = NEW.gallery_id
                       AND subject_id = NEW.subject_id
                       AND withdrawn_at IS NULL
                       AND given_at <= clock_timestamp()
                       AND (expires_at IS NULL OR expires_at > clock_timestamp())) THEN
    RAISE EXCEPTION 'the gallery demands a consent, and the subject has no valid one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_face_consent', TABLE = 'face';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.facematch_grant() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  home text := current_schema();
  protected text := 'audit_event, audit_chain, audit_identity, audit_anchor, erasure,'
                    ' alembic_version';
BEGIN
  IF to_regrole('facematch_auditor') IS NOT NULL THEN
    GRANT USAGE ON SCHEMA audit TO facematch_auditor;
    GRANT SELECT ON ALL TABLES IN SCHEMA audit TO facematch_auditor;
  END IF;
  IF to_regrole('facematch_app') IS NOT NULL THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO facematch_app', home);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I'
                   ' TO facematch_app', home);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO facematch_app', home);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM facematch_app', protected);
    GRANT INSERT ON audit_event TO facematch_app;
    GRANT UPDATE (passed_at, replicas, vacuumed_at) ON erasure TO facematch_app;
  END IF;
END $$;
CREATE FUNCTION public.feed_gallery() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM pg_notify('gallery', '');
  RETURN NULL;
END $$;
CREATE FUNCTION public.feed_note() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
CREATE FUNCTION public.feed_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean, more uuid[] DEFAULT NULL::uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO gallery_change (gallery_id, subjects, faces, everything, grew, gained)
  SELECT id, CASE kind WHEN 'subject' THEN ids ELSE '{}' END,
         CASE kind WHEN 'face' THEN ids ELSE '{}' END, kind = 'everything', grown,
         coalesce(more, '{}')
    FROM gallery WHERE id = g;
END $$;
CREATE FUNCTION public.feed_space() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM feed_record(NEW.id, 'face', '{}', false);
  RETURN NULL;
END $$;
CREATE FUNCTION public.gallery_unmatched_since() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
END $$;
CREATE FUNCTION public.photograph_kept() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(
    hashtextextended('facematch photographs ' || NEW.gallery_id, 0));
  -- with a snapshot of its own: what was changed before the lock was ours is seen
  IF EXISTS (SELECT FROM gallery WHERE id = NEW.gallery_id AND keep_photographs = NEW.kind) THEN
    RETURN NEW;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.photograph_policy() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF EXISTS (SELECT FROM kept_photograph
              WHERE gallery_id = NEW.id AND kind = NEW.keep_photographs) THEN
    RAISE EXCEPTION 'photographs that the gallery kept before are still to be deleted'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_gallery_photographs_deleted',
            TABLE = 'gallery', HINT = 'facematch photographs keep GALLERY none';
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION public.photograph_replaced() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  DELETE FROM kept_photograph WHERE face_id = NEW.id;
  RETURN NULL;
END $$;
CREATE FUNCTION public.photograph_rewritten() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF current_setting('facematch.rewritten', true) IS DISTINCT FROM 'kept_photograph'
     AND (SELECT pg_relation_size(oid) + pg_relation_size(reltoastrelid) > 0
            FROM pg_class WHERE oid = to_regclass('kept_photograph')) THEN
    NEW.vacuumed_at := NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION public.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;
CREATE FUNCTION public.procrastinate_defer_jobs_v1(jobs public.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;

    RETURN job_ids;
END;
$$;
CREATE FUNCTION public.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;

    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;

    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;

    RETURN _job_id;
END;
$$;
CREATE TABLE public.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    lock text,
    queueing_lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status public.procrastinate_job_status DEFAULT 'todo'::public.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::public.procrastinate_job_status) AND (abort_requested = true))))
);
CREATE FUNCTION public.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS public.procrastinate_jobs
    LANGUAGE plpgsql
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

 RETURN found_jobs;
END;
$$;
CREATE FUNCTION public.procrastinate_finish_job_v1(job_id bigint, end_status public.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;
CREATE FUNCTION public.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;
CREATE FUNCTION public.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;
CREATE FUNCTION public.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;
CREATE FUNCTION public.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;

END;
$$;
CREATE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);

	RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;
CREATE FUNCTION public.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;
CREATE FUNCTION public.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;
CREATE FUNCTION public.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;
CREATE FUNCTION public.reembedding_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM pg_notify('gallery', '');
  RETURN NULL;
END $$;
CREATE FUNCTION public.space_identity() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (NEW.model, NEW.dimension, NEW.detector, NEW.alignment)
       IS DISTINCT FROM (OLD.model, OLD.dimension, OLD.detector, OLD.alignment)
     OR (OLD.weights_sha256 IS NOT NULL
         AND NEW.weights_sha256 IS DISTINCT FROM OLD.weights_sha256) THEN
    RAISE EXCEPTION 'an embedding space cannot become another one'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_embedding_space_identity',
            HINT = 'Insert a new embedding_space, and a gallery bound to it.';
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION public.subject_lifetime() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  SELECT NEW.created_at + make_interval(secs => subject_lifetime_s) INTO NEW.expires_at
    FROM gallery WHERE id = NEW.gallery_id;
  RETURN NEW;
END $$;
CREATE FUNCTION public.subject_limit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
CREATE FUNCTION public.uuid_v7() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    AS $$
  SELECT encode(set_bit(set_bit(overlay(
           uuid_send(gen_random_uuid())
           PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                             FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
CREATE TABLE public.audit_identity (
    event_id bigint NOT NULL,
    subject_id uuid NOT NULL,
    face_id uuid,
    external_id text,
    image_name text,
    image_sha256 bytea
);
CREATE TABLE public.embedding_space (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    model text NOT NULL,
    dimension integer NOT NULL,
    weights_sha256 text,
    detector text NOT NULL,
    alignment text NOT NULL,
    default_threshold double precision NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_embedding_space_alignment CHECK ((alignment = ANY (ARRAY['native'::text, 'deepface'::text]))),
    CONSTRAINT ck_embedding_space_default_threshold CHECK (((default_threshold >= ('-1'::integer)::double precision) AND (default_threshold <= (1)::double precision))),
    CONSTRAINT ck_embedding_space_detector CHECK ((detector <> ''::text)),
    CONSTRAINT ck_embedding_space_dimension CHECK (((dimension >= 1) AND (dimension <= 16000))),
    CONSTRAINT ck_embedding_space_model CHECK ((model <> ''::text)),
    CONSTRAINT ck_embedding_space_weights_sha256 CHECK ((weights_sha256 ~ '^[0-9a-f]{64}$'::text))
);
CREATE TABLE public.gallery (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    name text NOT NULL,
    space_id uuid NOT NULL,
    threshold double precision NOT NULL,
    max_faces integer,
    version bigint DEFAULT 0 NOT NULL,
    mark uuid DEFAULT gen_random_uuid() NOT NULL,
    prev_mark uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    max_faces_per_subject integer DEFAULT 100 NOT NULL,
    subject_lifetime_s bigint,
    gates jsonb DEFAULT '{}'::jsonb NOT NULL,
    audit_searches text DEFAULT 'all'::text NOT NULL,
    consent_required boolean DEFAULT false NOT NULL,
    unmatched_lifetime_s bigint,
    unmatched_since timestamp with time zone,
    keep_photographs text DEFAULT 'none'::text NOT NULL,
    CONSTRAINT ck_gallery_audit_searches CHECK ((audit_searches = ANY (ARRAY['all'::text, 'matches'::text, 'none'::text]))),
    CONSTRAINT ck_gallery_gates CHECK (((jsonb_typeof(gates) = 'object'::text) AND ((gates - '{one_face,quality,new_photograph,new_person,own_likeness}'::text[]) = '{}'::jsonb) AND (NOT jsonb_path_exists(gates, '$.*?(@.type() != "boolean")'::jsonpath)))),
    CONSTRAINT ck_gallery_keep_photographs CHECK ((keep_photographs = ANY (ARRAY['none'::text, 'originals'::text, 'chips'::text]))),
    CONSTRAINT ck_gallery_max_faces_per_subject CHECK ((max_faces_per_subject >= 1)),
    CONSTRAINT ck_gallery_max_faces_positive CHECK ((max_faces >= 1)),
    CONSTRAINT ck_gallery_name CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 255)) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
    CONSTRAINT ck_gallery_subject_lifetime_s CHECK (((subject_lifetime_s >= 1) AND (subject_lifetime_s <= '3155760000'::bigint))),
    CONSTRAINT ck_gallery_threshold CHECK (((threshold >= ('-1'::integer)::double precision) AND (threshold <= (1)::double precision))),
    CONSTRAINT ck_gallery_unmatched_lifetime_s CHECK (((unmatched_lifetime_s >= 1) AND (unmatched_lifetime_s <= '3155760000'::bigint))),
    CONSTRAINT ck_gallery_unmatched_recorded CHECK (((unmatched_lifetime_s IS NULL) OR (audit_searches <> 'none'::text)))
)
WITH (fillfactor='50');
CREATE VIEW audit.enrolment_history AS
 SELECT e.chain,
    e.seq,
    e.occurred_at,
    e.action,
    e.outcome,
    e.caller,
    e.key_id,
    e.sql_user,
    e.request_id,
    e.address,
    g.name AS gallery,
    e.gallery_id,
    e.subject_id,
    e.face_id,
    i.external_id AS subject,
    i.image_name,
    encode(i.image_sha256, 'hex'::text) AS image_sha256,
    p.model,
    e.threshold,
    e.gallery_version,
    e.detail
   FROM (((public.audit_event e
     LEFT JOIN public.audit_identity i ON ((i.event_id = e.id)))
     LEFT JOIN public.gallery g ON ((g.id = e.gallery_id)))
     LEFT JOIN public.embedding_space p ON ((p.id = e.space_id)))
  WHERE (e.action <> ALL (ARRAY['search'::text, 'verify'::text, 'export'::text]));
CREATE TABLE public.face (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    image_sha256 bytea,
    image_name text,
    box integer[],
    quality jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT ck_face_box CHECK (((array_ndims(box) = 1) AND (cardinality(box) = 4) AND (array_position(box, NULL::integer) IS NULL))),
    CONSTRAINT ck_face_created_at CHECK (((created_at >= '0001-01-02 00:00:00+00'::timestamp with time zone) AND (created_at < '9999-12-31 00:00:00+00'::timestamp with time zone))),
    CONSTRAINT ck_face_image_sha256 CHECK ((octet_length(image_sha256) = 32))
);
CREATE TABLE public.kept_photograph (
    face_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    kind text NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT ck_kept_photograph_key_id CHECK ((key_id ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT ck_kept_photograph_kind CHECK ((kind = ANY (ARRAY['originals'::text, 'chips'::text]))),
    CONSTRAINT ck_kept_photograph_sealed CHECK ((octet_length(sealed) > 28))
);
ALTER TABLE ONLY public.kept_photograph ALTER COLUMN sealed SET STATISTICS 0;
ALTER TABLE ONLY public.kept_photograph ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE TABLE public.subject (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    external_id text NOT NULL COLLATE pg_catalog."C",
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT ck_subject_created_at CHECK (((created_at >= '0001-01-02 00:00:00+00'::timestamp with time zone) AND (created_at < '9999-12-31 00:00:00+00'::timestamp with time zone))),
    CONSTRAINT ck_subject_expires_at CHECK (((expires_at >= '0001-01-02 00:00:00+00'::timestamp with time zone) AND (expires_at < '9999-12-31 00:00:00+00'::timestamp with time zone))),
    CONSTRAINT ck_subject_external_id_blank CHECK ((external_id ~ '[^ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'::text)),
    CONSTRAINT ck_subject_external_id_control CHECK ((external_id !~ '[\u0001-\u001f\u007f-\u009f]'::text)),
    CONSTRAINT ck_subject_external_id_length CHECK (((char_length(external_id) >= 1) AND (char_length(external_id) <= 255))),
    CONSTRAINT ck_subject_metadata CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT ck_subject_metadata_depth CHECK ((NOT jsonb_path_exists(metadata, 'strict $.**{17 to last}'::jsonpath))),
    CONSTRAINT ck_subject_metadata_numbers CHECK ((NOT jsonb_path_exists(metadata, 'strict $.**?(@ > 179769313486231570000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 || @ < -179769313486231570000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000)'::jsonpath))),
    CONSTRAINT ck_subject_metadata_size CHECK ((octet_length((metadata)::text) <= 16384))
);
CREATE VIEW audit.enrolments AS
 SELECT g.name AS gallery,
    s.external_id AS subject,
    f.id AS face_id,
    f.subject_id,
    f.created_at,
    f.created_by,
    e.key_id,
    e.sql_user,
    e.request_id,
    e.address,
    f.image_name,
    encode(f.image_sha256, 'hex'::text) AS image_sha256,
    p.model,
    p.detector,
    p.alignment,
    p.weights_sha256,
    e.threshold,
    e.gallery_version,
    s.expires_at,
    k.kind AS kept_photograph
   FROM (((((public.face f
     JOIN public.subject s ON ((s.id = f.subject_id)))
     JOIN public.gallery g ON ((g.id = f.gallery_id)))
     LEFT JOIN LATERAL ( SELECT audit_event.id,
            audit_event.chain,
            audit_event.seq,
            audit_event.occurred_at,
            audit_event.action,
            audit_event.outcome,
            audit_event.caller,
            audit_event.key_id,
            audit_event.sql_user,
            audit_event.request_id,
            audit_event.address,
            audit_event.gallery_id,
            audit_event.subject_id,
            audit_event.face_id,
            audit_event.space_id,
            audit_event.threshold,
            audit_event.gallery_version,
            audit_event.detail,
            audit_event.tx,
            audit_event.prev_hash,
            audit_event.hash
           FROM public.audit_event
          WHERE ((audit_event.face_id = f.id) AND ((audit_event.action = 'enrol'::text) OR ((audit_event.action = ANY (ARRAY['change_face'::text, 'move_face'::text])) AND ((audit_event.detail -> 'changed'::text) ?| '{created_at,image_sha256}'::text[]))))
          ORDER BY audit_event.seq DESC
         LIMIT 1) e ON (true))
     LEFT JOIN public.embedding_space p ON ((p.id = COALESCE(e.space_id, g.space_id))))
     LEFT JOIN public.kept_photograph k ON ((k.face_id = f.id)));
CREATE VIEW audit.erasures AS
 SELECT e.occurred_at,
    e.caller,
    e.key_id,
    e.sql_user,
    e.request_id,
    e.address,
    g.name AS gallery,
    e.gallery_id,
    e.subject_id,
    e.face_id,
    e.gallery_version
   FROM (public.audit_event e
     LEFT JOIN public.gallery g ON ((g.id = e.gallery_id)))
  WHERE (e.action = 'delete_face'::text);
CREATE VIEW audit.exports AS
 SELECT e.occurred_at,
    e.caller,
    e.key_id,
    e.sql_user,
    e.request_id,
    e.address,
    g.name AS gallery,
    e.gallery_id,
    s.external_id AS subject,
    e.subject_id,
    (e.detail ->> 'of'::text) AS what,
    ((e.detail ->> 'faces'::text))::bigint AS faces,
    e.gallery_version,
    COALESCE(((e.detail ->> 'photographs'::text))::boolean, false) AS photographs
   FROM ((public.audit_event e
     LEFT JOIN public.gallery g ON ((g.id = e.gallery_id)))
     LEFT JOIN public.subject s ON ((s.id = e.subject_id)))
  WHERE (e.action = 'export'::text);
CREATE VIEW audit.key_usage AS
 SELECT e.key_id,
    e.caller,
    e.gallery_id,
    g.name AS gallery,
    e.action,
    e.outcome,
    count(*) AS events,
    min(e.occurred_at) AS first_at,
    max(e.occurred_at) AS last_at
   FROM (public.audit_event e
     LEFT JOIN public.gallery g ON ((g.id = e.gallery_id)))
  GROUP BY e.key_id, e.caller, e.gallery_id, g.name, e.action, e.outcome;
CREATE VIEW audit.searches AS
 SELECT e.occurred_at,
    e.action,
    e.outcome,
    e.caller,
    e.key_id,
    e.request_id,
    e.address,
    g.name AS gallery,
    e.gallery_id,
    e.subject_id,
    s.external_id AS subject,
    e.face_id,
    ((e.detail ->> 'similarity'::text))::double precision AS similarity,
    p.model,
    e.threshold,
    e.gallery_version
   FROM (((public.audit_event e
     LEFT JOIN public.gallery g ON ((g.id = e.gallery_id)))
     LEFT JOIN public.subject s ON ((s.id = e.subject_id)))
     LEFT JOIN public.embedding_space p ON ((p.id = e.space_id)))
  WHERE (e.action = ANY (ARRAY['search'::text, 'verify'::text]));
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
COMMENT ON TABLE public.alembic_version IS 'runs from 0016';
CREATE TABLE public.api_key (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    prefix text NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL,
    previous_hash bytea,
    previous_until timestamp with time zone,
    scopes text[] NOT NULL,
    all_galleries boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text DEFAULT SESSION_USER NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT ck_api_key_expires_at CHECK (((expires_at > created_at) AND (expires_at < '9999-12-31 00:00:00+00'::timestamp with time zone))),
    CONSTRAINT ck_api_key_finite CHECK ((isfinite(created_at) AND isfinite(revoked_at))),
    CONSTRAINT ck_api_key_key_hash CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT ck_api_key_name CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 255)) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
    CONSTRAINT ck_api_key_prefix CHECK ((prefix ~ '^fm_[a-z2-7]{8}$'::text)),
    CONSTRAINT ck_api_key_previous_hash CHECK (((octet_length(previous_hash) = 32) AND (previous_hash <> key_hash))),
    CONSTRAINT ck_api_key_previous_until CHECK (((previous_hash IS NULL) = (previous_until IS NULL))),
    CONSTRAINT ck_api_key_scopes CHECK (((cardinality(scopes) >= 1) AND (array_ndims(scopes) = 1) AND (scopes <@ '{search,enrol,read,export,admin}'::text[])))
);
CREATE TABLE public.api_key_gallery (
    key_id uuid NOT NULL,
    gallery_id uuid NOT NULL
);
CREATE TABLE public.api_key_pepper (
    sole boolean DEFAULT true NOT NULL,
    pepper bytea NOT NULL,
    CONSTRAINT ck_api_key_pepper_pepper CHECK ((octet_length(pepper) = 32)),
    CONSTRAINT ck_api_key_pepper_sole CHECK (sole)
);
CREATE TABLE public.audit_anchor (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    made_by text DEFAULT SESSION_USER NOT NULL
);
CREATE TABLE public.audit_chain (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT ck_audit_chain_hash CHECK ((octet_length(hash) = 32))
)
WITH (fillfactor='50');
ALTER TABLE public.audit_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.consent (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    text_version text NOT NULL,
    purpose text NOT NULL,
    given_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    recorded_by text DEFAULT SESSION_USER NOT NULL,
    withdrawn_at timestamp with time zone,
    CONSTRAINT ck_consent_expires_at CHECK ((expires_at > given_at)),
    CONSTRAINT ck_consent_purpose CHECK (((char_length(purpose) >= 1) AND (char_length(purpose) <= 1000))),
    CONSTRAINT ck_consent_text_version CHECK (((char_length(text_version) >= 1) AND (char_length(text_version) <= 255))),
    CONSTRAINT ck_consent_withdrawn_at CHECK (((withdrawn_at >= GREATEST(given_at, '0001-01-02 00:00:00+00'::timestamp with time zone)) AND (withdrawn_at < '9999-12-31 00:00:00+00'::timestamp with time zone)))
);
CREATE TABLE public.erasure (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    version bigint,
    mark uuid,
    erased_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    caller text NOT NULL,
    key_id uuid,
    request_id text,
    subjects integer NOT NULL,
    faces integer NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    passed_at timestamp with time zone,
    replicas text[] DEFAULT '{}'::text[] NOT NULL,
    vacuumed_at timestamp with time zone
);
CREATE TABLE public.face_embedding (
    face_id uuid NOT NULL,
    space_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    dimension integer GENERATED ALWAYS AS (public.vector_dims(vec)) STORED NOT NULL,
    vec public.vector NOT NULL,
    CONSTRAINT ck_face_embedding_unit_length CHECK ((abs((public.vector_norm(vec) - (1)::double precision)) <= (0.00001)::double precision))
);
ALTER TABLE ONLY public.face_embedding ALTER COLUMN vec SET STATISTICS 0;
CREATE TABLE public.gallery_calibration (
    gallery_id uuid NOT NULL,
    space_id uuid NOT NULL,
    fpir double precision NOT NULL,
    threshold double precision NOT NULL,
    threshold_low double precision NOT NULL,
    threshold_high double precision NOT NULL,
    subjects integer NOT NULL,
    faces integer NOT NULL,
    suspects integer NOT NULL,
    tail_start double precision NOT NULL,
    tail_share double precision NOT NULL,
    tail_power double precision NOT NULL,
    version bigint NOT NULL,
    release text NOT NULL,
    calibrated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_gallery_calibration_counts CHECK (((subjects >= 2) AND (faces >= subjects) AND (suspects >= 0))),
    CONSTRAINT ck_gallery_calibration_fpir CHECK (((fpir > (0)::double precision) AND (fpir < (1)::double precision))),
    CONSTRAINT ck_gallery_calibration_release CHECK ((release <> ''::text)),
    CONSTRAINT ck_gallery_calibration_tail CHECK (((tail_start >= ('-1'::integer)::double precision) AND (tail_start < (1)::double precision) AND (tail_share > (0)::double precision) AND (tail_share <= (1)::double precision) AND (tail_power > (0)::double precision) AND (tail_power < 'Infinity'::double precision))),
    CONSTRAINT ck_gallery_calibration_threshold CHECK (((('-1'::integer)::double precision <= threshold_low) AND (threshold_low <= threshold) AND (threshold <= threshold_high) AND (threshold_high <= (1)::double precision)))
);
CREATE TABLE public.gallery_change (
    id bigint NOT NULL,
    gallery_id uuid NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    version bigint,
    mark uuid,
    prev_mark uuid,
    at timestamp with time zone DEFAULT now() NOT NULL,
    subjects uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    faces uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    everything boolean DEFAULT false NOT NULL,
    grew boolean DEFAULT false NOT NULL,
    gained uuid[] DEFAULT '{}'::uuid[] NOT NULL
);
ALTER TABLE public.gallery_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.gallery_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idempotency_key (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer NOT NULL,
    headers jsonb NOT NULL,
    body bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    about uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT ck_idempotency_key_fingerprint CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT ck_idempotency_key_key CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255))),
    CONSTRAINT ck_idempotency_key_status CHECK (((status >= 200) AND (status <= 299)))
);
CREATE TABLE public.import_item (
    job_id uuid NOT NULL,
    number integer NOT NULL,
    file text,
    external_id text COLLATE pg_catalog."C",
    metadata jsonb,
    photograph bytea,
    image_sha256 bytea,
    embedding bytea,
    status text DEFAULT 'waiting'::text NOT NULL,
    code text,
    reason text,
    face_id uuid,
    attempts integer DEFAULT 0 NOT NULL,
    claimed_by uuid,
    claimed_until timestamp with time zone,
    done_at timestamp with time zone,
    consent jsonb,
    CONSTRAINT ck_import_item_claim CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT ck_import_item_code CHECK ((num_nonnulls(code, reason) =
CASE
    WHEN (status = ANY (ARRAY['skipped'::text, 'rejected'::text])) THEN 2
    ELSE 0
END)),
    CONSTRAINT ck_import_item_consent CHECK ((jsonb_typeof(consent) = 'object'::text)),
    CONSTRAINT ck_import_item_done_at CHECK (((done_at IS NULL) = (status = 'waiting'::text))),
    CONSTRAINT ck_import_item_face_id CHECK (((face_id IS NOT NULL) = (status = 'enrolled'::text))),
    CONSTRAINT ck_import_item_image_sha256 CHECK ((((image_sha256 IS NULL) = (photograph IS NULL)) AND (octet_length(image_sha256) = 32))),
    CONSTRAINT ck_import_item_number CHECK ((number >= 1)),
    CONSTRAINT ck_import_item_payload CHECK (
CASE
    WHEN (status = 'waiting'::text) THEN (num_nonnulls(photograph, embedding) = 1)
    ELSE (num_nonnulls(photograph, embedding, image_sha256, metadata, consent, claimed_by) = 0)
END),
    CONSTRAINT ck_import_item_status CHECK ((status = ANY (ARRAY['waiting'::text, 'enrolled'::text, 'skipped'::text, 'rejected'::text, 'cancelled'::text])))
);
ALTER TABLE ONLY public.import_item ALTER COLUMN photograph SET STATISTICS 0;
ALTER TABLE ONLY public.import_item ALTER COLUMN photograph SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.import_item ALTER COLUMN embedding SET STATISTICS 0;
CREATE TABLE public.import_job (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    space_id uuid NOT NULL,
    created_by text NOT NULL,
    key_id uuid,
    request_id text,
    address text,
    several boolean NOT NULL,
    state text DEFAULT 'uploading'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT ck_import_job_finished_at CHECK (((finished_at IS NOT NULL) = (state = ANY (ARRAY['finished'::text, 'cancelled'::text])))),
    CONSTRAINT ck_import_job_state CHECK ((state = ANY (ARRAY['uploading'::text, 'waiting'::text, 'running'::text, 'finished'::text, 'cancelled'::text])))
);
CREATE TABLE public.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type public.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);
CREATE SEQUENCE public.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.procrastinate_events_id_seq OWNED BY public.procrastinate_events.id;
CREATE SEQUENCE public.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.procrastinate_jobs_id_seq OWNED BY public.procrastinate_jobs.id;
CREATE TABLE public.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);
CREATE SEQUENCE public.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.procrastinate_periodic_defers_id_seq OWNED BY public.procrastinate_periodic_defers.id;
CREATE TABLE public.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.reembedding (
    gallery_id uuid NOT NULL,
    space_id uuid NOT NULL,
    threshold double precision NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    switched_at timestamp with time zone,
    CONSTRAINT ck_reembedding_threshold CHECK (((threshold >= ('-1'::integer)::double precision) AND (threshold <= (1)::double precision)))
);
CREATE TABLE public.reembedding_failure (
    face_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    failed_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.replica (
    id uuid NOT NULL,
    name text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    checked_at timestamp with time zone,
    differences integer DEFAULT 0 NOT NULL,
    CONSTRAINT ck_replica_differences CHECK ((differences >= 0))
)
WITH (fillfactor='50');
CREATE TABLE public.replica_gallery (
    replica_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    version bigint NOT NULL,
    mark uuid NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    searchable uuid[]
)
WITH (fillfactor='50');
ALTER TABLE ONLY public.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_events_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_jobs_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_periodic_defers_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES
	('0018');
INSERT INTO public.api_key VALUES
	('00000000-0000-7000-8000-000000000051', 'fm_abcdefgh', 'door', '\x2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', NULL, NULL, '{search,enrol}', false, '2026-11-30 18:52:10.59056+00', 'postgres', NULL, NULL);
INSERT INTO public.api_key_gallery VALUES
	('00000000-0000-7000-8000-000000000051', '00000000-0000-7000-8000-000000000011');
INSERT INTO public.api_key_pepper VALUES
	(true, '\xaf0a446933a6275bb082eb5422acd6ae45fbfacb62ab135c832c9603188adae7');
INSERT INTO public.audit_chain VALUES
	('00000000-0000-0000-0000-000000000000', 7, '\xb8bb4e45a5ab127bb0d2695931b2cf5afa69577f87c3b76b869ac1e99440392e'),
	('00000000-0000-7000-8000-000000000011', 22, '\xf52204eb78f1ce4721caadf774efee6d2efc510a38d27cd47f2e58f7ca8c2ca5');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-0000-0000-000000000000', 1, '2026-11-30 18:52:11.090214+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0011", "from": "0010"}', '797', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x3078a75891cda3cddf1c1bf8d7f9b31b28e170848d717244670d7640d0b308f1'),
	(2, '00000000-0000-7000-8000-000000000011', 1, '2026-11-30 18:52:11.11298+00', 'delete_face', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001', 0.91, 10, '{}', '799', '\x0000000000000000000000000000000000000000000000000000000000000000', '\xeb9465cd8b7179a878474648d0aa4263ad0b59b2d6f0017a6b549d9dda5ecd57'),
	(3, '00000000-0000-7000-8000-000000000011', 2, '2026-11-30 18:52:11.129122+00', 'change_gallery', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000001', 0.91, 10, '{"threshold": [0.9, 0.91]}', '799', '\xeb9465cd8b7179a878474648d0aa4263ad0b59b2d6f0017a6b549d9dda5ecd57', '\xbdfe134d6170fd4aade17a25c3eb13ba5e94eadfa63e695b9f7820740de1b6ea'),
	(4, '00000000-0000-7000-8000-000000000011', 3, '2026-11-30 18:52:11.143915+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e007-72fe-b8f9-20948218ea39', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 11, '{}', '800', '\xbdfe134d6170fd4aade17a25c3eb13ba5e94eadfa63e695b9f7820740de1b6ea', '\xe6d4fe9ff8847ec9eda24d371354680a2ad9b4648cedc9190ef3179eed9d4c2a'),
	(5, '00000000-0000-7000-8000-000000000011', 4, '2026-11-30 18:52:11.147992+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e007-72fe-b8f9-20948218ea39', '01a22dcc-e00b-7740-8113-58eccb9ba20b', '00000000-0000-7000-8000-000000000001', 0.91, 11, '{}', '800', '\xe6d4fe9ff8847ec9eda24d371354680a2ad9b4648cedc9190ef3179eed9d4c2a', '\x1e2e702f684bb81ab48892d52340bb6d8e9f2df5fcd8aabd27db0096a57c1387'),
	(6, '00000000-0000-0000-0000-000000000000', 2, '2026-11-30 18:52:11.289765+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0012", "from": "0011"}', '801', '\x3078a75891cda3cddf1c1bf8d7f9b31b28e170848d717244670d7640d0b308f1', '\xc62c33f5b883a3ebdb6a221cfa588105d8647cb01f281129ce13a2fb76fee598'),
	(7, '00000000-0000-7000-8000-000000000011', 5, '2026-11-30 18:52:11.310332+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e0ac-7ed9-8aa5-4da197789736', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 12, '{}', '804', '\x1e2e702f684bb81ab48892d52340bb6d8e9f2df5fcd8aabd27db0096a57c1387', '\x8a4121d5e8a8f7aa7361c3cacf39e1daeae1dce790ea88c77f7021540ff0906e'),
	(8, '00000000-0000-7000-8000-000000000011', 6, '2026-11-30 18:52:11.320467+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e0ac-7ed9-8aa5-4da197789736', '01a22dcc-e0b5-719b-ba32-504a56c84701', '00000000-0000-7000-8000-000000000001', 0.91, 12, '{}', '804', '\x8a4121d5e8a8f7aa7361c3cacf39e1daeae1dce790ea88c77f7021540ff0906e', '\x69ab7509402f751aa69e514b93b0fd37bd4f03d5c4567fefe4f1177a7305872c'),
	(9, '00000000-0000-0000-0000-000000000000', 3, '2026-11-30 18:52:11.465792+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0013", "from": "0012"}', '806', '\xc62c33f5b883a3ebdb6a221cfa588105d8647cb01f281129ce13a2fb76fee598', '\xe5c45c5df3b4a4df42142d1f7c01dae703d9cb83bb14c80f6c52e3e52064a3b7'),
	(10, '00000000-0000-7000-8000-000000000011', 7, '2026-11-30 18:52:11.489258+00', 'record_consent', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 12, '{"consent": "00000000-0000-7000-8000-000000000071", "purpose": "entry by face", "given_at": "2026-11-30T18:52:11.486588+00:00", "expires_at": null, "text_version": "2026-11"}', '807', '\x69ab7509402f751aa69e514b93b0fd37bd4f03d5c4567fefe4f1177a7305872c', '\x401a3a1bbd4720f0921539c2e5e3c091a97e4b4fdeffdb404087ce0427f436fd'),
	(11, '00000000-0000-7000-8000-000000000011', 8, '2026-11-30 18:52:11.499179+00', 'change_gallery', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000001', 0.91, 12, '{"audit_searches": ["all", "matches"], "unmatched_since": [null, "2026-11-30T18:52:11.486588+00:00"], "unmatched_lifetime_s": [null, 94608000]}', '807', '\x401a3a1bbd4720f0921539c2e5e3c091a97e4b4fdeffdb404087ce0427f436fd', '\x8f0fe97e3e6009cd46e6140cbc9775593d85ae817b9c3ce2fee670620ecf257c'),
	(12, '00000000-0000-7000-8000-000000000011', 9, '2026-11-30 18:52:11.506115+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e171-7a8d-91ea-b0f3afc45c40', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 13, '{}', '808', '\x8f0fe97e3e6009cd46e6140cbc9775593d85ae817b9c3ce2fee670620ecf257c', '\x1fc4aef1cb56219347bb0d2220fe18409f3104dcff6d9ca8b65a589a3cdb5fc6'),
	(13, '00000000-0000-7000-8000-000000000011', 10, '2026-11-30 18:52:11.512987+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e171-7a8d-91ea-b0f3afc45c40', '01a22dcc-e177-7227-abb7-b378cf9765ca', '00000000-0000-7000-8000-000000000001', 0.91, 13, '{}', '808', '\x1fc4aef1cb56219347bb0d2220fe18409f3104dcff6d9ca8b65a589a3cdb5fc6', '\x20662353e69acbf11255013a7e4a6780b375c7cd5fe6e6cf5db24e257999f216'),
	(14, '00000000-0000-0000-0000-000000000000', 4, '2026-11-30 18:52:11.643911+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0015", "from": "0013"}', '809', '\xe5c45c5df3b4a4df42142d1f7c01dae703d9cb83bb14c80f6c52e3e52064a3b7', '\x12460c8b558e5737073671cf15b74bbf7340517352331950b2b530edec6a825a'),
	(15, '00000000-0000-7000-8000-000000000011', 11, '2026-11-30 18:52:11.683794+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e221-74a6-95e9-3727d07c5201', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 14, '{}', '810', '\x20662353e69acbf11255013a7e4a6780b375c7cd5fe6e6cf5db24e257999f216', '\xaf7d59f659c609e6fd46a3aed316a8cab4b52410a5e42dc47fea9e4199c7e7e9'),
	(16, '00000000-0000-7000-8000-000000000011', 12, '2026-11-30 18:52:11.692786+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e221-74a6-95e9-3727d07c5201', '01a22dcc-e22b-7f62-951a-e450c97bf673', '00000000-0000-7000-8000-000000000001', 0.91, 14, '{}', '810', '\xaf7d59f659c609e6fd46a3aed316a8cab4b52410a5e42dc47fea9e4199c7e7e9', '\x05aecb359e9ca634ca0ee2a808d7395c12d8ec620e511d038e931d7e19b14fd5'),
	(17, '00000000-0000-0000-0000-000000000000', 5, '2026-11-30 18:52:11.846771+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0016", "from": "0015"}', '814', '\x12460c8b558e5737073671cf15b74bbf7340517352331950b2b530edec6a825a', '\x81a75863382584877041e8468c0dc1fe74f6856a3581d1f91d0aa52b0a39827c'),
	(18, '00000000-0000-7000-8000-000000000011', 13, '2026-11-30 18:52:11.873331+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e2df-7468-9224-f0c08e33bfd0', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 15, '{}', '816', '\x05aecb359e9ca634ca0ee2a808d7395c12d8ec620e511d038e931d7e19b14fd5', '\xc370746d477d4954accb7adb7ba2fc4d51a1503235a17c1e22bb23433b872a78'),
	(19, '00000000-0000-7000-8000-000000000011', 14, '2026-11-30 18:52:11.884527+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e2df-7468-9224-f0c08e33bfd0', '01a22dcc-e2eb-76f8-8fd6-5957baf6f78c', '00000000-0000-7000-8000-000000000001', 0.91, 15, '{}', '816', '\xc370746d477d4954accb7adb7ba2fc4d51a1503235a17c1e22bb23433b872a78', '\x44b41dbb6fb8b68cbdd87bcb32e289be66c4d33ecce96f6f42377dddd6268f2d'),
	(20, '00000000-0000-0000-0000-000000000000', 6, '2026-11-30 18:52:12.103456+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0017", "from": "0016"}', '818', '\x81a75863382584877041e8468c0dc1fe74f6856a3581d1f91d0aa52b0a39827c', '\xbdef654cd5b1bc506da771fc6d45302832fe0a493e3e54507f9f71a281d3d267'),
	(21, '00000000-0000-7000-8000-000000000011', 15, '2026-11-30 18:52:12.144975+00', 'change_gallery', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000001', 0.91, 15, '{"keep_photographs": ["none", "chips"]}', '819', '\x44b41dbb6fb8b68cbdd87bcb32e289be66c4d33ecce96f6f42377dddd6268f2d', '\x74e9777e593deaa38a2338312860fecaa62b177daf8bd4ea9632e396536be9ee'),
	(22, '00000000-0000-7000-8000-000000000011', 16, '2026-11-30 18:52:12.172394+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e40b-765b-b653-4ae9f612ed02', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 16, '{}', '820', '\x74e9777e593deaa38a2338312860fecaa62b177daf8bd4ea9632e396536be9ee', '\x29e559b5b93c7d1ed98b00fa309ffb13c4ed0423760cd938d68ce18497dc7a3a'),
	(23, '00000000-0000-7000-8000-000000000011', 17, '2026-11-30 18:52:12.182425+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e40b-765b-b653-4ae9f612ed02', '01a22dcc-e415-7638-82a6-ab9f800e3134', '00000000-0000-7000-8000-000000000001', 0.91, 16, '{}', '820', '\x29e559b5b93c7d1ed98b00fa309ffb13c4ed0423760cd938d68ce18497dc7a3a', '\x9171c7ff6117f21988c7e0b2a4f70baf00fcccdc2b5d6fc5302e3fa9ec26e855'),
	(24, '00000000-0000-0000-0000-000000000000', 7, '2026-11-30 18:52:12.74028+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0018", "from": "0017"}', '823', '\xbdef654cd5b1bc506da771fc6d45302832fe0a493e3e54507f9f71a281d3d267', '\xb8bb4e45a5ab127bb0d2695931b2cf5afa69577f87c3b76b869ac1e99440392e'),
	(25, '00000000-0000-7000-8000-000000000011', 18, '2026-11-30 18:52:12.783979+00', 'begin_reembedding', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000003', 0.6, 17, '{"switched_at": null}', '824', '\x9171c7ff6117f21988c7e0b2a4f70baf00fcccdc2b5d6fc5302e3fa9ec26e855', '\xf8e1a8b43b646dbe05c713f4ac62069fd4f15599db65fd5d249e7be175138547'),
	(26, '00000000-0000-7000-8000-000000000011', 19, '2026-11-30 18:52:12.786317+00', 'add_embedding', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000003', 0.91, 17, '{}', '824', '\xf8e1a8b43b646dbe05c713f4ac62069fd4f15599db65fd5d249e7be175138547', '\x2fce05de8da455aa7a46b7eaf9c7000b739b8cc087b61ee7e630cc5500420f4c'),
	(27, '00000000-0000-7000-8000-000000000011', 20, '2026-11-30 18:52:12.807184+00', 'calibrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000003', 0.6, 17, '{"fpir": 0.001, "faces": 80, "subjects": 50}', '824', '\x2fce05de8da455aa7a46b7eaf9c7000b739b8cc087b61ee7e630cc5500420f4c', '\xfabc810cbc105460d6b374e4c93e347d6328855149e1c601bb43e231ea351984'),
	(28, '00000000-0000-7000-8000-000000000011', 21, '2026-11-30 18:52:12.832239+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e69f-7cf8-9034-750d3c3f609a', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 18, '{}', '825', '\xfabc810cbc105460d6b374e4c93e347d6328855149e1c601bb43e231ea351984', '\xac6bf6464b77272276a820a8f020846d304389fee7a368b4cac43251c3d8b158'),
	(29, '00000000-0000-7000-8000-000000000011', 22, '2026-11-30 18:52:12.835831+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a22dcc-e69f-7cf8-9034-750d3c3f609a', '01a22dcc-e6a3-7233-b476-bd70cfd157a1', '00000000-0000-7000-8000-000000000001', 0.91, 18, '{}', '825', '\xac6bf6464b77272276a820a8f020846d304389fee7a368b4cac43251c3d8b158', '\xf52204eb78f1ce4721caadf774efee6d2efc510a38d27cd47f2e58f7ca8c2ca5');
INSERT INTO public.audit_identity VALUES
	(4, '01a22dcc-e007-72fe-b8f9-20948218ea39', NULL, 'enrolled at 0011', NULL, NULL),
	(5, '01a22dcc-e007-72fe-b8f9-20948218ea39', '01a22dcc-e00b-7740-8113-58eccb9ba20b', 'enrolled at 0011', NULL, '\x5e01cdbc16adb0964c2f6cfaaf31147a0864b400a2674f6b3d86d35d9ba1e593'),
	(7, '01a22dcc-e0ac-7ed9-8aa5-4da197789736', NULL, 'enrolled at 0012', NULL, NULL),
	(8, '01a22dcc-e0ac-7ed9-8aa5-4da197789736', '01a22dcc-e0b5-719b-ba32-504a56c84701', 'enrolled at 0012', NULL, '\xd002a5dfad20050f9bfab62c6f39e3191b2480d8d6ae9e8461c24643cfe9d2f4'),
	(12, '01a22dcc-e171-7a8d-91ea-b0f3afc45c40', NULL, 'enrolled at 0013', NULL, NULL),
	(13, '01a22dcc-e171-7a8d-91ea-b0f3afc45c40', '01a22dcc-e177-7227-abb7-b378cf9765ca', 'enrolled at 0013', NULL, '\xea531e5b8116ce72d10960f2145ae8b703639ee527a1510898a0b10c7e793cce'),
	(15, '01a22dcc-e221-74a6-95e9-3727d07c5201', NULL, 'enrolled at 0015', NULL, NULL),
	(16, '01a22dcc-e221-74a6-95e9-3727d07c5201', '01a22dcc-e22b-7f62-951a-e450c97bf673', 'enrolled at 0015', NULL, '\xbfa5b3b0cdbab01171932aaef1403e2b73330f0e82e6ed4e48623d72706c2707'),
	(18, '01a22dcc-e2df-7468-9224-f0c08e33bfd0', NULL, 'enrolled at 0016', NULL, NULL),
	(19, '01a22dcc-e2df-7468-9224-f0c08e33bfd0', '01a22dcc-e2eb-76f8-8fd6-5957baf6f78c', 'enrolled at 0016', NULL, '\x8bbbdc9ef92f0239e881d07b1b9f03a44855b2793c7dd5c6968470069d513466'),
	(22, '01a22dcc-e40b-765b-b653-4ae9f612ed02', NULL, 'enrolled at 0017', NULL, NULL),
	(23, '01a22dcc-e40b-765b-b653-4ae9f612ed02', '01a22dcc-e415-7638-82a6-ab9f800e3134', 'enrolled at 0017', NULL, '\x1373fa4f1161542190ba916d18424aa2897146997910b742c53f0eb4b07e6960'),
	(28, '01a22dcc-e69f-7cf8-9034-750d3c3f609a', NULL, 'enrolled at 0018', NULL, NULL),
	(29, '01a22dcc-e69f-7cf8-9034-750d3c3f609a', '01a22dcc-e6a3-7233-b476-bd70cfd157a1', 'enrolled at 0018', NULL, '\x0f8961a8dcf06eb1f8e4fdbc884e623461ce781e65d74ded0ff1b5394a73f4ad');
INSERT INTO public.consent VALUES
	('00000000-0000-7000-8000-000000000071', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '2026-11', 'entry by face', '2026-11-30 18:52:11.486588+00', NULL, 'postgres', NULL);
INSERT INTO public.embedding_space VALUES
	('00000000-0000-7000-8000-000000000001', 'Dlib', 4, 'abababababababababababababababababababababababababababababababab', 'dlib', 'native', 0.9, '2026-11-30 18:52:09.406594+00'),
	('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68, '2026-11-30 18:52:09.406594+00'),
	('00000000-0000-7000-8000-000000000003', 'ArcFace', 3, 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 'retinaface', 'native', 0.5, '2026-11-30 18:52:12.772627+00');
INSERT INTO public.erasure VALUES
	('01a22dcc-e003-7f67-a9a4-72f90de150d9', '00000000-0000-7000-8000-000000000011', 10, 'dde9f354-f9af-46fb-9738-e387819cda75', '2026-11-30 18:52:11.13982+00', 'postgres', NULL, NULL, 0, 1, '799', NULL, '{}', NULL);
INSERT INTO public.face VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\x6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'ada 1.jpg', '{-1,2,30,40}', '{"size": 35, "score": 0.5}', '2026-11-30 18:52:09.406594+00', 'api'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012', '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, '2026-11-30 18:52:09.406594+00', 'facematch import-json'),
	('01a22dcc-d94c-754b-b0ad-eb5c75d725e9', '00000000-0000-7000-8000-000000000011', '01a22dcc-d94b-7e65-a1d7-3afe28233c95', '\x61aa5c9dd8e8da74d81d7b3997f59f74153add3a9fc5a680fede33709eec4f9e', NULL, NULL, NULL, '2026-11-30 18:52:09.418853+00', 'test'),
	('01a22dcc-d9d7-79cb-beac-8f76e35a34f4', '00000000-0000-7000-8000-000000000011', '01a22dcc-d9ce-774c-a7d7-b7e7be3bf8c4', '\xa3daadc008bb238de2323dffeabd56e8c758bf0f5400b1a3efacedd39f459571', NULL, NULL, NULL, '2026-11-30 18:52:09.549175+00', 'test'),
	('01a22dcc-da84-7119-8f4e-50d00d6151e6', '00000000-0000-7000-8000-000000000011', '01a22dcc-da7d-7ebd-8f55-35e6c2b8a01c', '\x8b8fed06e782321a0f75df1ab8748e72017c8ecc455714f82bdb70f40bc572b9', NULL, NULL, NULL, '2026-11-30 18:52:09.722565+00', 'test'),
	('01a22dcc-db5e-7e75-b883-313c7736d64e', '00000000-0000-7000-8000-000000000011', '01a22dcc-db57-7157-9deb-ea9b0cea3123', '\xa3a171d879099ab3bb2aa3342ecd6af6a33c3b4b5dbc7e6d00fb9ff28911a057', NULL, NULL, NULL, '2026-11-30 18:52:09.942725+00', 'test'),
	('01a22dcc-dc1f-707d-bc92-b561cc12a14d', '00000000-0000-7000-8000-000000000011', '01a22dcc-dc0f-779d-bcbd-00bdb40a9c42', '\x8d2997a4fdd99a8ff8ba4c6714e541617c8119abb8bf126b558469da7b16e6c1', NULL, NULL, NULL, '2026-11-30 18:52:10.126275+00', 'test'),
	('01a22dcc-dcc8-767a-977e-5fe79f8e1443', '00000000-0000-7000-8000-000000000011', '01a22dcc-dcbd-7882-b808-d0b0da91d4ac', '\xa422b3ee8c25ed842e62b1e7e251bec5d183921371547773939ce3bcbc72363e', NULL, NULL, NULL, '2026-11-30 18:52:10.301167+00', 'test'),
	('01a22dcc-dd51-7872-86ad-eeb90e1048fc', '00000000-0000-7000-8000-000000000011', '01a22dcc-dd4b-7a52-8530-44ca3c6c24e6', '\xb3de8710ed58c36327f51053df2d8afb347358ee1f1b39780bd705c8f724a999', NULL, NULL, NULL, '2026-11-30 18:52:10.442859+00', 'test'),
	('01a22dcc-dde9-704e-a0af-b54142575145', '00000000-0000-7000-8000-000000000011', '01a22dcc-dde1-7fd9-b9a9-a4242300c00c', '\x84300c4d5de22ae75678823e97e9c5a63d92ce5e691e43f6cdf017dab1db9feb', NULL, NULL, NULL, '2026-11-30 18:52:10.592848+00', 'test'),
	('01a22dcc-de9f-7a41-a3c5-27693de4f86c', '00000000-0000-7000-8000-000000000011', '01a22dcc-de91-75b8-850c-4c1db731b9aa', '\xf6389995873214d164ae56b31d5486acb948c41bb97f8e5bb6e8501a60f0ec3e', NULL, NULL, NULL, '2026-11-30 18:52:10.768577+00', 'test'),
	('01a22dcc-df3f-7abf-8d18-9e0340a5c5d0', '00000000-0000-7000-8000-000000000011', '01a22dcc-df37-7256-bc94-0404acd288cc', '\x613dd53f4786f8562f91b667bccce25bdae5406bdb61f986ae4ef32224ebff1a', NULL, NULL, NULL, '2026-11-30 18:52:10.934616+00', 'test'),
	('01a22dcc-e00b-7740-8113-58eccb9ba20b', '00000000-0000-7000-8000-000000000011', '01a22dcc-e007-72fe-b8f9-20948218ea39', '\x5e01cdbc16adb0964c2f6cfaaf31147a0864b400a2674f6b3d86d35d9ba1e593', NULL, NULL, NULL, '2026-11-30 18:52:11.142871+00', 'test'),
	('01a22dcc-e0b5-719b-ba32-504a56c84701', '00000000-0000-7000-8000-000000000011', '01a22dcc-e0ac-7ed9-8aa5-4da197789736', '\xd002a5dfad20050f9bfab62c6f39e3191b2480d8d6ae9e8461c24643cfe9d2f4', NULL, NULL, NULL, '2026-11-30 18:52:11.307116+00', 'test'),
	('01a22dcc-e177-7227-abb7-b378cf9765ca', '00000000-0000-7000-8000-000000000011', '01a22dcc-e171-7a8d-91ea-b0f3afc45c40', '\xea531e5b8116ce72d10960f2145ae8b703639ee527a1510898a0b10c7e793cce', NULL, NULL, NULL, '2026-11-30 18:52:11.505304+00', 'test'),
	('01a22dcc-e22b-7f62-951a-e450c97bf673', '00000000-0000-7000-8000-000000000011', '01a22dcc-e221-74a6-95e9-3727d07c5201', '\xbfa5b3b0cdbab01171932aaef1403e2b73330f0e82e6ed4e48623d72706c2707', NULL, NULL, NULL, '2026-11-30 18:52:11.679383+00', 'test'),
	('01a22dcc-e2eb-76f8-8fd6-5957baf6f78c', '00000000-0000-7000-8000-000000000011', '01a22dcc-e2df-7468-9224-f0c08e33bfd0', '\x8bbbdc9ef92f0239e881d07b1b9f03a44855b2793c7dd5c6968470069d513466', NULL, NULL, NULL, '2026-11-30 18:52:11.870575+00', 'test'),
	('01a22dcc-e415-7638-82a6-ab9f800e3134', '00000000-0000-7000-8000-000000000011', '01a22dcc-e40b-765b-b653-4ae9f612ed02', '\x1373fa4f1161542190ba916d18424aa2897146997910b742c53f0eb4b07e6960', NULL, NULL, NULL, '2026-11-30 18:52:12.171073+00', 'test'),
	('01a22dcc-e6a3-7233-b476-bd70cfd157a1', '00000000-0000-7000-8000-000000000011', '01a22dcc-e69f-7cf8-9034-750d3c3f609a', '\x0f8961a8dcf06eb1f8e4fdbc884e623461ce781e65d74ded0ff1b5394a73f4ad', NULL, NULL, NULL, '2026-11-30 18:52:12.830595+00', 'test');
INSERT INTO public.face_embedding VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[1,0,0,0]'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000012', DEFAULT, '[0,0,0,-1]'),
	('01a22dcc-d94c-754b-b0ad-eb5c75d725e9', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-d9d7-79cb-beac-8f76e35a34f4', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-da84-7119-8f4e-50d00d6151e6', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-db5e-7e75-b883-313c7736d64e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-dc1f-707d-bc92-b561cc12a14d', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-dcc8-767a-977e-5fe79f8e1443', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-dd51-7872-86ad-eeb90e1048fc', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-dde9-704e-a0af-b54142575145', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-de9f-7a41-a3c5-27693de4f86c', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-df3f-7abf-8d18-9e0340a5c5d0', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e00b-7740-8113-58eccb9ba20b', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e0b5-719b-ba32-504a56c84701', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e177-7227-abb7-b378cf9765ca', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e22b-7f62-951a-e450c97bf673', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e2eb-76f8-8fd6-5957baf6f78c', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a22dcc-e415-7638-82a6-ab9f800e3134', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1]'),
	('01a22dcc-e6a3-7233-b476-bd70cfd157a1', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]');
INSERT INTO public.gallery VALUES
	('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1', '00000000-0000-7000-8000-000000000002', 0.7, 1000, 0, '6ef9190b-cb0f-45ba-9fe2-76deddda4250', NULL, '2026-11-30 18:52:09.406594+00', '2026-11-30 18:52:09.406594+00', 100, NULL, '{}', 'all', false, NULL, NULL, 'none'),
	('00000000-0000-7000-8000-000000000011', 'dlib', '00000000-0000-7000-8000-000000000001', 0.91, NULL, 18, 'e08956d5-4c96-463f-9166-b746c9758736', 'f588f19a-e4b7-4369-ba65-23e49918a878', '2026-11-30 18:52:09.406594+00', '2026-11-30 18:52:12.842499+00', 100, 31557600, '{"quality": false}', 'matches', false, 94608000, '2026-11-30 18:52:11.486588+00', 'chips');
INSERT INTO public.gallery_calibration VALUES
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 0.001, 0.9, 0.88, 0.92, 50, 80, 1, 0.8, 0.1, 3.5, 4, '0.1.0', '2026-11-30 18:52:10.298794+00'),
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000003', 0.001, 0.6, 0.5, 0.7, 50, 80, 1, 0.3, 0.1, 3.5, 16, '0.1.0', '2026-11-30 18:52:12.772627+00');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-7000-8000-000000000011', '759', 1, '010e523d-621b-41fc-958b-6d6e3b32781a', 'efab37e1-f406-4695-a63a-3be54c727e10', '2026-11-30 18:52:09.549175+00', '{01a22dcc-d9ce-774c-a7d7-b7e7be3bf8c4}', '{}', false, false, '{}'),
	(2, '00000000-0000-7000-8000-000000000011', '759', 1, '010e523d-621b-41fc-958b-6d6e3b32781a', 'efab37e1-f406-4695-a63a-3be54c727e10', '2026-11-30 18:52:09.549175+00', '{}', '{01a22dcc-d9d7-79cb-beac-8f76e35a34f4}', false, true, '{}'),
	(3, '00000000-0000-7000-8000-000000000011', '759', 1, '010e523d-621b-41fc-958b-6d6e3b32781a', 'efab37e1-f406-4695-a63a-3be54c727e10', '2026-11-30 18:52:09.549175+00', '{}', '{01a22dcc-d9d7-79cb-beac-8f76e35a34f4}', false, false, '{}'),
	(4, '00000000-0000-7000-8000-000000000011', '762', 2, '73d8ad5e-077d-4303-818f-7c5527e979f0', '010e523d-621b-41fc-958b-6d6e3b32781a', '2026-11-30 18:52:09.722565+00', '{01a22dcc-da7d-7ebd-8f55-35e6c2b8a01c}', '{}', false, false, '{}'),
	(5, '00000000-0000-7000-8000-000000000011', '762', 2, '73d8ad5e-077d-4303-818f-7c5527e979f0', '010e523d-621b-41fc-958b-6d6e3b32781a', '2026-11-30 18:52:09.722565+00', '{}', '{01a22dcc-da84-7119-8f4e-50d00d6151e6}', false, true, '{}'),
	(6, '00000000-0000-7000-8000-000000000011', '762', 2, '73d8ad5e-077d-4303-818f-7c5527e979f0', '010e523d-621b-41fc-958b-6d6e3b32781a', '2026-11-30 18:52:09.722565+00', '{}', '{01a22dcc-da84-7119-8f4e-50d00d6151e6}', false, false, '{}'),
	(7, '00000000-0000-7000-8000-000000000011', '768', 3, '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '73d8ad5e-077d-4303-818f-7c5527e979f0', '2026-11-30 18:52:09.942725+00', '{01a22dcc-db57-7157-9deb-ea9b0cea3123}', '{}', false, false, '{}'),
	(8, '00000000-0000-7000-8000-000000000011', '768', 3, '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '73d8ad5e-077d-4303-818f-7c5527e979f0', '2026-11-30 18:52:09.942725+00', '{}', '{01a22dcc-db5e-7e75-b883-313c7736d64e}', false, true, '{}'),
	(9, '00000000-0000-7000-8000-000000000011', '768', 3, '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '73d8ad5e-077d-4303-818f-7c5527e979f0', '2026-11-30 18:52:09.942725+00', '{}', '{01a22dcc-db5e-7e75-b883-313c7736d64e}', false, false, '{}'),
	(10, '00000000-0000-7000-8000-000000000011', '770', 4, 'd9f1d09c-4a0e-4709-8156-f7677289a469', '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '2026-11-30 18:52:10.126275+00', '{01a22dcc-dc0f-779d-bcbd-00bdb40a9c42}', '{}', false, false, '{}'),
	(11, '00000000-0000-7000-8000-000000000011', '770', 4, 'd9f1d09c-4a0e-4709-8156-f7677289a469', '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '2026-11-30 18:52:10.126275+00', '{}', '{01a22dcc-dc1f-707d-bc92-b561cc12a14d}', false, true, '{}'),
	(12, '00000000-0000-7000-8000-000000000011', '770', 4, 'd9f1d09c-4a0e-4709-8156-f7677289a469', '8d46dee5-2961-4dc3-95f8-d0ec8ad8796f', '2026-11-30 18:52:10.126275+00', '{}', '{01a22dcc-dc1f-707d-bc92-b561cc12a14d}', false, false, '{}'),
	(13, '00000000-0000-7000-8000-000000000011', '773', 5, '8ea8cd04-214b-409c-be80-b3b475d68b44', 'd9f1d09c-4a0e-4709-8156-f7677289a469', '2026-11-30 18:52:10.301167+00', '{01a22dcc-dcbd-7882-b808-d0b0da91d4ac}', '{}', false, false, '{}'),
	(14, '00000000-0000-7000-8000-000000000011', '773', 5, '8ea8cd04-214b-409c-be80-b3b475d68b44', 'd9f1d09c-4a0e-4709-8156-f7677289a469', '2026-11-30 18:52:10.301167+00', '{}', '{01a22dcc-dcc8-767a-977e-5fe79f8e1443}', false, true, '{}'),
	(15, '00000000-0000-7000-8000-000000000011', '773', 5, '8ea8cd04-214b-409c-be80-b3b475d68b44', 'd9f1d09c-4a0e-4709-8156-f7677289a469', '2026-11-30 18:52:10.301167+00', '{}', '{01a22dcc-dcc8-767a-977e-5fe79f8e1443}', false, false, '{}'),
	(16, '00000000-0000-7000-8000-000000000011', '776', 6, '7fe2beec-9d25-4b4e-bf09-e637b5281722', '8ea8cd04-214b-409c-be80-b3b475d68b44', '2026-11-30 18:52:10.442859+00', '{01a22dcc-dd4b-7a52-8530-44ca3c6c24e6}', '{}', false, false, '{}'),
	(17, '00000000-0000-7000-8000-000000000011', '776', 6, '7fe2beec-9d25-4b4e-bf09-e637b5281722', '8ea8cd04-214b-409c-be80-b3b475d68b44', '2026-11-30 18:52:10.442859+00', '{}', '{01a22dcc-dd51-7872-86ad-eeb90e1048fc}', false, true, '{}'),
	(18, '00000000-0000-7000-8000-000000000011', '776', 6, '7fe2beec-9d25-4b4e-bf09-e637b5281722', '8ea8cd04-214b-409c-be80-b3b475d68b44', '2026-11-30 18:52:10.442859+00', '{}', '{01a22dcc-dd51-7872-86ad-eeb90e1048fc}', false, false, '{}'),
	(19, '00000000-0000-7000-8000-000000000011', '779', 7, '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '7fe2beec-9d25-4b4e-bf09-e637b5281722', '2026-11-30 18:52:10.592848+00', '{01a22dcc-dde1-7fd9-b9a9-a4242300c00c}', '{}', false, false, '{}'),
	(20, '00000000-0000-7000-8000-000000000011', '779', 7, '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '7fe2beec-9d25-4b4e-bf09-e637b5281722', '2026-11-30 18:52:10.592848+00', '{}', '{01a22dcc-dde9-704e-a0af-b54142575145}', false, true, '{}'),
	(21, '00000000-0000-7000-8000-000000000011', '779', 7, '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '7fe2beec-9d25-4b4e-bf09-e637b5281722', '2026-11-30 18:52:10.592848+00', '{}', '{01a22dcc-dde9-704e-a0af-b54142575145}', false, false, '{}'),
	(22, '00000000-0000-7000-8000-000000000011', '793', 8, '8021d62b-7c4b-4b85-8819-4460b2533fe4', '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '2026-11-30 18:52:10.768577+00', '{01a22dcc-de91-75b8-850c-4c1db731b9aa}', '{}', false, false, '{}'),
	(23, '00000000-0000-7000-8000-000000000011', '793', 8, '8021d62b-7c4b-4b85-8819-4460b2533fe4', '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '2026-11-30 18:52:10.768577+00', '{}', '{01a22dcc-de9f-7a41-a3c5-27693de4f86c}', false, true, '{01a22dcc-de91-75b8-850c-4c1db731b9aa}'),
	(24, '00000000-0000-7000-8000-000000000011', '793', 8, '8021d62b-7c4b-4b85-8819-4460b2533fe4', '00bc9081-d17c-4e1d-8259-30d2851c0bc1', '2026-11-30 18:52:10.768577+00', '{}', '{01a22dcc-de9f-7a41-a3c5-27693de4f86c}', false, false, '{}'),
	(25, '00000000-0000-7000-8000-000000000011', '796', 9, '0c094829-3c23-46c8-9e48-e74cfd4c9d4c', '8021d62b-7c4b-4b85-8819-4460b2533fe4', '2026-11-30 18:52:10.934616+00', '{01a22dcc-df37-7256-bc94-0404acd288cc}', '{}', false, false, '{}'),
	(26, '00000000-0000-7000-8000-000000000011', '796', 9, '0c094829-3c23-46c8-9e48-e74cfd4c9d4c', '8021d62b-7c4b-4b85-8819-4460b2533fe4', '2026-11-30 18:52:10.934616+00', '{}', '{01a22dcc-df3f-7abf-8d18-9e0340a5c5d0}', false, true, '{01a22dcc-df37-7256-bc94-0404acd288cc}'),
	(27, '00000000-0000-7000-8000-000000000011', '796', 9, '0c094829-3c23-46c8-9e48-e74cfd4c9d4c', '8021d62b-7c4b-4b85-8819-4460b2533fe4', '2026-11-30 18:52:10.934616+00', '{}', '{01a22dcc-df3f-7abf-8d18-9e0340a5c5d0}', false, false, '{}'),
	(28, '00000000-0000-7000-8000-000000000011', '799', 10, 'dde9f354-f9af-46fb-9738-e387819cda75', '0c094829-3c23-46c8-9e48-e74cfd4c9d4c', '2026-11-30 18:52:11.110727+00', '{}', '{00000000-0000-7000-8000-000000000032}', false, false, '{}'),
	(29, '00000000-0000-7000-8000-000000000011', '799', 10, 'dde9f354-f9af-46fb-9738-e387819cda75', '0c094829-3c23-46c8-9e48-e74cfd4c9d4c', '2026-11-30 18:52:11.110727+00', '{}', '{00000000-0000-7000-8000-000000000032}', false, false, '{}'),
	(30, '00000000-0000-7000-8000-000000000011', '800', 11, 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', 'dde9f354-f9af-46fb-9738-e387819cda75', '2026-11-30 18:52:11.142871+00', '{01a22dcc-e007-72fe-b8f9-20948218ea39}', '{}', false, false, '{}'),
	(31, '00000000-0000-7000-8000-000000000011', '800', 11, 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', 'dde9f354-f9af-46fb-9738-e387819cda75', '2026-11-30 18:52:11.142871+00', '{}', '{01a22dcc-e00b-7740-8113-58eccb9ba20b}', false, true, '{01a22dcc-e007-72fe-b8f9-20948218ea39}'),
	(32, '00000000-0000-7000-8000-000000000011', '800', 11, 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', 'dde9f354-f9af-46fb-9738-e387819cda75', '2026-11-30 18:52:11.142871+00', '{}', '{01a22dcc-e00b-7740-8113-58eccb9ba20b}', false, false, '{}'),
	(33, '00000000-0000-7000-8000-000000000011', '804', 12, '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', '2026-11-30 18:52:11.307116+00', '{01a22dcc-e0ac-7ed9-8aa5-4da197789736}', '{}', false, false, '{}'),
	(34, '00000000-0000-7000-8000-000000000011', '804', 12, '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', '2026-11-30 18:52:11.307116+00', '{}', '{01a22dcc-e0b5-719b-ba32-504a56c84701}', false, true, '{01a22dcc-e0ac-7ed9-8aa5-4da197789736}'),
	(35, '00000000-0000-7000-8000-000000000011', '804', 12, '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', 'bf3dbb1a-f6ac-4a45-83a5-b813d11d7fd2', '2026-11-30 18:52:11.307116+00', '{}', '{01a22dcc-e0b5-719b-ba32-504a56c84701}', false, false, '{}'),
	(36, '00000000-0000-7000-8000-000000000011', '808', 13, 'aad7f355-2373-4972-b900-0345a4b31e5f', '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', '2026-11-30 18:52:11.505304+00', '{01a22dcc-e171-7a8d-91ea-b0f3afc45c40}', '{}', false, false, '{}'),
	(37, '00000000-0000-7000-8000-000000000011', '808', 13, 'aad7f355-2373-4972-b900-0345a4b31e5f', '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', '2026-11-30 18:52:11.505304+00', '{}', '{01a22dcc-e177-7227-abb7-b378cf9765ca}', false, true, '{01a22dcc-e171-7a8d-91ea-b0f3afc45c40}'),
	(38, '00000000-0000-7000-8000-000000000011', '808', 13, 'aad7f355-2373-4972-b900-0345a4b31e5f', '1864e7c0-f99e-451e-bd8b-774f67a2d1d0', '2026-11-30 18:52:11.505304+00', '{}', '{01a22dcc-e177-7227-abb7-b378cf9765ca}', false, false, '{}'),
	(39, '00000000-0000-7000-8000-000000000011', '810', 14, '8227f28b-0dd9-4823-a30e-4c1d020be9bb', 'aad7f355-2373-4972-b900-0345a4b31e5f', '2026-11-30 18:52:11.679383+00', '{01a22dcc-e221-74a6-95e9-3727d07c5201}', '{}', false, false, '{}'),
	(40, '00000000-0000-7000-8000-000000000011', '810', 14, '8227f28b-0dd9-4823-a30e-4c1d020be9bb', 'aad7f355-2373-4972-b900-0345a4b31e5f', '2026-11-30 18:52:11.679383+00', '{}', '{01a22dcc-e22b-7f62-951a-e450c97bf673}', false, true, '{01a22dcc-e221-74a6-95e9-3727d07c5201}'),
	(41, '00000000-0000-7000-8000-000000000011', '810', 14, '8227f28b-0dd9-4823-a30e-4c1d020be9bb', 'aad7f355-2373-4972-b900-0345a4b31e5f', '2026-11-30 18:52:11.679383+00', '{}', '{01a22dcc-e22b-7f62-951a-e450c97bf673}', false, false, '{}'),
	(42, '00000000-0000-7000-8000-000000000011', '816', 15, 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '8227f28b-0dd9-4823-a30e-4c1d020be9bb', '2026-11-30 18:52:11.870575+00', '{01a22dcc-e2df-7468-9224-f0c08e33bfd0}', '{}', false, false, '{}'),
	(43, '00000000-0000-7000-8000-000000000011', '816', 15, 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '8227f28b-0dd9-4823-a30e-4c1d020be9bb', '2026-11-30 18:52:11.870575+00', '{}', '{01a22dcc-e2eb-76f8-8fd6-5957baf6f78c}', false, true, '{01a22dcc-e2df-7468-9224-f0c08e33bfd0}'),
	(44, '00000000-0000-7000-8000-000000000011', '816', 15, 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '8227f28b-0dd9-4823-a30e-4c1d020be9bb', '2026-11-30 18:52:11.870575+00', '{}', '{01a22dcc-e2eb-76f8-8fd6-5957baf6f78c}', false, false, '{}'),
	(45, '00000000-0000-7000-8000-000000000011', '820', 16, '2663b669-53ee-4025-85a0-22b434f25c2e', 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '2026-11-30 18:52:12.171073+00', '{01a22dcc-e40b-765b-b653-4ae9f612ed02}', '{}', false, false, '{}'),
	(46, '00000000-0000-7000-8000-000000000011', '820', 16, '2663b669-53ee-4025-85a0-22b434f25c2e', 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '2026-11-30 18:52:12.171073+00', '{}', '{01a22dcc-e415-7638-82a6-ab9f800e3134}', false, true, '{01a22dcc-e40b-765b-b653-4ae9f612ed02}'),
	(47, '00000000-0000-7000-8000-000000000011', '820', 16, '2663b669-53ee-4025-85a0-22b434f25c2e', 'fe8ad839-29ba-4fa4-9341-cbacd1fa3fc9', '2026-11-30 18:52:12.171073+00', '{}', '{01a22dcc-e415-7638-82a6-ab9f800e3134}', false, false, '{}'),
	(48, '00000000-0000-7000-8000-000000000011', '824', 17, 'f588f19a-e4b7-4369-ba65-23e49918a878', '2663b669-53ee-4025-85a0-22b434f25c2e', '2026-11-30 18:52:12.772627+00', '{}', '{00000000-0000-7000-8000-000000000031}', false, false, '{}'),
	(49, '00000000-0000-7000-8000-000000000011', '825', 18, 'e08956d5-4c96-463f-9166-b746c9758736', 'f588f19a-e4b7-4369-ba65-23e49918a878', '2026-11-30 18:52:12.830595+00', '{01a22dcc-e69f-7cf8-9034-750d3c3f609a}', '{}', false, false, '{}'),
	(50, '00000000-0000-7000-8000-000000000011', '825', 18, 'e08956d5-4c96-463f-9166-b746c9758736', 'f588f19a-e4b7-4369-ba65-23e49918a878', '2026-11-30 18:52:12.830595+00', '{}', '{01a22dcc-e6a3-7233-b476-bd70cfd157a1}', false, true, '{01a22dcc-e69f-7cf8-9034-750d3c3f609a}');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(51, '00000000-0000-7000-8000-000000000011', '825', 18, 'e08956d5-4c96-463f-9166-b746c9758736', 'f588f19a-e4b7-4369-ba65-23e49918a878', '2026-11-30 18:52:12.830595+00', '{}', '{01a22dcc-e6a3-7233-b476-bd70cfd157a1}', false, false, '{}');
INSERT INTO public.idempotency_key VALUES
	('anonymous', 'once', '\x1f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd1047', 201, '{"etag": "\"1\""}', '\x7b7d', '2026-11-30 18:52:10.434742+00', '{}'),
	('door', 'twice', '\x10b54f11faba109883647c9048461ed9a5bfaf76ea69c22feaa3e35d5a5fe12d', 201, '{}', '\x7b227375626a656374223a2022657665227d', '2026-11-30 18:52:11.866634+00', '{00000000-0000-7000-8000-000000000021}');
INSERT INTO public.import_item VALUES
	('00000000-0000-7000-8000-000000000061', 1, 'eve.jpg', 'eve', NULL, '\x70686f746f6772617068', '\x7482d5802c3c27987ced2beb1d3527c78661deb4e54a9b7ee7106bd7524b0792', NULL, 'waiting', NULL, NULL, NULL, 0, NULL, NULL, NULL, '{"purpose": "entry by face", "text_version": "2026-11"}');
INSERT INTO public.import_job VALUES
	('00000000-0000-7000-8000-000000000061', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 'door', NULL, NULL, NULL, false, 'waiting', '2026-11-30 18:52:10.926406+00', '2026-11-30 18:52:10.926406+00', NULL, NULL);
INSERT INTO public.kept_photograph VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', 'chips', 'abababababababab', '\x78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb3047482d5802c3c27987ced2beb1d3527c78661deb4e54a9b7ee7106bd7524b0792');
INSERT INTO public.procrastinate_events VALUES
	(1, 1, 'deferred', '2026-11-30 18:52:10.926406+00');
INSERT INTO public.procrastinate_jobs VALUES
	(1, 'imports', 'run', 0, NULL, NULL, '{}', 'todo', NULL, 0, false, NULL);
INSERT INTO public.reembedding VALUES
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000003', 0.6, '2026-11-30 18:52:12.772627+00', NULL);
INSERT INTO public.reembedding_failure VALUES
	('01a22dcc-d94c-754b-b0ad-eb5c75d725e9', '00000000-0000-7000-8000-000000000011', 'no_face', 'No face was found.', '2026-11-30 18:52:12.772627+00');
INSERT INTO public.replica VALUES
	('00000000-0000-7000-8000-000000000041', 'host-1:4711', '2026-11-30 18:52:09.713789+00', '2026-11-30 18:52:09.713789+00', NULL, 0);
INSERT INTO public.replica_gallery VALUES
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000012', 0, '6ef9190b-cb0f-45ba-9fe2-76deddda4250', '2026-11-30 18:52:09.713789+00', NULL),
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000011', 1, '010e523d-621b-41fc-958b-6d6e3b32781a', '2026-11-30 18:52:09.713789+00', NULL);
INSERT INTO public.subject VALUES
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada', '{"age": 36.5, "team": "blue"}', '2026-11-30 18:52:09.406594+00', NULL),
	('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011', 'Ørsted/😀 "x''y"\', '{}', '2026-11-30 18:52:09.406594+00', '2035-01-01 21:04:05+00'),
	('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada', '{}', '2026-11-30 18:52:09.406594+00', NULL),
	('01a22dcc-d94b-7e65-a1d7-3afe28233c95', '00000000-0000-7000-8000-000000000011', 'enrolled at 0001', '{}', '2026-11-30 18:52:09.418853+00', NULL),
	('01a22dcc-d9ce-774c-a7d7-b7e7be3bf8c4', '00000000-0000-7000-8000-000000000011', 'enrolled at 0002', '{}', '2026-11-30 18:52:09.549175+00', NULL),
	('01a22dcc-da7d-7ebd-8f55-35e6c2b8a01c', '00000000-0000-7000-8000-000000000011', 'enrolled at 0003', '{}', '2026-11-30 18:52:09.722565+00', NULL),
	('01a22dcc-db57-7157-9deb-ea9b0cea3123', '00000000-0000-7000-8000-000000000011', 'enrolled at 0004', '{}', '2026-11-30 18:52:09.942725+00', NULL),
	('01a22dcc-dc0f-779d-bcbd-00bdb40a9c42', '00000000-0000-7000-8000-000000000011', 'enrolled at 0005', '{}', '2026-11-30 18:52:10.126275+00', NULL),
	('01a22dcc-dcbd-7882-b808-d0b0da91d4ac', '00000000-0000-7000-8000-000000000011', 'enrolled at 0006', '{}', '2026-11-30 18:52:10.301167+00', NULL),
	('01a22dcc-dd4b-7a52-8530-44ca3c6c24e6', '00000000-0000-7000-8000-000000000011', 'enrolled at 0007', '{}', '2026-11-30 18:52:10.442859+00', NULL),
	('01a22dcc-dde1-7fd9-b9a9-a4242300c00c', '00000000-0000-7000-8000-000000000011', 'enrolled at 0008', '{}', '2026-11-30 18:52:10.592848+00', NULL),
	('01a22dcc-de91-75b8-850c-4c1db731b9aa', '00000000-0000-7000-8000-000000000011', 'enrolled at 0009', '{}', '2026-11-30 18:52:10.768577+00', '2027-12-01 00:52:10.768577+00'),
	('01a22dcc-df37-7256-bc94-0404acd288cc', '00000000-0000-7000-8000-000000000011', 'enrolled at 0010', '{}', '2026-11-30 18:52:10.934616+00', '2027-12-01 00:52:10.934616+00'),
	('01a22dcc-e007-72fe-b8f9-20948218ea39', '00000000-0000-7000-8000-000000000011', 'enrolled at 0011', '{}', '2026-11-30 18:52:11.142871+00', '2027-12-01 00:52:11.142871+00'),
	('01a22dcc-e0ac-7ed9-8aa5-4da197789736', '00000000-0000-7000-8000-000000000011', 'enrolled at 0012', '{}', '2026-11-30 18:52:11.307116+00', '2027-12-01 00:52:11.307116+00'),
	('01a22dcc-e171-7a8d-91ea-b0f3afc45c40', '00000000-0000-7000-8000-000000000011', 'enrolled at 0013', '{}', '2026-11-30 18:52:11.505304+00', '2027-12-01 00:52:11.505304+00'),
	('01a22dcc-e221-74a6-95e9-3727d07c5201', '00000000-0000-7000-8000-000000000011', 'enrolled at 0015', '{}', '2026-11-30 18:52:11.679383+00', '2027-12-01 00:52:11.679383+00'),
	('01a22dcc-e2df-7468-9224-f0c08e33bfd0', '00000000-0000-7000-8000-000000000011', 'enrolled at 0016', '{}', '2026-11-30 18:52:11.870575+00', '2027-12-01 00:52:11.870575+00'),
	('01a22dcc-e40b-765b-b653-4ae9f612ed02', '00000000-0000-7000-8000-000000000011', 'enrolled at 0017', '{}', '2026-11-30 18:52:12.171073+00', '2027-12-01 00:52:12.171073+00'),
	('01a22dcc-e69f-7cf8-9034-750d3c3f609a', '00000000-0000-7000-8000-000000000011', 'enrolled at 0018', '{}', '2026-11-30 18:52:12.830595+00', '2027-12-01 00:52:12.830595+00');
SELECT pg_catalog.setval('public.audit_event_id_seq', 29, true);
SELECT pg_catalog.setval('public.gallery_change_id_seq', 51, true);
SELECT pg_catalog.setval('public.procrastinate_events_id_seq', 1, true);
SELECT pg_catalog.setval('public.procrastinate_jobs_id_seq', 1, true);
SELECT pg_catalog.setval('public.procrastinate_periodic_defers_id_seq', 1, false);
SELECT pg_catalog.setval('public.procrastinate_workers_id_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT pk_api_key PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT pk_api_key_gallery PRIMARY KEY (key_id, gallery_id);
ALTER TABLE ONLY public.api_key_pepper
    ADD CONSTRAINT pk_api_key_pepper PRIMARY KEY (sole);
ALTER TABLE ONLY public.audit_anchor
    ADD CONSTRAINT pk_audit_anchor PRIMARY KEY (chain, seq);
ALTER TABLE ONLY public.audit_chain
    ADD CONSTRAINT pk_audit_chain PRIMARY KEY (chain);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT pk_audit_event PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_identity
    ADD CONSTRAINT pk_audit_identity PRIMARY KEY (event_id);
ALTER TABLE ONLY public.consent
    ADD CONSTRAINT pk_consent PRIMARY KEY (id);
ALTER TABLE ONLY public.embedding_space
    ADD CONSTRAINT pk_embedding_space PRIMARY KEY (id);
ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT pk_erasure PRIMARY KEY (id);
ALTER TABLE ONLY public.face
    ADD CONSTRAINT pk_face PRIMARY KEY (id);
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT pk_face_embedding PRIMARY KEY (face_id, space_id);
ALTER TABLE ONLY public.gallery
    ADD CONSTRAINT pk_gallery PRIMARY KEY (id);
ALTER TABLE ONLY public.gallery_calibration
    ADD CONSTRAINT pk_gallery_calibration PRIMARY KEY (gallery_id, space_id);
ALTER TABLE ONLY public.gallery_change
    ADD CONSTRAINT pk_gallery_change PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT pk_idempotency_key PRIMARY KEY (caller, key);
ALTER TABLE ONLY public.import_item
    ADD CONSTRAINT pk_import_item PRIMARY KEY (job_id, number);
ALTER TABLE ONLY public.import_job
    ADD CONSTRAINT pk_import_job PRIMARY KEY (id);
ALTER TABLE ONLY public.kept_photograph
    ADD CONSTRAINT pk_kept_photograph PRIMARY KEY (face_id);
ALTER TABLE ONLY public.reembedding
    ADD CONSTRAINT pk_reembedding PRIMARY KEY (gallery_id);
ALTER TABLE ONLY public.reembedding_failure
    ADD CONSTRAINT pk_reembedding_failure PRIMARY KEY (face_id);
ALTER TABLE ONLY public.replica
    ADD CONSTRAINT pk_replica PRIMARY KEY (id);
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT pk_replica_gallery PRIMARY KEY (replica_id, gallery_id);
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT pk_subject PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);
ALTER TABLE ONLY public.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT uq_api_key_prefix UNIQUE (prefix);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT uq_audit_event_chain_seq UNIQUE (chain, seq);
ALTER TABLE ONLY public.embedding_space
    ADD CONSTRAINT uq_embedding_space_id_dimension UNIQUE (id, dimension);
ALTER TABLE ONLY public.embedding_space
    ADD CONSTRAINT uq_embedding_space_model_weights_sha256_detector_alignment UNIQUE NULLS NOT DISTINCT (model, weights_sha256, detector, alignment);
ALTER TABLE ONLY public.face
    ADD CONSTRAINT uq_face_gallery_id_id UNIQUE (gallery_id, id);
ALTER TABLE ONLY public.face
    ADD CONSTRAINT uq_face_subject_id_image_sha256 UNIQUE (subject_id, image_sha256);
ALTER TABLE ONLY public.gallery
    ADD CONSTRAINT uq_gallery_name UNIQUE (name);
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT uq_subject_gallery_id_external_id UNIQUE (gallery_id, external_id);
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT uq_subject_gallery_id_id UNIQUE (gallery_id, id);
CREATE INDEX idx_procrastinate_jobs_worker_not_null ON public.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::public.procrastinate_job_status));
CREATE INDEX idx_procrastinate_workers_last_heartbeat ON public.procrastinate_workers USING btree (last_heartbeat);
CREATE INDEX ix_api_key_gallery_gallery_id ON public.api_key_gallery USING btree (gallery_id);
CREATE INDEX ix_audit_event_face_id ON public.audit_event USING btree (face_id);
CREATE INDEX ix_audit_event_key_id_occurred_at ON public.audit_event USING btree (key_id, occurred_at);
CREATE INDEX ix_audit_event_subject_id_occurred_at ON public.audit_event USING btree (subject_id, occurred_at);
CREATE INDEX ix_audit_event_tx ON public.audit_event USING btree (tx) WHERE (seq IS NULL);
CREATE INDEX ix_audit_identity_external_id ON public.audit_identity USING btree (external_id);
CREATE INDEX ix_audit_identity_face_id ON public.audit_identity USING btree (face_id);
CREATE INDEX ix_audit_identity_subject_id ON public.audit_identity USING btree (subject_id);
CREATE INDEX ix_consent_gallery_id_subject_id ON public.consent USING btree (gallery_id, subject_id);
CREATE INDEX ix_erasure_erased_at ON public.erasure USING btree (erased_at) WHERE (passed_at IS NULL);
CREATE INDEX ix_erasure_gallery_id_version ON public.erasure USING btree (gallery_id, version);
CREATE INDEX ix_face_embedding_gallery_id_face_id ON public.face_embedding USING btree (gallery_id, face_id);
CREATE INDEX ix_face_gallery_id_image_sha256 ON public.face USING btree (gallery_id, image_sha256) WHERE (image_sha256 IS NOT NULL);
CREATE INDEX ix_face_gallery_id_subject_id ON public.face USING btree (gallery_id, subject_id);
CREATE INDEX ix_gallery_change_gallery_id_version ON public.gallery_change USING btree (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON public.gallery_change USING btree (tx) WHERE (version IS NULL);
CREATE INDEX ix_idempotency_key_about ON public.idempotency_key USING gin (about);
CREATE INDEX ix_idempotency_key_created_at ON public.idempotency_key USING btree (created_at);
CREATE INDEX ix_import_item_external_id ON public.import_item USING btree (external_id);
CREATE INDEX ix_import_item_face_id ON public.import_item USING btree (face_id) WHERE (face_id IS NOT NULL);
CREATE INDEX ix_import_item_job_id_status_number ON public.import_item USING btree (job_id, status, number);
CREATE INDEX ix_import_job_gallery_id ON public.import_job USING btree (gallery_id);
CREATE INDEX ix_kept_photograph_gallery_id_kind_face_id ON public.kept_photograph USING btree (gallery_id, kind, face_id);
CREATE INDEX ix_reembedding_failure_gallery_id_face_id ON public.reembedding_failure USING btree (gallery_id, face_id);
CREATE INDEX ix_replica_gallery_gallery_id ON public.replica_gallery USING btree (gallery_id);
CREATE INDEX ix_subject_metadata ON public.subject USING gin (metadata jsonb_path_ops) WHERE (metadata <> '{}'::jsonb);
CREATE INDEX procrastinate_events_job_id_fkey_v1 ON public.procrastinate_events USING btree (job_id);
CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON public.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::public.procrastinate_job_status, 'doing'::public.procrastinate_job_status]));
CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON public.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_priority_idx_v1 ON public.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON public.procrastinate_jobs USING btree (queue_name);
CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON public.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON public.procrastinate_periodic_defers USING btree (job_id);
CREATE TRIGGER audit_calibration AFTER INSERT OR UPDATE ON public.gallery_calibration FOR EACH ROW EXECUTE FUNCTION public.audit_calibration();
ALTER TABLE public.gallery_calibration ENABLE ALWAYS TRIGGER audit_calibration;
CREATE TRIGGER audit_clear AFTER DELETE ON public.face REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_clear();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_clear;
CREATE TRIGGER audit_clear AFTER DELETE ON public.subject REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_clear();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_clear;
CREATE TRIGGER audit_clear_all BEFORE TRUNCATE ON public.face FOR EACH STATEMENT EXECUTE FUNCTION public.audit_clear_all();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_clear_all;
CREATE TRIGGER audit_clear_all BEFORE TRUNCATE ON public.subject FOR EACH STATEMENT EXECUTE FUNCTION public.audit_clear_all();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_clear_all;
CREATE TRIGGER audit_complete BEFORE INSERT ON public.audit_event FOR EACH ROW EXECUTE FUNCTION public.audit_complete();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_complete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.consent REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_consent();
ALTER TABLE public.consent ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.face REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_face();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.face_embedding REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_embedding();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.subject REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_subject();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_insert AFTER INSERT ON public.consent REFERENCING NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_consent();
ALTER TABLE public.consent ENABLE ALWAYS TRIGGER audit_insert;
CREATE TRIGGER audit_insert AFTER INSERT ON public.face REFERENCING NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_face();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_insert;
CREATE TRIGGER audit_insert AFTER INSERT ON public.face_embedding REFERENCING NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_embedding();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_insert;
CREATE TRIGGER audit_insert AFTER INSERT OR DELETE ON public.gallery FOR EACH ROW EXECUTE FUNCTION public.audit_gallery();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER audit_insert;
CREATE TRIGGER audit_insert AFTER INSERT ON public.subject REFERENCING NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_subject();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_insert;
CREATE TRIGGER audit_keep BEFORE DELETE OR UPDATE ON public.audit_anchor FOR EACH ROW EXECUTE FUNCTION public.audit_keep();
ALTER TABLE public.audit_anchor ENABLE ALWAYS TRIGGER audit_keep;
CREATE TRIGGER audit_keep BEFORE DELETE OR UPDATE ON public.audit_event FOR EACH ROW EXECUTE FUNCTION public.audit_keep();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_keep;
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON public.audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION public.audit_keep();
ALTER TABLE public.audit_anchor ENABLE ALWAYS TRIGGER audit_keep_all;
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION public.audit_keep();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_keep_all;
CREATE TRIGGER audit_key AFTER INSERT OR DELETE OR UPDATE ON public.api_key FOR EACH ROW EXECUTE FUNCTION public.audit_key();
ALTER TABLE public.api_key ENABLE ALWAYS TRIGGER audit_key;
CREATE TRIGGER audit_key_gallery AFTER INSERT OR DELETE ON public.api_key_gallery FOR EACH ROW EXECUTE FUNCTION public.audit_key_gallery();
ALTER TABLE public.api_key_gallery ENABLE ALWAYS TRIGGER audit_key_gallery;
CREATE CONSTRAINT TRIGGER audit_number AFTER INSERT ON public.audit_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.feed_number();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_number;
CREATE TRIGGER audit_reembedding AFTER INSERT OR DELETE OR UPDATE ON public.reembedding FOR EACH ROW EXECUTE FUNCTION public.audit_reembedding();
ALTER TABLE public.reembedding ENABLE ALWAYS TRIGGER audit_reembedding;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.api_key FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.api_key ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.api_key_gallery FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.api_key_gallery ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.consent FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.consent ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.face FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.face_embedding FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.gallery FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.reembedding FOR EACH STATEMENT EXECUTE FUNCTION public.audit_reembedding();
ALTER TABLE public.reembedding ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.subject FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_update AFTER UPDATE ON public.consent REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_consent();
ALTER TABLE public.consent ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE ON public.face REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_face();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE ON public.face_embedding REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_embedding();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE OF name, space_id, threshold, max_faces, max_faces_per_subject, subject_lifetime_s, gates, audit_searches, consent_required, unmatched_lifetime_s, keep_photographs ON public.gallery FOR EACH ROW EXECUTE FUNCTION public.audit_gallery();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE ON public.subject REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_subject();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_update;
CREATE CONSTRAINT TRIGGER consent_required AFTER INSERT OR UPDATE OF subject_id, gallery_id ON public.face DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.consent_required();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER consent_required;
CREATE TRIGGER feed_delete AFTER DELETE ON public.face REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('face');
ALTER TABLE public.face ENABLE ALWAYS TRIGGER feed_delete;
CREATE TRIGGER feed_delete AFTER DELETE ON public.face_embedding REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('embedding');
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER feed_delete;
CREATE TRIGGER feed_delete AFTER DELETE ON public.subject REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('subject');
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER feed_delete;
CREATE TRIGGER feed_gallery AFTER INSERT OR DELETE OR TRUNCATE ON public.gallery FOR EACH STATEMENT EXECUTE FUNCTION public.feed_gallery();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER feed_gallery;
CREATE TRIGGER feed_insert AFTER INSERT ON public.face REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('face');
ALTER TABLE public.face ENABLE ALWAYS TRIGGER feed_insert;
CREATE TRIGGER feed_insert AFTER INSERT ON public.face_embedding REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('embedding');
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER feed_insert;
CREATE TRIGGER feed_insert AFTER INSERT ON public.subject REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('subject');
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER feed_insert;
CREATE CONSTRAINT TRIGGER feed_number AFTER INSERT ON public.gallery_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.feed_number();
ALTER TABLE public.gallery_change ENABLE ALWAYS TRIGGER feed_number;
CREATE TRIGGER feed_space AFTER UPDATE OF space_id ON public.gallery FOR EACH ROW WHEN ((old.space_id IS DISTINCT FROM new.space_id)) EXECUTE FUNCTION public.feed_space();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER feed_space;
CREATE TRIGGER feed_truncate AFTER TRUNCATE ON public.face FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('face');
ALTER TABLE public.face ENABLE ALWAYS TRIGGER feed_truncate;
CREATE TRIGGER feed_truncate AFTER TRUNCATE ON public.face_embedding FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('embedding');
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER feed_truncate;
CREATE TRIGGER feed_truncate AFTER TRUNCATE ON public.subject FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('subject');
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER feed_truncate;
CREATE TRIGGER feed_update AFTER UPDATE ON public.face REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('face');
ALTER TABLE public.face ENABLE ALWAYS TRIGGER feed_update;
CREATE TRIGGER feed_update AFTER UPDATE ON public.face_embedding REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('embedding');
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER feed_update;
CREATE TRIGGER feed_update AFTER UPDATE ON public.subject REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.feed_note('subject');
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER feed_update;
CREATE TRIGGER gallery_unmatched_since BEFORE INSERT OR UPDATE OF unmatched_lifetime_s, unmatched_since ON public.gallery FOR EACH ROW EXECUTE FUNCTION public.gallery_unmatched_since();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER gallery_unmatched_since;
CREATE TRIGGER photograph_kept BEFORE INSERT ON public.kept_photograph FOR EACH ROW EXECUTE FUNCTION public.photograph_kept();
ALTER TABLE public.kept_photograph ENABLE ALWAYS TRIGGER photograph_kept;
CREATE TRIGGER photograph_policy BEFORE UPDATE OF keep_photographs ON public.gallery FOR EACH ROW WHEN ((old.keep_photographs <> new.keep_photographs)) EXECUTE FUNCTION public.photograph_policy();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER photograph_policy;
CREATE TRIGGER photograph_replaced AFTER UPDATE OF image_sha256 ON public.face FOR EACH ROW WHEN ((old.image_sha256 IS DISTINCT FROM new.image_sha256)) EXECUTE FUNCTION public.photograph_replaced();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER photograph_replaced;
CREATE TRIGGER photograph_rewritten BEFORE UPDATE OF vacuumed_at ON public.erasure FOR EACH ROW WHEN ((old.vacuumed_at IS NULL)) EXECUTE FUNCTION public.photograph_rewritten();
ALTER TABLE public.erasure ENABLE ALWAYS TRIGGER photograph_rewritten;
CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_notify_queue_abort_job_v1();
CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_notify_queue_job_inserted_v1();
CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1();
CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_unlink_periodic_defers_v1();
CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1();
CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1();
CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_update_v1();
CREATE TRIGGER reembedding_told AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.reembedding FOR EACH STATEMENT EXECUTE FUNCTION public.reembedding_told();
ALTER TABLE public.reembedding ENABLE ALWAYS TRIGGER reembedding_told;
CREATE TRIGGER space_identity BEFORE UPDATE ON public.embedding_space FOR EACH ROW EXECUTE FUNCTION public.space_identity();
ALTER TABLE public.embedding_space ENABLE ALWAYS TRIGGER space_identity;
CREATE TRIGGER subject_lifetime BEFORE INSERT ON public.subject FOR EACH ROW WHEN ((new.expires_at IS NULL)) EXECUTE FUNCTION public.subject_lifetime();
CREATE CONSTRAINT TRIGGER subject_limit AFTER INSERT ON public.gallery_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.gained <> '{}'::uuid[])) EXECUTE FUNCTION public.subject_limit();
ALTER TABLE public.gallery_change ENABLE ALWAYS TRIGGER subject_limit;
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT fk_api_key_gallery_api_key FOREIGN KEY (key_id) REFERENCES public.api_key(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT fk_api_key_gallery_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.audit_identity
    ADD CONSTRAINT fk_audit_identity_audit_event FOREIGN KEY (event_id) REFERENCES public.audit_event(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.consent
    ADD CONSTRAINT fk_consent_subject FOREIGN KEY (gallery_id, subject_id) REFERENCES public.subject(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT fk_face_embedding_embedding_space FOREIGN KEY (space_id, dimension) REFERENCES public.embedding_space(id, dimension);
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT fk_face_embedding_face FOREIGN KEY (gallery_id, face_id) REFERENCES public.face(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.face
    ADD CONSTRAINT fk_face_subject FOREIGN KEY (gallery_id, subject_id) REFERENCES public.subject(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.gallery_calibration
    ADD CONSTRAINT fk_gallery_calibration_embedding_space FOREIGN KEY (space_id) REFERENCES public.embedding_space(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.gallery_calibration
    ADD CONSTRAINT fk_gallery_calibration_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.gallery_change
    ADD CONSTRAINT fk_gallery_change_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.gallery
    ADD CONSTRAINT fk_gallery_embedding_space FOREIGN KEY (space_id) REFERENCES public.embedding_space(id);
ALTER TABLE ONLY public.import_item
    ADD CONSTRAINT fk_import_item_import_job FOREIGN KEY (job_id) REFERENCES public.import_job(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.import_job
    ADD CONSTRAINT fk_import_job_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.kept_photograph
    ADD CONSTRAINT fk_kept_photograph_face FOREIGN KEY (gallery_id, face_id) REFERENCES public.face(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.reembedding
    ADD CONSTRAINT fk_reembedding_embedding_space FOREIGN KEY (space_id) REFERENCES public.embedding_space(id);
ALTER TABLE ONLY public.reembedding_failure
    ADD CONSTRAINT fk_reembedding_failure_face FOREIGN KEY (gallery_id, face_id) REFERENCES public.face(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.reembedding_failure
    ADD CONSTRAINT fk_reembedding_failure_reembedding FOREIGN KEY (gallery_id) REFERENCES public.reembedding(gallery_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.reembedding
    ADD CONSTRAINT fk_reembedding_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT fk_replica_gallery_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT fk_replica_gallery_replica FOREIGN KEY (replica_id) REFERENCES public.replica(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT fk_subject_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.procrastinate_workers(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id);
GRANT USAGE ON SCHEMA audit TO facematch_auditor;
GRANT USAGE ON SCHEMA public TO facematch_app;
REVOKE ALL ON FUNCTION public.audit_calibration() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_caller() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_changed(before jsonb, after jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_clear() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_clear_all() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_complete() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_consent() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_embedding() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_face() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_gallery() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_keep() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_key() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_key_gallery() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_number(c uuid, g_version bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_prune(old timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_reembedding() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_subject() FROM PUBLIC;
GRANT SELECT,INSERT ON TABLE public.audit_event TO facematch_app;
REVOKE ALL ON FUNCTION public.audit_text(e public.audit_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_truncate() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.consent_required() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.facematch_grant() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_note() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_number() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean, more uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_space() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.photograph_kept() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.photograph_policy() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.photograph_replaced() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.photograph_rewritten() FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_jobs TO facematch_app;
REVOKE ALL ON FUNCTION public.subject_lifetime() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.subject_limit() FROM PUBLIC;
GRANT SELECT ON TABLE public.audit_identity TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.embedding_space TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.gallery TO facematch_app;
GRANT SELECT ON TABLE audit.enrolment_history TO facematch_auditor;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.face TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.kept_photograph TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.subject TO facematch_app;
GRANT SELECT ON TABLE audit.enrolments TO facematch_auditor;
GRANT SELECT ON TABLE audit.erasures TO facematch_auditor;
GRANT SELECT ON TABLE audit.exports TO facematch_auditor;
GRANT SELECT ON TABLE audit.key_usage TO facematch_auditor;
GRANT SELECT ON TABLE audit.searches TO facematch_auditor;
GRANT SELECT ON TABLE public.alembic_version TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_key TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_key_gallery TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_key_pepper TO facematch_app;
GRANT SELECT ON TABLE public.audit_anchor TO facematch_app;
GRANT SELECT ON TABLE public.audit_chain TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.audit_event_id_seq TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.consent TO facematch_app;
GRANT SELECT ON TABLE public.erasure TO facematch_app;
GRANT UPDATE(passed_at) ON TABLE public.erasure TO facematch_app;
GRANT UPDATE(replicas) ON TABLE public.erasure TO facematch_app;
GRANT UPDATE(vacuumed_at) ON TABLE public.erasure TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.face_embedding TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.gallery_calibration TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.gallery_change TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.gallery_change_id_seq TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_key TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_item TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_job TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_events TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.procrastinate_events_id_seq TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.procrastinate_jobs_id_seq TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_periodic_defers TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.procrastinate_periodic_defers_id_seq TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_workers TO facematch_app;
GRANT SELECT,USAGE ON SEQUENCE public.procrastinate_workers_id_seq TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reembedding TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reembedding_failure TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.replica TO facematch_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.replica_gallery TO facematch_app;
