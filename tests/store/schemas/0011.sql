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
  END IF;
  RETURN NEW;
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
     WHERE f.xmin <> pg_current_xact_id()::xid;
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
CREATE FUNCTION public.audit_number(c uuid, g_version bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  e audit_event;
  last record;
  g record;
BEGIN
  INSERT INTO audit_chain (chain, seq, hash) VALUES (c, 0, decode(repeat('00', 32), 'hex'))
    ON CONFLICT DO NOTHING;
  SELECT seq, hash INTO last FROM audit_chain WHERE chain = c FOR UPDATE;
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
  ELSE
    INSERT INTO audit_event (action, gallery_id, face_id, space_id)
    SELECT 'delete_embedding', gallery_id, face_id, space_id FROM face_embedding;
  END IF;
  RETURN NULL;
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
    IF NOT EXISTS (SELECT FROM gallery WHERE id = r.g AND xmin = pg_current_xact_id()::xid) THEN
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
CREATE FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO gallery_change (gallery_id, subjects, faces, everything, grew)
  SELECT id, CASE kind WHEN 'subject' THEN ids ELSE '{}' END,
         CASE kind WHEN 'face' THEN ids ELSE '{}' END, kind = 'everything', grown
    FROM gallery WHERE id = g;
END $$;
CREATE FUNCTION public.feed_space() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM feed_record(NEW.id, 'everything', NULL, false);
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
    CONSTRAINT ck_gallery_gates CHECK (((jsonb_typeof(gates) = 'object'::text) AND ((gates - '{one_face,quality,new_photograph,new_person,own_likeness}'::text[]) = '{}'::jsonb) AND (NOT jsonb_path_exists(gates, '$.*?(@.type() != "boolean")'::jsonpath)))),
    CONSTRAINT ck_gallery_max_faces_per_subject CHECK ((max_faces_per_subject >= 1)),
    CONSTRAINT ck_gallery_max_faces_positive CHECK ((max_faces >= 1)),
    CONSTRAINT ck_gallery_name CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 255)) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
    CONSTRAINT ck_gallery_subject_lifetime_s CHECK (((subject_lifetime_s >= 1) AND (subject_lifetime_s <= '3155760000'::bigint))),
    CONSTRAINT ck_gallery_threshold CHECK (((threshold >= ('-1'::integer)::double precision) AND (threshold <= (1)::double precision)))
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
CREATE TABLE public.subject (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    gallery_id uuid NOT NULL,
    external_id text NOT NULL COLLATE pg_catalog."C",
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT ck_subject_external_id_blank CHECK ((external_id ~ '[^ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'::text)),
    CONSTRAINT ck_subject_external_id_control CHECK ((external_id !~ '[\u0001-\u001f\u007f-\u009f]'::text)),
    CONSTRAINT ck_subject_external_id_length CHECK (((char_length(external_id) >= 1) AND (char_length(external_id) <= 255))),
    CONSTRAINT ck_subject_metadata CHECK ((jsonb_typeof(metadata) = 'object'::text))
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
    s.expires_at
   FROM ((((public.face f
     JOIN public.subject s ON ((s.id = f.subject_id)))
     JOIN public.gallery g ON ((g.id = f.gallery_id)))
     JOIN public.embedding_space p ON ((p.id = g.space_id)))
     LEFT JOIN public.audit_event e ON (((e.face_id = f.id) AND (e.action = 'enrol'::text))));
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
CREATE TABLE public.face_embedding (
    face_id uuid NOT NULL,
    space_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    dimension integer GENERATED ALWAYS AS (public.vector_dims(vec)) STORED NOT NULL,
    vec public.vector NOT NULL,
    CONSTRAINT ck_face_embedding_unit_length CHECK ((abs((public.vector_norm(vec) - (1)::double precision)) <= (0.00001)::double precision))
);
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
    grew boolean DEFAULT false NOT NULL
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
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_idempotency_key_fingerprint CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT ck_idempotency_key_key CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255))),
    CONSTRAINT ck_idempotency_key_status CHECK (((status >= 200) AND (status <= 299)))
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
    applied_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
