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
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
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
BEGIN
  SELECT c.version IS NULL INTO pending FROM gallery_change c WHERE c.id = NEW.id;
  IF pending IS NOT TRUE THEN RETURN NULL; END IF;
  FOR r IN SELECT gallery_id AS g, bool_or(grew) AS grown FROM gallery_change
            WHERE tx = pg_current_xact_id() AND version IS NULL GROUP BY 1 ORDER BY 1 LOOP
    IF NOT EXISTS (SELECT FROM gallery WHERE id = r.g AND xmin = pg_current_xact_id()::xid) THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('facematch gallery ' || r.g, 0));
    END IF;
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
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
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
CREATE TABLE public.face_embedding (
    face_id uuid NOT NULL,
    space_id uuid NOT NULL,
    gallery_id uuid NOT NULL,
    dimension integer GENERATED ALWAYS AS (public.vector_dims(vec)) STORED NOT NULL,
    vec public.vector NOT NULL,
    CONSTRAINT ck_face_embedding_unit_length CHECK ((abs((public.vector_norm(vec) - (1)::double precision)) <= (0.00001)::double precision))
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
INSERT INTO public.alembic_version VALUES
	('0009');
INSERT INTO public.api_key VALUES
	('00000000-0000-7000-8000-000000000051', 'fm_abcdefgh', 'door', '\x2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', NULL, NULL, '{search,enrol}', false, '2026-11-25 03:44:08.632766+00', 'postgres', NULL, NULL);
INSERT INTO public.api_key_gallery VALUES
	('00000000-0000-7000-8000-000000000051', '00000000-0000-7000-8000-000000000011');
INSERT INTO public.api_key_pepper VALUES
	(true, '\x62f7e7a3c3b67b0efcd1674101db2908a790c58087e21bc6ab198b2067dd10d4');
INSERT INTO public.embedding_space VALUES
	('00000000-0000-7000-8000-000000000001', 'Dlib', 4, 'abababababababababababababababababababababababababababababababab', 'dlib', 'native', 0.9, '2026-11-25 03:44:05.917528+00'),
	('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68, '2026-11-25 03:44:05.917528+00');
INSERT INTO public.face VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\x6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'ada 1.jpg', '{-1,2,30,40}', '{"size": 35, "score": 0.5}', '2026-11-25 03:44:05.917528+00', 'api'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\xd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35', NULL, NULL, NULL, '2026-11-25 03:44:05.917528+00', 'api'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012', '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, '2026-11-25 03:44:05.917528+00', 'facematch import-json'),
	('01a210cd-b345-7b8c-8aa3-34c5726ac5cb', '00000000-0000-7000-8000-000000000011', '01a210cd-b341-79ee-a73a-debd69d4ac8c', '\x61aa5c9dd8e8da74d81d7b3997f59f74153add3a9fc5a680fede33709eec4f9e', NULL, NULL, NULL, '2026-11-25 03:44:05.948781+00', 'test'),
	('01a210cd-b585-7400-b342-6685d1b2daf3', '00000000-0000-7000-8000-000000000011', '01a210cd-b572-7103-b2aa-9b0f91bc57f8', '\xa3daadc008bb238de2323dffeabd56e8c758bf0f5400b1a3efacedd39f459571', NULL, NULL, NULL, '2026-11-25 03:44:06.509785+00', 'test'),
	('01a210cd-b724-730a-9a9d-b697c818e7e3', '00000000-0000-7000-8000-000000000011', '01a210cd-b718-7658-84da-11554e9eee6a', '\x8b8fed06e782321a0f75df1ab8748e72017c8ecc455714f82bdb70f40bc572b9', NULL, NULL, NULL, '2026-11-25 03:44:06.932826+00', 'test'),
	('01a210cd-b8d5-7416-90d0-e9f632ccfff1', '00000000-0000-7000-8000-000000000011', '01a210cd-b8c6-722f-b227-20559c04251e', '\xa3a171d879099ab3bb2aa3342ecd6af6a33c3b4b5dbc7e6d00fb9ff28911a057', NULL, NULL, NULL, '2026-11-25 03:44:07.356785+00', 'test'),
	('01a210cd-b999-700c-b63d-a62d498a4c08', '00000000-0000-7000-8000-000000000011', '01a210cd-b98d-739c-849f-ce5e9dbce657', '\x8d2997a4fdd99a8ff8ba4c6714e541617c8119abb8bf126b558469da7b16e6c1', NULL, NULL, NULL, '2026-11-25 03:44:07.563742+00', 'test'),
	('01a210cd-ba6a-7377-9e3f-9f84d0399b7e', '00000000-0000-7000-8000-000000000011', '01a210cd-ba65-74b6-993f-ba1e82f223e8', '\xa422b3ee8c25ed842e62b1e7e251bec5d183921371547773939ce3bcbc72363e', NULL, NULL, NULL, '2026-11-25 03:44:07.77277+00', 'test'),
	('01a210cd-bb76-7cd2-9c59-4a8f9e3a6e63', '00000000-0000-7000-8000-000000000011', '01a210cd-bb69-7246-8316-4091021046cf', '\xb3de8710ed58c36327f51053df2d8afb347358ee1f1b39780bd705c8f724a999', NULL, NULL, NULL, '2026-11-25 03:44:08.036775+00', 'test'),
	('01a210cd-bdcd-7abb-bd6c-5f2b45320a3f', '00000000-0000-7000-8000-000000000011', '01a210cd-bdc5-7405-8d82-3acc4b7efb46', '\x84300c4d5de22ae75678823e97e9c5a63d92ce5e691e43f6cdf017dab1db9feb', NULL, NULL, NULL, '2026-11-25 03:44:08.644773+00', 'test'),
	('01a210cd-bea5-70e2-9412-d21655b47a6c', '00000000-0000-7000-8000-000000000011', '01a210cd-be9a-7091-95fc-97d11858c4e3', '\xf6389995873214d164ae56b31d5486acb948c41bb97f8e5bb6e8501a60f0ec3e', NULL, NULL, NULL, '2026-11-25 03:44:08.848797+00', 'test');
INSERT INTO public.face_embedding VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[1,0,0,0]'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0.6,0.8,0,0]'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000012', DEFAULT, '[0,0,0,-1]'),
	('01a210cd-b345-7b8c-8aa3-34c5726ac5cb', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-b585-7400-b342-6685d1b2daf3', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-b724-730a-9a9d-b697c818e7e3', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-b8d5-7416-90d0-e9f632ccfff1', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-b999-700c-b63d-a62d498a4c08', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-ba6a-7377-9e3f-9f84d0399b7e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-bb76-7cd2-9c59-4a8f9e3a6e63', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-bdcd-7abb-bd6c-5f2b45320a3f', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210cd-bea5-70e2-9412-d21655b47a6c', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]');
INSERT INTO public.gallery VALUES
	('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1', '00000000-0000-7000-8000-000000000002', 0.7, 1000, 0, '36e15681-ceb2-43f0-a307-80e9770e01bd', NULL, '2026-11-25 03:44:05.917528+00', '2026-11-25 03:44:05.917528+00', 100, NULL, '{}'),
	('00000000-0000-7000-8000-000000000011', 'dlib', '00000000-0000-7000-8000-000000000001', 0.9, NULL, 8, 'ae19064b-1663-4929-b2ce-fbfac5221eaf', '8565a376-7102-4bda-8006-2b3793b3f904', '2026-11-25 03:44:05.917528+00', '2026-11-25 03:44:08.877754+00', 100, 31557600, '{"quality": false}');
INSERT INTO public.gallery_calibration VALUES
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 0.001, 0.9, 0.88, 0.92, 50, 80, 1, 0.8, 0.1, 3.5, 4, '0.1.0', '2026-11-25 03:44:07.760773+00');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-7000-8000-000000000011', '759', 1, 'd2270051-1a85-413c-a275-41965f34fd57', 'c8bf53d4-7963-40ce-a604-50af4b8c8550', '2026-11-25 03:44:06.509785+00', '{01a210cd-b572-7103-b2aa-9b0f91bc57f8}', '{}', false, false, '{}'),
	(2, '00000000-0000-7000-8000-000000000011', '759', 1, 'd2270051-1a85-413c-a275-41965f34fd57', 'c8bf53d4-7963-40ce-a604-50af4b8c8550', '2026-11-25 03:44:06.509785+00', '{}', '{01a210cd-b585-7400-b342-6685d1b2daf3}', false, true, '{}'),
	(3, '00000000-0000-7000-8000-000000000011', '759', 1, 'd2270051-1a85-413c-a275-41965f34fd57', 'c8bf53d4-7963-40ce-a604-50af4b8c8550', '2026-11-25 03:44:06.509785+00', '{}', '{01a210cd-b585-7400-b342-6685d1b2daf3}', false, false, '{}'),
	(4, '00000000-0000-7000-8000-000000000011', '762', 2, 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', 'd2270051-1a85-413c-a275-41965f34fd57', '2026-11-25 03:44:06.932826+00', '{01a210cd-b718-7658-84da-11554e9eee6a}', '{}', false, false, '{}'),
	(5, '00000000-0000-7000-8000-000000000011', '762', 2, 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', 'd2270051-1a85-413c-a275-41965f34fd57', '2026-11-25 03:44:06.932826+00', '{}', '{01a210cd-b724-730a-9a9d-b697c818e7e3}', false, true, '{}'),
	(6, '00000000-0000-7000-8000-000000000011', '762', 2, 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', 'd2270051-1a85-413c-a275-41965f34fd57', '2026-11-25 03:44:06.932826+00', '{}', '{01a210cd-b724-730a-9a9d-b697c818e7e3}', false, false, '{}'),
	(7, '00000000-0000-7000-8000-000000000011', '768', 3, '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', '2026-11-25 03:44:07.356785+00', '{01a210cd-b8c6-722f-b227-20559c04251e}', '{}', false, false, '{}'),
	(8, '00000000-0000-7000-8000-000000000011', '768', 3, '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', '2026-11-25 03:44:07.356785+00', '{}', '{01a210cd-b8d5-7416-90d0-e9f632ccfff1}', false, true, '{}'),
	(9, '00000000-0000-7000-8000-000000000011', '768', 3, '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', 'bf0d3b50-53e7-4c2b-970f-ec7780bab0e8', '2026-11-25 03:44:07.356785+00', '{}', '{01a210cd-b8d5-7416-90d0-e9f632ccfff1}', false, false, '{}'),
	(10, '00000000-0000-7000-8000-000000000011', '770', 4, 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', '2026-11-25 03:44:07.563742+00', '{01a210cd-b98d-739c-849f-ce5e9dbce657}', '{}', false, false, '{}'),
	(11, '00000000-0000-7000-8000-000000000011', '770', 4, 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', '2026-11-25 03:44:07.563742+00', '{}', '{01a210cd-b999-700c-b63d-a62d498a4c08}', false, true, '{}'),
	(12, '00000000-0000-7000-8000-000000000011', '770', 4, 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '1a9e978a-4d55-4ab4-8ab4-f2620a68cf52', '2026-11-25 03:44:07.563742+00', '{}', '{01a210cd-b999-700c-b63d-a62d498a4c08}', false, false, '{}'),
	(13, '00000000-0000-7000-8000-000000000011', '773', 5, 'a436da48-0a26-48bc-8feb-6b70f874c5b8', 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '2026-11-25 03:44:07.77277+00', '{01a210cd-ba65-74b6-993f-ba1e82f223e8}', '{}', false, false, '{}'),
	(14, '00000000-0000-7000-8000-000000000011', '773', 5, 'a436da48-0a26-48bc-8feb-6b70f874c5b8', 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '2026-11-25 03:44:07.77277+00', '{}', '{01a210cd-ba6a-7377-9e3f-9f84d0399b7e}', false, true, '{}'),
	(15, '00000000-0000-7000-8000-000000000011', '773', 5, 'a436da48-0a26-48bc-8feb-6b70f874c5b8', 'bc9f5b02-ab1a-41fe-871b-626323737dd7', '2026-11-25 03:44:07.77277+00', '{}', '{01a210cd-ba6a-7377-9e3f-9f84d0399b7e}', false, false, '{}'),
	(16, '00000000-0000-7000-8000-000000000011', '776', 6, '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', 'a436da48-0a26-48bc-8feb-6b70f874c5b8', '2026-11-25 03:44:08.036775+00', '{01a210cd-bb69-7246-8316-4091021046cf}', '{}', false, false, '{}'),
	(17, '00000000-0000-7000-8000-000000000011', '776', 6, '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', 'a436da48-0a26-48bc-8feb-6b70f874c5b8', '2026-11-25 03:44:08.036775+00', '{}', '{01a210cd-bb76-7cd2-9c59-4a8f9e3a6e63}', false, true, '{}'),
	(18, '00000000-0000-7000-8000-000000000011', '776', 6, '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', 'a436da48-0a26-48bc-8feb-6b70f874c5b8', '2026-11-25 03:44:08.036775+00', '{}', '{01a210cd-bb76-7cd2-9c59-4a8f9e3a6e63}', false, false, '{}'),
	(19, '00000000-0000-7000-8000-000000000011', '779', 7, '8565a376-7102-4bda-8006-2b3793b3f904', '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', '2026-11-25 03:44:08.644773+00', '{01a210cd-bdc5-7405-8d82-3acc4b7efb46}', '{}', false, false, '{}'),
	(20, '00000000-0000-7000-8000-000000000011', '779', 7, '8565a376-7102-4bda-8006-2b3793b3f904', '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', '2026-11-25 03:44:08.644773+00', '{}', '{01a210cd-bdcd-7abb-bd6c-5f2b45320a3f}', false, true, '{}'),
	(21, '00000000-0000-7000-8000-000000000011', '779', 7, '8565a376-7102-4bda-8006-2b3793b3f904', '49926ce7-1cbb-49f9-82fe-7cb6a14ae393', '2026-11-25 03:44:08.644773+00', '{}', '{01a210cd-bdcd-7abb-bd6c-5f2b45320a3f}', false, false, '{}'),
	(22, '00000000-0000-7000-8000-000000000011', '793', 8, 'ae19064b-1663-4929-b2ce-fbfac5221eaf', '8565a376-7102-4bda-8006-2b3793b3f904', '2026-11-25 03:44:08.848797+00', '{01a210cd-be9a-7091-95fc-97d11858c4e3}', '{}', false, false, '{}'),
	(23, '00000000-0000-7000-8000-000000000011', '793', 8, 'ae19064b-1663-4929-b2ce-fbfac5221eaf', '8565a376-7102-4bda-8006-2b3793b3f904', '2026-11-25 03:44:08.848797+00', '{}', '{01a210cd-bea5-70e2-9412-d21655b47a6c}', false, true, '{01a210cd-be9a-7091-95fc-97d11858c4e3}'),
	(24, '00000000-0000-7000-8000-000000000011', '793', 8, 'ae19064b-1663-4929-b2ce-fbfac5221eaf', '8565a376-7102-4bda-8006-2b3793b3f904', '2026-11-25 03:44:08.848797+00', '{}', '{01a210cd-bea5-70e2-9412-d21655b47a6c}', false, false, '{}');
INSERT INTO public.idempotency_key VALUES
	('anonymous', 'once', '\x1f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd1047', 201, '{"etag": "\"1\""}', '\x7b7d', '2026-11-25 03:44:08.03276+00');
INSERT INTO public.replica VALUES
	('00000000-0000-7000-8000-000000000041', 'host-1:4711', '2026-11-25 03:44:06.920795+00', '2026-11-25 03:44:06.920795+00', NULL, 0);
INSERT INTO public.replica_gallery VALUES
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000012', 0, '36e15681-ceb2-43f0-a307-80e9770e01bd', '2026-11-25 03:44:06.920795+00'),
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000011', 1, 'd2270051-1a85-413c-a275-41965f34fd57', '2026-11-25 03:44:06.920795+00');
INSERT INTO public.subject VALUES
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada', '{"age": 36.5, "team": "blue"}', '2026-11-25 03:44:05.917528+00', NULL),
	('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011', 'Ørsted/😀 "x''y"\', '{}', '2026-11-25 03:44:05.917528+00', '2035-01-01 21:04:05+00'),
	('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada', '{}', '2026-11-25 03:44:05.917528+00', NULL),
	('01a210cd-b341-79ee-a73a-debd69d4ac8c', '00000000-0000-7000-8000-000000000011', 'enrolled at 0001', '{}', '2026-11-25 03:44:05.948781+00', NULL),
	('01a210cd-b572-7103-b2aa-9b0f91bc57f8', '00000000-0000-7000-8000-000000000011', 'enrolled at 0002', '{}', '2026-11-25 03:44:06.509785+00', NULL),
	('01a210cd-b718-7658-84da-11554e9eee6a', '00000000-0000-7000-8000-000000000011', 'enrolled at 0003', '{}', '2026-11-25 03:44:06.932826+00', NULL),
	('01a210cd-b8c6-722f-b227-20559c04251e', '00000000-0000-7000-8000-000000000011', 'enrolled at 0004', '{}', '2026-11-25 03:44:07.356785+00', NULL),
	('01a210cd-b98d-739c-849f-ce5e9dbce657', '00000000-0000-7000-8000-000000000011', 'enrolled at 0005', '{}', '2026-11-25 03:44:07.563742+00', NULL),
	('01a210cd-ba65-74b6-993f-ba1e82f223e8', '00000000-0000-7000-8000-000000000011', 'enrolled at 0006', '{}', '2026-11-25 03:44:07.77277+00', NULL),
	('01a210cd-bb69-7246-8316-4091021046cf', '00000000-0000-7000-8000-000000000011', 'enrolled at 0007', '{}', '2026-11-25 03:44:08.036775+00', NULL),
	('01a210cd-bdc5-7405-8d82-3acc4b7efb46', '00000000-0000-7000-8000-000000000011', 'enrolled at 0008', '{}', '2026-11-25 03:44:08.644773+00', NULL),
	('01a210cd-be9a-7091-95fc-97d11858c4e3', '00000000-0000-7000-8000-000000000011', 'enrolled at 0009', '{}', '2026-11-25 03:44:08.848797+00', '2027-11-25 09:44:08.848797+00');
SELECT pg_catalog.setval('public.gallery_change_id_seq', 24, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT pk_api_key PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT pk_api_key_gallery PRIMARY KEY (key_id, gallery_id);
ALTER TABLE ONLY public.api_key_pepper
    ADD CONSTRAINT pk_api_key_pepper PRIMARY KEY (sole);
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
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT uq_api_key_prefix UNIQUE (prefix);
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
CREATE INDEX ix_api_key_gallery_gallery_id ON public.api_key_gallery USING btree (gallery_id);
CREATE INDEX ix_face_embedding_gallery_id_face_id ON public.face_embedding USING btree (gallery_id, face_id);
CREATE INDEX ix_face_gallery_id_image_sha256 ON public.face USING btree (gallery_id, image_sha256) WHERE (image_sha256 IS NOT NULL);
CREATE INDEX ix_face_gallery_id_subject_id ON public.face USING btree (gallery_id, subject_id);
CREATE INDEX ix_gallery_change_gallery_id_version ON public.gallery_change USING btree (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON public.gallery_change USING btree (tx) WHERE (version IS NULL);
CREATE INDEX ix_idempotency_key_created_at ON public.idempotency_key USING btree (created_at);
CREATE INDEX ix_replica_gallery_gallery_id ON public.replica_gallery USING btree (gallery_id);
CREATE INDEX ix_subject_metadata ON public.subject USING gin (metadata jsonb_path_ops) WHERE (metadata <> '{}'::jsonb);
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
CREATE TRIGGER subject_lifetime BEFORE INSERT ON public.subject FOR EACH ROW WHEN ((new.expires_at IS NULL)) EXECUTE FUNCTION public.subject_lifetime();
CREATE CONSTRAINT TRIGGER subject_limit AFTER INSERT ON public.gallery_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.gained <> '{}'::uuid[])) EXECUTE FUNCTION public.subject_limit();
ALTER TABLE public.gallery_change ENABLE ALWAYS TRIGGER subject_limit;
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT fk_api_key_gallery_api_key FOREIGN KEY (key_id) REFERENCES public.api_key(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.api_key_gallery
    ADD CONSTRAINT fk_api_key_gallery_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
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
REVOKE ALL ON FUNCTION public.feed_note() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_number() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean, more uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_space() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.subject_lifetime() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.subject_limit() FROM PUBLIC;
