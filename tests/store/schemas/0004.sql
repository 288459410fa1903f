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
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
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
    CONSTRAINT ck_gallery_max_faces_positive CHECK ((max_faces >= 1)),
    CONSTRAINT ck_gallery_name CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 255)) AND (name !~ '[\u0001-\u001f\u007f-\u009f]'::text))),
    CONSTRAINT ck_gallery_threshold CHECK (((threshold >= ('-1'::integer)::double precision) AND (threshold <= (1)::double precision)))
)
WITH (fillfactor='50');
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
    CONSTRAINT ck_subject_external_id_blank CHECK ((external_id ~ '[^ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'::text)),
    CONSTRAINT ck_subject_external_id_control CHECK ((external_id !~ '[\u0001-\u001f\u007f-\u009f]'::text)),
    CONSTRAINT ck_subject_external_id_length CHECK (((char_length(external_id) >= 1) AND (char_length(external_id) <= 255))),
    CONSTRAINT ck_subject_metadata CHECK ((jsonb_typeof(metadata) = 'object'::text))
);
INSERT INTO public.alembic_version VALUES
	('0004');
INSERT INTO public.embedding_space VALUES
	('00000000-0000-7000-8000-000000000001', 'Dlib', 4, 'abababababababababababababababababababababababababababababababab', 'dlib', 'native', 0.9, '2026-11-25 03:02:10.080389+00'),
	('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68, '2026-11-25 03:02:10.080389+00');
INSERT INTO public.face VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\x6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'ada 1.jpg', '{-1,2,30,40}', '{"size": 35, "score": 0.5}', '2026-11-25 03:02:10.080389+00', 'api'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\xd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35', NULL, NULL, NULL, '2026-11-25 03:02:10.080389+00', 'api'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012', '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, '2026-11-25 03:02:10.080389+00', 'facematch import-json'),
	('01a210a7-4fba-790a-8047-e3f9e55e353d', '00000000-0000-7000-8000-000000000011', '01a210a7-4fb9-795f-a02c-063e13870188', '\x61aa5c9dd8e8da74d81d7b3997f59f74153add3a9fc5a680fede33709eec4f9e', NULL, NULL, NULL, '2026-11-25 03:02:10.100757+00', 'test'),
	('01a210a7-5151-75a9-af58-dc19d351eab1', '00000000-0000-7000-8000-000000000011', '01a210a7-5142-7a7d-b6f0-b0d30313407c', '\xa3daadc008bb238de2323dffeabd56e8c758bf0f5400b1a3efacedd39f459571', NULL, NULL, NULL, '2026-11-25 03:02:10.493562+00', 'test'),
	('01a210a7-52f0-7bd4-b3cc-e7696b3fa119', '00000000-0000-7000-8000-000000000011', '01a210a7-52e5-713d-af0f-fe576a78aa76', '\x8b8fed06e782321a0f75df1ab8748e72017c8ecc455714f82bdb70f40bc572b9', NULL, NULL, NULL, '2026-11-25 03:02:10.916828+00', 'test'),
	('01a210a7-5501-704b-a091-dc0abda69e65', '00000000-0000-7000-8000-000000000011', '01a210a7-54f0-7f71-90e1-ea01c8f13474', '\xa3a171d879099ab3bb2aa3342ecd6af6a33c3b4b5dbc7e6d00fb9ff28911a057', NULL, NULL, NULL, '2026-11-25 03:02:11.42479+00', 'test');
INSERT INTO public.face_embedding VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[1,0,0,0]'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0.6,0.8,0,0]'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000012', DEFAULT, '[0,0,0,-1]'),
	('01a210a7-4fba-790a-8047-e3f9e55e353d', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210a7-5151-75a9-af58-dc19d351eab1', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210a7-52f0-7bd4-b3cc-e7696b3fa119', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a210a7-5501-704b-a091-dc0abda69e65', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]');
INSERT INTO public.gallery VALUES
	('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1', '00000000-0000-7000-8000-000000000002', 0.7, 1000, 0, '33ebc870-ccb4-4b33-ac30-25424c6af800', NULL, '2026-11-25 03:02:10.080389+00', '2026-11-25 03:02:10.080389+00'),
	('00000000-0000-7000-8000-000000000011', 'dlib', '00000000-0000-7000-8000-000000000001', 0.9, NULL, 3, '2333ce70-d636-4865-8229-262ae1b3f301', 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '2026-11-25 03:02:10.080389+00', '2026-11-25 03:02:11.469569+00');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-7000-8000-000000000011', '759', 1, '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '8dcad8a7-abfe-4181-adf6-99b239398749', '2026-11-25 03:02:10.493562+00', '{01a210a7-5142-7a7d-b6f0-b0d30313407c}', '{}', false, false),
	(2, '00000000-0000-7000-8000-000000000011', '759', 1, '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '8dcad8a7-abfe-4181-adf6-99b239398749', '2026-11-25 03:02:10.493562+00', '{}', '{01a210a7-5151-75a9-af58-dc19d351eab1}', false, true),
	(3, '00000000-0000-7000-8000-000000000011', '759', 1, '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '8dcad8a7-abfe-4181-adf6-99b239398749', '2026-11-25 03:02:10.493562+00', '{}', '{01a210a7-5151-75a9-af58-dc19d351eab1}', false, false),
	(4, '00000000-0000-7000-8000-000000000011', '762', 2, 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '2026-11-25 03:02:10.916828+00', '{01a210a7-52e5-713d-af0f-fe576a78aa76}', '{}', false, false),
	(5, '00000000-0000-7000-8000-000000000011', '762', 2, 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '2026-11-25 03:02:10.916828+00', '{}', '{01a210a7-52f0-7bd4-b3cc-e7696b3fa119}', false, true),
	(6, '00000000-0000-7000-8000-000000000011', '762', 2, 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '2026-11-25 03:02:10.916828+00', '{}', '{01a210a7-52f0-7bd4-b3cc-e7696b3fa119}', false, false),
	(7, '00000000-0000-7000-8000-000000000011', '768', 3, '2333ce70-d636-4865-8229-262ae1b3f301', 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '2026-11-25 03:02:11.42479+00', '{01a210a7-54f0-7f71-90e1-ea01c8f13474}', '{}', false, false),
	(8, '00000000-0000-7000-8000-000000000011', '768', 3, '2333ce70-d636-4865-8229-262ae1b3f301', 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '2026-11-25 03:02:11.42479+00', '{}', '{01a210a7-5501-704b-a091-dc0abda69e65}', false, true),
	(9, '00000000-0000-7000-8000-000000000011', '768', 3, '2333ce70-d636-4865-8229-262ae1b3f301', 'ef554d92-98a0-4d77-adb5-d6f920dc80fe', '2026-11-25 03:02:11.42479+00', '{}', '{01a210a7-5501-704b-a091-dc0abda69e65}', false, false);
INSERT INTO public.replica VALUES
	('00000000-0000-7000-8000-000000000041', 'host-1:4711', '2026-11-25 03:02:10.909095+00', '2026-11-25 03:02:10.909095+00', NULL, 0);
INSERT INTO public.replica_gallery VALUES
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000012', 0, '33ebc870-ccb4-4b33-ac30-25424c6af800', '2026-11-25 03:02:10.909095+00'),
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000011', 1, '87a7e57b-6623-4496-830b-1c0f67f5d5cc', '2026-11-25 03:02:10.909095+00');
INSERT INTO public.subject VALUES
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada', '{"age": 36.5, "team": "blue"}', '2026-11-25 03:02:10.080389+00', NULL),
	('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011', 'Ørsted/😀 "x''y"\', '{}', '2026-11-25 03:02:10.080389+00', '2035-01-01 21:04:05+00'),
	('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada', '{}', '2026-11-25 03:02:10.080389+00', NULL),
	('01a210a7-4fb9-795f-a02c-063e13870188', '00000000-0000-7000-8000-000000000011', 'enrolled at 0001', '{}', '2026-11-25 03:02:10.100757+00', NULL),
	('01a210a7-5142-7a7d-b6f0-b0d30313407c', '00000000-0000-7000-8000-000000000011', 'enrolled at 0002', '{}', '2026-11-25 03:02:10.493562+00', NULL),
	('01a210a7-52e5-713d-af0f-fe576a78aa76', '00000000-0000-7000-8000-000000000011', 'enrolled at 0003', '{}', '2026-11-25 03:02:10.916828+00', NULL),
	('01a210a7-54f0-7f71-90e1-ea01c8f13474', '00000000-0000-7000-8000-000000000011', 'enrolled at 0004', '{}', '2026-11-25 03:02:11.42479+00', NULL);
SELECT pg_catalog.setval('public.gallery_change_id_seq', 9, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.embedding_space
    ADD CONSTRAINT pk_embedding_space PRIMARY KEY (id);
ALTER TABLE ONLY public.face
    ADD CONSTRAINT pk_face PRIMARY KEY (id);
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT pk_face_embedding PRIMARY KEY (face_id, space_id);
ALTER TABLE ONLY public.gallery
    ADD CONSTRAINT pk_gallery PRIMARY KEY (id);
ALTER TABLE ONLY public.gallery_change
    ADD CONSTRAINT pk_gallery_change PRIMARY KEY (id);
ALTER TABLE ONLY public.replica
    ADD CONSTRAINT pk_replica PRIMARY KEY (id);
ALTER TABLE ONLY public.replica_gallery
    ADD CONSTRAINT pk_replica_gallery PRIMARY KEY (replica_id, gallery_id);
ALTER TABLE ONLY public.subject
    ADD CONSTRAINT pk_subject PRIMARY KEY (id);
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
CREATE INDEX ix_face_embedding_gallery_id_face_id ON public.face_embedding USING btree (gallery_id, face_id);
CREATE INDEX ix_face_gallery_id_subject_id ON public.face USING btree (gallery_id, subject_id);
CREATE INDEX ix_gallery_change_gallery_id_version ON public.gallery_change USING btree (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON public.gallery_change USING btree (tx) WHERE (version IS NULL);
CREATE INDEX ix_replica_gallery_gallery_id ON public.replica_gallery USING btree (gallery_id);
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
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT fk_face_embedding_embedding_space FOREIGN KEY (space_id, dimension) REFERENCES public.embedding_space(id, dimension);
ALTER TABLE ONLY public.face_embedding
    ADD CONSTRAINT fk_face_embedding_face FOREIGN KEY (gallery_id, face_id) REFERENCES public.face(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.face
    ADD CONSTRAINT fk_face_subject FOREIGN KEY (gallery_id, subject_id) REFERENCES public.subject(gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE;
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
REVOKE ALL ON FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_space() FROM PUBLIC;