INSERT INTO public.alembic_version VALUES
	('0011');
INSERT INTO public.audit_chain VALUES
	('00000000-0000-0000-0000-000000000000', 1, '\x3de8cad8beb304a6a086e418aea16b661f80a9329fc3497a829627f893df092a'),
	('00000000-0000-7000-8000-000000000011', 4, '\x22bb76fe4c55d78562d8577509275e1dd17b680e3533a5d42aee3e6d12362dd9');
INSERT INTO public.audit_event OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-0000-0000-000000000000', 1, '2026-11-25 02:02:05.517418+00', 'migrate', 'done', 'postgres', NULL, 'postgres', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"to": "0011", "from": "0007"}', '777', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x3de8cad8beb304a6a086e418aea16b661f80a9329fc3497a829627f893df092a'),
	(2, '00000000-0000-7000-8000-000000000011', 1, '2026-11-25 02:02:05.539267+00', 'delete_face', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001', 0.91, 7, '{}', '779', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x383fe6f32fad084bc3d1b699fe72cae2feb9ac8de5950b4f5953f6bc56df0e25'),
	(3, '00000000-0000-7000-8000-000000000011', 2, '2026-11-25 02:02:05.546845+00', 'change_gallery', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', NULL, NULL, '00000000-0000-7000-8000-000000000001', 0.91, 7, '{"threshold": [0.9, 0.91]}', '779', '\x383fe6f32fad084bc3d1b699fe72cae2feb9ac8de5950b4f5953f6bc56df0e25', '\x70a21564544f7c35989b1e71d3047685758069315f149f5ba19480ea092d3056'),
	(4, '00000000-0000-7000-8000-000000000011', 3, '2026-11-25 02:02:05.558516+00', 'create_subject', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a21070-4f75-70c9-af30-2b0704f1a5c1', NULL, '00000000-0000-7000-8000-000000000001', 0.91, 8, '{}', '780', '\x70a21564544f7c35989b1e71d3047685758069315f149f5ba19480ea092d3056', '\x82edf7c0d616dfadd719c9b451cb9e0a412b3ef7b9edcc9bfa80f75d9eef174b'),
	(5, '00000000-0000-7000-8000-000000000011', 4, '2026-11-25 02:02:05.559594+00', 'enrol', 'done', 'postgres', NULL, 'postgres', NULL, NULL, '00000000-0000-7000-8000-000000000011', '01a21070-4f75-70c9-af30-2b0704f1a5c1', '01a21070-4f75-77f2-9dd3-53e867809fd7', '00000000-0000-7000-8000-000000000001', 0.91, 8, '{}', '780', '\x82edf7c0d616dfadd719c9b451cb9e0a412b3ef7b9edcc9bfa80f75d9eef174b', '\x22bb76fe4c55d78562d8577509275e1dd17b680e3533a5d42aee3e6d12362dd9');
INSERT INTO public.audit_identity VALUES
	(4, '01a21070-4f75-70c9-af30-2b0704f1a5c1', NULL, 'enrolled at 0011', NULL, NULL),
	(5, '01a21070-4f75-70c9-af30-2b0704f1a5c1', '01a21070-4f75-77f2-9dd3-53e867809fd7', 'enrolled at 0011', NULL, '\x5e01cdbc16adb0964c2f6cfaaf31147a0864b400a2674f6b3d86d35d9ba1e593');
INSERT INTO public.embedding_space VALUES
	('00000000-0000-7000-8000-000000000001', 'Dlib', 4, 'abababababababababababababababababababababababababababababababab', 'dlib', 'native', 0.9, '2026-11-25 02:02:03.845271+00'),
	('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68, '2026-11-25 02:02:03.845271+00');
INSERT INTO public.face VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\x6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'ada 1.jpg', '{-1,2,30,40}', '{"size": 35, "score": 0.5}', '2026-11-25 02:02:03.845271+00', 'api'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012', '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, '2026-11-25 02:02:03.845271+00', 'facematch import-json'),
	('01a21070-48ce-72f7-b161-7e40ec6b3b6e', '00000000-0000-7000-8000-000000000011', '01a21070-48ce-7a60-8fc7-a15063e41921', '\x61aa5c9dd8e8da74d81d7b3997f59f74153add3a9fc5a680fede33709eec4f9e', NULL, NULL, NULL, '2026-11-25 02:02:03.853452+00', 'test'),
	('01a21070-4991-7d0e-91a2-cd6e07722247', '00000000-0000-7000-8000-000000000011', '01a21070-4991-7989-b3d4-1b6cd54ee410', '\xa3daadc008bb238de2323dffeabd56e8c758bf0f5400b1a3efacedd39f459571', NULL, NULL, NULL, '2026-11-25 02:02:04.03892+00', 'test'),
	('01a21070-4a7e-7aa2-a70e-136b3a760115', '00000000-0000-7000-8000-000000000011', '01a21070-4a7e-7f56-8184-4ba8cb86ca2f', '\x8b8fed06e782321a0f75df1ab8748e72017c8ecc455714f82bdb70f40bc572b9', NULL, NULL, NULL, '2026-11-25 02:02:04.284798+00', 'test'),
	('01a21070-4b7c-73c6-b256-0601e2ff1c31', '00000000-0000-7000-8000-000000000011', '01a21070-4b7c-7416-b9dd-fec0b516bc0b', '\xa3a171d879099ab3bb2aa3342ecd6af6a33c3b4b5dbc7e6d00fb9ff28911a057', NULL, NULL, NULL, '2026-11-25 02:02:04.53834+00', 'test'),
	('01a21070-4c87-733e-9167-dc29df5db7e6', '00000000-0000-7000-8000-000000000011', '01a21070-4c87-7fc4-a39a-acc877fc86ba', '\x8d2997a4fdd99a8ff8ba4c6714e541617c8119abb8bf126b558469da7b16e6c1', NULL, NULL, NULL, '2026-11-25 02:02:04.804779+00', 'test'),
	('01a21070-4d37-7da0-aae6-f8ed55787cb7', '00000000-0000-7000-8000-000000000011', '01a21070-4d37-75cc-a36c-1d15a9a8ad57', '\xa422b3ee8c25ed842e62b1e7e251bec5d183921371547773939ce3bcbc72363e', NULL, NULL, NULL, '2026-11-25 02:02:04.982251+00', 'test'),
	('01a21070-4e0a-75c7-b400-0013e76ed67e', '00000000-0000-7000-8000-000000000011', '01a21070-4e0a-795c-8af3-92e909b6e945', '\xb3de8710ed58c36327f51053df2d8afb347358ee1f1b39780bd705c8f724a999', NULL, NULL, NULL, '2026-11-25 02:02:05.192902+00', 'test'),
	('01a21070-4f75-77f2-9dd3-53e867809fd7', '00000000-0000-7000-8000-000000000011', '01a21070-4f75-70c9-af30-2b0704f1a5c1', '\x5e01cdbc16adb0964c2f6cfaaf31147a0864b400a2674f6b3d86d35d9ba1e593', NULL, NULL, NULL, '2026-11-25 02:02:05.556771+00', 'test');
INSERT INTO public.face_embedding VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[1,0,0,0]'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000012', DEFAULT, '[0,0,0,-1]'),
	('01a21070-48ce-72f7-b161-7e40ec6b3b6e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4991-7d0e-91a2-cd6e07722247', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4a7e-7aa2-a70e-136b3a760115', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4b7c-73c6-b256-0601e2ff1c31', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4c87-733e-9167-dc29df5db7e6', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4d37-7da0-aae6-f8ed55787cb7', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4e0a-75c7-b400-0013e76ed67e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a21070-4f75-77f2-9dd3-53e867809fd7', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]');
INSERT INTO public.gallery VALUES
	('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1', '00000000-0000-7000-8000-000000000002', 0.7, 1000, 0, '5aed35ba-a345-43c2-bcd8-c0adddafae31', NULL, '2026-11-25 02:02:03.845271+00', '2026-11-25 02:02:03.845271+00', 100, NULL, '{}'),
	('00000000-0000-7000-8000-000000000011', 'dlib', '00000000-0000-7000-8000-000000000001', 0.91, NULL, 8, 'bb1e273b-308b-4d44-827c-852bb1988d2c', '02c93209-506b-427c-b95a-2e5166c06a90', '2026-11-25 02:02:03.845271+00', '2026-11-25 02:02:05.565154+00', 100, 31557600, '{"quality": false}');
INSERT INTO public.gallery_calibration VALUES
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 0.001, 0.9, 0.88, 0.92, 50, 80, 1, 0.8, 0.1, 3.5, 4, '0.1.0', '2026-11-25 02:02:04.976255+00');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-7000-8000-000000000011', '759', 1, '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '34241459-22e3-4ab0-8717-767dd911e592', '2026-11-25 02:02:04.03892+00', '{01a21070-4991-7989-b3d4-1b6cd54ee410}', '{}', false, false),
	(2, '00000000-0000-7000-8000-000000000011', '759', 1, '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '34241459-22e3-4ab0-8717-767dd911e592', '2026-11-25 02:02:04.03892+00', '{}', '{01a21070-4991-7d0e-91a2-cd6e07722247}', false, true),
	(3, '00000000-0000-7000-8000-000000000011', '759', 1, '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '34241459-22e3-4ab0-8717-767dd911e592', '2026-11-25 02:02:04.03892+00', '{}', '{01a21070-4991-7d0e-91a2-cd6e07722247}', false, false),
	(4, '00000000-0000-7000-8000-000000000011', '762', 2, '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '2026-11-25 02:02:04.284798+00', '{01a21070-4a7e-7f56-8184-4ba8cb86ca2f}', '{}', false, false),
	(5, '00000000-0000-7000-8000-000000000011', '762', 2, '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '2026-11-25 02:02:04.284798+00', '{}', '{01a21070-4a7e-7aa2-a70e-136b3a760115}', false, true),
	(6, '00000000-0000-7000-8000-000000000011', '762', 2, '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '2026-11-25 02:02:04.284798+00', '{}', '{01a21070-4a7e-7aa2-a70e-136b3a760115}', false, false),
	(7, '00000000-0000-7000-8000-000000000011', '768', 3, 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '2026-11-25 02:02:04.53834+00', '{01a21070-4b7c-7416-b9dd-fec0b516bc0b}', '{}', false, false),
	(8, '00000000-0000-7000-8000-000000000011', '768', 3, 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '2026-11-25 02:02:04.53834+00', '{}', '{01a21070-4b7c-73c6-b256-0601e2ff1c31}', false, true),
	(9, '00000000-0000-7000-8000-000000000011', '768', 3, 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '0118ad98-9e9a-4952-83fa-f744e0ab33d3', '2026-11-25 02:02:04.53834+00', '{}', '{01a21070-4b7c-73c6-b256-0601e2ff1c31}', false, false),
	(10, '00000000-0000-7000-8000-000000000011', '770', 4, '0bc80d0e-c2d6-4035-8072-bf2cefda225c', 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '2026-11-25 02:02:04.804779+00', '{01a21070-4c87-7fc4-a39a-acc877fc86ba}', '{}', false, false),
	(11, '00000000-0000-7000-8000-000000000011', '770', 4, '0bc80d0e-c2d6-4035-8072-bf2cefda225c', 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '2026-11-25 02:02:04.804779+00', '{}', '{01a21070-4c87-733e-9167-dc29df5db7e6}', false, true),
	(12, '00000000-0000-7000-8000-000000000011', '770', 4, '0bc80d0e-c2d6-4035-8072-bf2cefda225c', 'db910e53-69e7-4e2b-a7dc-1c82a0e80b14', '2026-11-25 02:02:04.804779+00', '{}', '{01a21070-4c87-733e-9167-dc29df5db7e6}', false, false),
	(13, '00000000-0000-7000-8000-000000000011', '773', 5, 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '0bc80d0e-c2d6-4035-8072-bf2cefda225c', '2026-11-25 02:02:04.982251+00', '{01a21070-4d37-75cc-a36c-1d15a9a8ad57}', '{}', false, false),
	(14, '00000000-0000-7000-8000-000000000011', '773', 5, 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '0bc80d0e-c2d6-4035-8072-bf2cefda225c', '2026-11-25 02:02:04.982251+00', '{}', '{01a21070-4d37-7da0-aae6-f8ed55787cb7}', false, true),
	(15, '00000000-0000-7000-8000-000000000011', '773', 5, 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '0bc80d0e-c2d6-4035-8072-bf2cefda225c', '2026-11-25 02:02:04.982251+00', '{}', '{01a21070-4d37-7da0-aae6-f8ed55787cb7}', false, false),
	(16, '00000000-0000-7000-8000-000000000011', '776', 6, '23e6d26e-8cbc-49fe-a6c7-5e16d6463689', 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '2026-11-25 02:02:05.192902+00', '{01a21070-4e0a-795c-8af3-92e909b6e945}', '{}', false, false),
	(17, '00000000-0000-7000-8000-000000000011', '776', 6, '23e6d26e-8cbc-49fe-a6c7-5e16d6463689', 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '2026-11-25 02:02:05.192902+00', '{}', '{01a21070-4e0a-75c7-b400-0013e76ed67e}', false, true),
	(18, '00000000-0000-7000-8000-000000000011', '776', 6, '23e6d26e-8cbc-49fe-a6c7-5e16d6463689', 'bad8516c-6800-4efb-a21c-e58b845b0ec1', '2026-11-25 02:02:05.192902+00', '{}', '{01a21070-4e0a-75c7-b400-0013e76ed67e}', false, false),
	(19, '00000000-0000-7000-8000-000000000011', '779', 7, '02c93209-506b-427c-b95a-2e5166c06a90', '23e6d26e-8cbc-49fe-a6c7-5e16d6463689', '2026-11-25 02:02:05.536992+00', '{}', '{00000000-0000-7000-8000-000000000032}', false, false),
	(20, '00000000-0000-7000-8000-000000000011', '779', 7, '02c93209-506b-427c-b95a-2e5166c06a90', '23e6d26e-8cbc-49fe-a6c7-5e16d6463689', '2026-11-25 02:02:05.536992+00', '{}', '{00000000-0000-7000-8000-000000000032}', false, false),
	(21, '00000000-0000-7000-8000-000000000011', '780', 8, 'bb1e273b-308b-4d44-827c-852bb1988d2c', '02c93209-506b-427c-b95a-2e5166c06a90', '2026-11-25 02:02:05.556771+00', '{01a21070-4f75-70c9-af30-2b0704f1a5c1}', '{}', false, false),
	(22, '00000000-0000-7000-8000-000000000011', '780', 8, 'bb1e273b-308b-4d44-827c-852bb1988d2c', '02c93209-506b-427c-b95a-2e5166c06a90', '2026-11-25 02:02:05.556771+00', '{}', '{01a21070-4f75-77f2-9dd3-53e867809fd7}', false, true),
	(23, '00000000-0000-7000-8000-000000000011', '780', 8, 'bb1e273b-308b-4d44-827c-852bb1988d2c', '02c93209-506b-427c-b95a-2e5166c06a90', '2026-11-25 02:02:05.556771+00', '{}', '{01a21070-4f75-77f2-9dd3-53e867809fd7}', false, false);
INSERT INTO public.idempotency_key VALUES
	('anonymous', 'once', '\x1f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd1047', 201, '{"etag": "\"1\""}', '\x7b7d', '2026-11-25 02:02:05.188683+00');
INSERT INTO public.replica VALUES
	('00000000-0000-7000-8000-000000000041', 'host-1:4711', '2026-11-25 02:02:04.277847+00', '2026-11-25 02:02:04.277847+00', NULL, 0);
INSERT INTO public.replica_gallery VALUES
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000012', 0, '5aed35ba-a345-43c2-bcd8-c0adddafae31', '2026-11-25 02:02:04.277847+00'),
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000011', 1, '0142ae60-2f15-4c8c-949c-b92c23ef92ff', '2026-11-25 02:02:04.277847+00');
INSERT INTO public.subject VALUES
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada', '{"age": 36.5, "team": "blue"}', '2026-11-25 02:02:03.845271+00', NULL),
	('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011', 'Ørsted/😀 "x''y"\', '{}', '2026-11-25 02:02:03.845271+00', '2035-01-01 21:04:05+00'),
	('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada', '{}', '2026-11-25 02:02:03.845271+00', NULL),
	('01a21070-48ce-7a60-8fc7-a15063e41921', '00000000-0000-7000-8000-000000000011', 'enrolled at 0001', '{}', '2026-11-25 02:02:03.853452+00', NULL),
	('01a21070-4991-7989-b3d4-1b6cd54ee410', '00000000-0000-7000-8000-000000000011', 'enrolled at 0002', '{}', '2026-11-25 02:02:04.03892+00', NULL),
	('01a21070-4a7e-7f56-8184-4ba8cb86ca2f', '00000000-0000-7000-8000-000000000011', 'enrolled at 0003', '{}', '2026-11-25 02:02:04.284798+00', NULL),
	('01a21070-4b7c-7416-b9dd-fec0b516bc0b', '00000000-0000-7000-8000-000000000011', 'enrolled at 0004', '{}', '2026-11-25 02:02:04.53834+00', NULL),
	('01a21070-4c87-7fc4-a39a-acc877fc86ba', '00000000-0000-7000-8000-000000000011', 'enrolled at 0005', '{}', '2026-11-25 02:02:04.804779+00', NULL),
	('01a21070-4d37-75cc-a36c-1d15a9a8ad57', '00000000-0000-7000-8000-000000000011', 'enrolled at 0006', '{}', '2026-11-25 02:02:04.982251+00', NULL),
	('01a21070-4e0a-795c-8af3-92e909b6e945', '00000000-0000-7000-8000-000000000011', 'enrolled at 0007', '{}', '2026-11-25 02:02:05.192902+00', NULL),
	('01a21070-4f75-70c9-af30-2b0704f1a5c1', '00000000-0000-7000-8000-000000000011', 'enrolled at 0011', '{}', '2026-11-25 02:02:05.556771+00', NULL);
SELECT pg_catalog.setval('public.audit_event_id_seq', 5, true);
SELECT pg_catalog.setval('public.gallery_change_id_seq', 23, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.audit_anchor
    ADD CONSTRAINT pk_audit_anchor PRIMARY KEY (chain, seq);
ALTER TABLE ONLY public.audit_chain
    ADD CONSTRAINT pk_audit_chain PRIMARY KEY (chain);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT pk_audit_event PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_identity
    ADD CONSTRAINT pk_audit_identity PRIMARY KEY (event_id);
ALTER TABLE ONLY public.embedding_space
    ADD CONSTRAINT pk_embedding_space PRIMARY KEY (id);
ALTER TABLE ONLY public.face
    ADD CONSTRAINT pk_face PRIMARY KEY (id);
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT pk_face_embedding PRIMARY KEY (face_id, space_id);
ALTER TABLE ONLY public.gallery
    ADD CONSTRAINT pk_gallery PRIMARY KEY (id);
ALTER TABLE ONLY public.gallery_calibration
    ADD CONSTRAINT pk_gallery_calibration PRIMARY KEY (gallery_id);
ALTER TABLE ONLY public.gallery_change
    ADD CONSTRAINT pk_gallery_change PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT pk_idempotency_key PRIMARY KEY (caller, key);
ALTER TABLE ONLY public.replica
    ADD CONSTRAINT pk_replica PRIMARY KEY (id);
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT pk_replica_gallery PRIMARY KEY (replica_id, gallery_id);
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT pk_subject PRIMARY KEY (id);
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
CREATE INDEX ix_audit_event_face_id ON public.audit_event USING btree (face_id);
CREATE INDEX ix_audit_event_key_id_occurred_at ON public.audit_event USING btree (key_id, occurred_at);
CREATE INDEX ix_audit_event_subject_id_occurred_at ON public.audit_event USING btree (subject_id, occurred_at);
CREATE INDEX ix_audit_event_tx ON public.audit_event USING btree (tx) WHERE (seq IS NULL);
CREATE INDEX ix_audit_identity_external_id ON public.audit_identity USING btree (external_id);
CREATE INDEX ix_audit_identity_face_id ON public.audit_identity USING btree (face_id);
CREATE INDEX ix_audit_identity_subject_id ON public.audit_identity USING btree (subject_id);
CREATE INDEX ix_face_embedding_gallery_id_face_id ON public.face_embedding USING btree (gallery_id, face_id);
CREATE INDEX ix_face_gallery_id_subject_id ON public.face USING btree (gallery_id, subject_id);
CREATE INDEX ix_gallery_change_gallery_id_version ON public.gallery_change USING btree (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON public.gallery_change USING btree (tx) WHERE (version IS NULL);
CREATE INDEX ix_idempotency_key_created_at ON public.idempotency_key USING btree (created_at);
CREATE INDEX ix_replica_gallery_gallery_id ON public.replica_gallery USING btree (gallery_id);
CREATE TRIGGER audit_calibration AFTER INSERT OR UPDATE ON public.gallery_calibration FOR EACH ROW EXECUTE FUNCTION public.audit_calibration();
ALTER TABLE public.gallery_calibration ENABLE ALWAYS TRIGGER audit_calibration;
CREATE TRIGGER audit_complete BEFORE INSERT ON public.audit_event FOR EACH ROW EXECUTE FUNCTION public.audit_complete();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_complete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.face REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_face();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.face_embedding REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_embedding();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_delete;
CREATE TRIGGER audit_delete AFTER DELETE ON public.subject REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.audit_subject();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_delete;
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
CREATE CONSTRAINT TRIGGER audit_number AFTER INSERT ON public.audit_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.feed_number();
ALTER TABLE public.audit_event ENABLE ALWAYS TRIGGER audit_number;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.face FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.face_embedding FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.subject FOR EACH STATEMENT EXECUTE FUNCTION public.audit_truncate();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_truncate;
CREATE TRIGGER audit_update AFTER UPDATE ON public.face REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_face();
ALTER TABLE public.face ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE ON public.face_embedding REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_embedding();
ALTER TABLE public.face_embedding ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE OF name, space_id, threshold, max_faces, max_faces_per_subject, subject_lifetime_s, gates ON public.gallery FOR EACH ROW EXECUTE FUNCTION public.audit_gallery();
ALTER TABLE public.gallery ENABLE ALWAYS TRIGGER audit_update;
CREATE TRIGGER audit_update AFTER UPDATE ON public.subject REFERENCING OLD TABLE AS changed NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION public.audit_subject();
ALTER TABLE public.subject ENABLE ALWAYS TRIGGER audit_update;
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
CREATE TRIGGER space_identity BEFORE UPDATE ON public.embedding_space FOR EACH ROW EXECUTE FUNCTION public.space_identity();
ALTER TABLE public.embedding_space ENABLE ALWAYS TRIGGER space_identity;
ALTER TABLE ONLY public.audit_identity
    ADD CONSTRAINT fk_audit_identity_audit_event FOREIGN KEY (event_id) REFERENCES public.audit_event(id) ON DELETE CASCADE;
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
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT fk_replica_gallery_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT fk_replica_gallery_replica FOREIGN KEY (replica_id) REFERENCES public.replica(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT fk_subject_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
REVOKE ALL ON FUNCTION public.audit_calibration() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_caller() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_changed(before jsonb, after jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_complete() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_embedding() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_face() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_gallery() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_keep() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_number(c uuid, g_version bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_prune(old timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_subject() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_text(e public.audit_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.audit_truncate() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_note() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_number() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_space() FROM PUBLIC;
