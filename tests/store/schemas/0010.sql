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
SET default_tablespace = '';
SET default_table_access_method = heap;
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
    CONSTRAINT ck_import_item_claim CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT ck_import_item_code CHECK ((num_nonnulls(code, reason) =
CASE
    WHEN (status = ANY (ARRAY['skipped'::text, 'rejected'::text])) THEN 2
    ELSE 0
END)),
    CONSTRAINT ck_import_item_done_at CHECK (((done_at IS NULL) = (status = 'waiting'::text))),
    CONSTRAINT ck_import_item_face_id CHECK (((face_id IS NOT NULL) = (status = 'enrolled'::text))),
    CONSTRAINT ck_import_item_image_sha256 CHECK ((((image_sha256 IS NULL) = (photograph IS NULL)) AND (octet_length(image_sha256) = 32))),
    CONSTRAINT ck_import_item_number CHECK ((number >= 1)),
    CONSTRAINT ck_import_item_payload CHECK (
CASE
    WHEN (status = 'waiting'::text) THEN (num_nonnulls(photograph, embedding) = 1)
    ELSE (num_nonnulls(photograph, embedding, image_sha256, metadata, claimed_by) = 0)
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
ALTER TABLE ONLY public.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_events_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_jobs_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_periodic_defers_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES
	('0010');
INSERT INTO public.api_key VALUES
	('00000000-0000-7000-8000-000000000051', 'fm_abcdefgh', 'door', '\x2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', NULL, NULL, '{search,enrol}', false, '2026-11-25 05:30:43.546276+00', 'postgres', NULL, NULL);
INSERT INTO public.api_key_gallery VALUES
	('00000000-0000-7000-8000-000000000051', '00000000-0000-7000-8000-000000000011');
INSERT INTO public.api_key_pepper VALUES
	(true, '\xb4bed6402e4f147b7a36d6f440ba68bf245d4811002c07626b3cf55625558c0d');
INSERT INTO public.embedding_space VALUES
	('00000000-0000-7000-8000-000000000001', 'Dlib', 4, 'abababababababababababababababababababababababababababababababab', 'dlib', 'native', 0.9, '2026-11-25 05:30:43.146672+00'),
	('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68, '2026-11-25 05:30:43.146672+00');
INSERT INTO public.face VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\x6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b', 'ada 1.jpg', '{-1,2,30,40}', '{"size": 35, "score": 0.5}', '2026-11-25 05:30:43.146672+00', 'api'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '\xd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35', NULL, NULL, NULL, '2026-11-25 05:30:43.146672+00', 'api'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012', '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, '2026-11-25 05:30:43.146672+00', 'facematch import-json'),
	('01a2112f-5050-7848-96e7-84c655e9803e', '00000000-0000-7000-8000-000000000011', '01a2112f-504f-7b01-9c61-e5f2551487da', '\x61aa5c9dd8e8da74d81d7b3997f59f74153add3a9fc5a680fede33709eec4f9e', NULL, NULL, NULL, '2026-11-25 05:30:43.150797+00', 'test'),
	('01a2112f-5088-7ceb-bce4-de5881e33db6', '00000000-0000-7000-8000-000000000011', '01a2112f-5085-7214-bf1e-60683f1521be', '\xa3daadc008bb238de2323dffeabd56e8c758bf0f5400b1a3efacedd39f459571', NULL, NULL, NULL, '2026-11-25 05:30:43.204086+00', 'test'),
	('01a2112f-50c0-763c-9eb3-8d050a62bb0a', '00000000-0000-7000-8000-000000000011', '01a2112f-50bc-7720-99ea-dced755fa123', '\x8b8fed06e782321a0f75df1ab8748e72017c8ecc455714f82bdb70f40bc572b9', NULL, NULL, NULL, '2026-11-25 05:30:43.260013+00', 'test'),
	('01a2112f-50f9-7472-9047-e4bde1ebf1f5', '00000000-0000-7000-8000-000000000011', '01a2112f-50f6-79c4-a238-08e698c73397', '\xa3a171d879099ab3bb2aa3342ecd6af6a33c3b4b5dbc7e6d00fb9ff28911a057', NULL, NULL, NULL, '2026-11-25 05:30:43.316896+00', 'test'),
	('01a2112f-5129-7399-a77d-3fa6a5bed450', '00000000-0000-7000-8000-000000000011', '01a2112f-5126-731c-95be-064331b6f7a5', '\x8d2997a4fdd99a8ff8ba4c6714e541617c8119abb8bf126b558469da7b16e6c1', NULL, NULL, NULL, '2026-11-25 05:30:43.365885+00', 'test'),
	('01a2112f-515f-778e-b367-b25346a015f5', '00000000-0000-7000-8000-000000000011', '01a2112f-515c-72cd-a538-9d017ce43d0f', '\xa422b3ee8c25ed842e62b1e7e251bec5d183921371547773939ce3bcbc72363e', NULL, NULL, NULL, '2026-11-25 05:30:43.415084+00', 'test'),
	('01a2112f-51a2-7cbe-9bbd-a2740f6d0866', '00000000-0000-7000-8000-000000000011', '01a2112f-519e-76d7-8250-5ba2f807fe9b', '\xb3de8710ed58c36327f51053df2d8afb347358ee1f1b39780bd705c8f724a999', NULL, NULL, NULL, '2026-11-25 05:30:43.485753+00', 'test'),
	('01a2112f-51df-7cef-865b-36674f70a3f8', '00000000-0000-7000-8000-000000000011', '01a2112f-51dd-7679-8488-79305415ce45', '\x84300c4d5de22ae75678823e97e9c5a63d92ce5e691e43f6cdf017dab1db9feb', NULL, NULL, NULL, '2026-11-25 05:30:43.548518+00', 'test'),
	('01a2112f-5225-76d6-b2f7-67b4a6b2ad4e', '00000000-0000-7000-8000-000000000011', '01a2112f-5221-705a-a973-158e306b7c4a', '\xf6389995873214d164ae56b31d5486acb948c41bb97f8e5bb6e8501a60f0ec3e', NULL, NULL, NULL, '2026-11-25 05:30:43.616944+00', 'test'),
	('01a2112f-5261-7ce9-a596-d04415d75598', '00000000-0000-7000-8000-000000000011', '01a2112f-525f-724d-9760-63095b62c889', '\x613dd53f4786f8562f91b667bccce25bdae5406bdb61f986ae4ef32224ebff1a', NULL, NULL, NULL, '2026-11-25 05:30:43.678991+00', 'test');
INSERT INTO public.face_embedding VALUES
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[1,0,0,0]'),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0.6,0.8,0,0]'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000012', DEFAULT, '[0,0,0,-1]'),
	('01a2112f-5050-7848-96e7-84c655e9803e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-5088-7ceb-bce4-de5881e33db6', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-50c0-763c-9eb3-8d050a62bb0a', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-50f9-7472-9047-e4bde1ebf1f5', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-5129-7399-a77d-3fa6a5bed450', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-515f-778e-b367-b25346a015f5', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-51a2-7cbe-9bbd-a2740f6d0866', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-51df-7cef-865b-36674f70a3f8', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-5225-76d6-b2f7-67b4a6b2ad4e', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]'),
	('01a2112f-5261-7ce9-a596-d04415d75598', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000011', DEFAULT, '[0,0,1,0]');
INSERT INTO public.gallery VALUES
	('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1', '00000000-0000-7000-8000-000000000002', 0.7, 1000, 0, '52ae4f19-360b-4dd6-87fa-e5b162a5efd2', NULL, '2026-11-25 05:30:43.146672+00', '2026-11-25 05:30:43.146672+00', 100, NULL, '{}'),
	('00000000-0000-7000-8000-000000000011', 'dlib', '00000000-0000-7000-8000-000000000001', 0.9, NULL, 9, '87fb9eeb-a2b4-43f5-b782-92e7b932d73c', 'efcd4ef8-1096-4fb0-9121-42706d49357d', '2026-11-25 05:30:43.146672+00', '2026-11-25 05:30:43.684336+00', 100, 31557600, '{"quality": false}');
INSERT INTO public.gallery_calibration VALUES
	('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 0.001, 0.9, 0.88, 0.92, 50, 80, 1, 0.8, 0.1, 3.5, 4, '0.1.0', '2026-11-25 05:30:43.413001+00');
INSERT INTO public.gallery_change OVERRIDING SYSTEM VALUE VALUES
	(1, '00000000-0000-7000-8000-000000000011', '759', 1, '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '0b2df695-e86b-4148-9b32-df5804fc8569', '2026-11-25 05:30:43.204086+00', '{01a2112f-5085-7214-bf1e-60683f1521be}', '{}', false, false, '{}'),
	(2, '00000000-0000-7000-8000-000000000011', '759', 1, '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '0b2df695-e86b-4148-9b32-df5804fc8569', '2026-11-25 05:30:43.204086+00', '{}', '{01a2112f-5088-7ceb-bce4-de5881e33db6}', false, true, '{}'),
	(3, '00000000-0000-7000-8000-000000000011', '759', 1, '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '0b2df695-e86b-4148-9b32-df5804fc8569', '2026-11-25 05:30:43.204086+00', '{}', '{01a2112f-5088-7ceb-bce4-de5881e33db6}', false, false, '{}'),
	(4, '00000000-0000-7000-8000-000000000011', '762', 2, 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '2026-11-25 05:30:43.260013+00', '{01a2112f-50bc-7720-99ea-dced755fa123}', '{}', false, false, '{}'),
	(5, '00000000-0000-7000-8000-000000000011', '762', 2, 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '2026-11-25 05:30:43.260013+00', '{}', '{01a2112f-50c0-763c-9eb3-8d050a62bb0a}', false, true, '{}'),
	(6, '00000000-0000-7000-8000-000000000011', '762', 2, 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '2026-11-25 05:30:43.260013+00', '{}', '{01a2112f-50c0-763c-9eb3-8d050a62bb0a}', false, false, '{}'),
	(7, '00000000-0000-7000-8000-000000000011', '768', 3, 'e3c41471-6075-4ed4-a514-87893f73ced4', 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '2026-11-25 05:30:43.316896+00', '{01a2112f-50f6-79c4-a238-08e698c73397}', '{}', false, false, '{}'),
	(8, '00000000-0000-7000-8000-000000000011', '768', 3, 'e3c41471-6075-4ed4-a514-87893f73ced4', 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '2026-11-25 05:30:43.316896+00', '{}', '{01a2112f-50f9-7472-9047-e4bde1ebf1f5}', false, true, '{}'),
	(9, '00000000-0000-7000-8000-000000000011', '768', 3, 'e3c41471-6075-4ed4-a514-87893f73ced4', 'e0b3e677-78c2-4a08-9312-bc3c2dab048e', '2026-11-25 05:30:43.316896+00', '{}', '{01a2112f-50f9-7472-9047-e4bde1ebf1f5}', false, false, '{}'),
	(10, '00000000-0000-7000-8000-000000000011', '770', 4, '7d500509-d9fb-449e-9f85-adbbfb8af471', 'e3c41471-6075-4ed4-a514-87893f73ced4', '2026-11-25 05:30:43.365885+00', '{01a2112f-5126-731c-95be-064331b6f7a5}', '{}', false, false, '{}'),
	(11, '00000000-0000-7000-8000-000000000011', '770', 4, '7d500509-d9fb-449e-9f85-adbbfb8af471', 'e3c41471-6075-4ed4-a514-87893f73ced4', '2026-11-25 05:30:43.365885+00', '{}', '{01a2112f-5129-7399-a77d-3fa6a5bed450}', false, true, '{}'),
	(12, '00000000-0000-7000-8000-000000000011', '770', 4, '7d500509-d9fb-449e-9f85-adbbfb8af471', 'e3c41471-6075-4ed4-a514-87893f73ced4', '2026-11-25 05:30:43.365885+00', '{}', '{01a2112f-5129-7399-a77d-3fa6a5bed450}', false, false, '{}'),
	(13, '00000000-0000-7000-8000-000000000011', '773', 5, 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '7d500509-d9fb-449e-9f85-adbbfb8af471', '2026-11-25 05:30:43.415084+00', '{01a2112f-515c-72cd-a538-9d017ce43d0f}', '{}', false, false, '{}'),
	(14, '00000000-0000-7000-8000-000000000011', '773', 5, 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '7d500509-d9fb-449e-9f85-adbbfb8af471', '2026-11-25 05:30:43.415084+00', '{}', '{01a2112f-515f-778e-b367-b25346a015f5}', false, true, '{}'),
	(15, '00000000-0000-7000-8000-000000000011', '773', 5, 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '7d500509-d9fb-449e-9f85-adbbfb8af471', '2026-11-25 05:30:43.415084+00', '{}', '{01a2112f-515f-778e-b367-b25346a015f5}', false, false, '{}'),
	(16, '00000000-0000-7000-8000-000000000011', '776', 6, '11e4570b-4e11-4558-9595-d621a2a0f923', 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '2026-11-25 05:30:43.485753+00', '{01a2112f-519e-76d7-8250-5ba2f807fe9b}', '{}', false, false, '{}'),
	(17, '00000000-0000-7000-8000-000000000011', '776', 6, '11e4570b-4e11-4558-9595-d621a2a0f923', 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '2026-11-25 05:30:43.485753+00', '{}', '{01a2112f-51a2-7cbe-9bbd-a2740f6d0866}', false, true, '{}'),
	(18, '00000000-0000-7000-8000-000000000011', '776', 6, '11e4570b-4e11-4558-9595-d621a2a0f923', 'f6f78db0-b466-4ec9-807d-b66d8ba0fed0', '2026-11-25 05:30:43.485753+00', '{}', '{01a2112f-51a2-7cbe-9bbd-a2740f6d0866}', false, false, '{}'),
	(19, '00000000-0000-7000-8000-000000000011', '779', 7, '0270b6b0-693f-4d4d-9874-d662fe119b06', '11e4570b-4e11-4558-9595-d621a2a0f923', '2026-11-25 05:30:43.548518+00', '{01a2112f-51dd-7679-8488-79305415ce45}', '{}', false, false, '{}'),
	(20, '00000000-0000-7000-8000-000000000011', '779', 7, '0270b6b0-693f-4d4d-9874-d662fe119b06', '11e4570b-4e11-4558-9595-d621a2a0f923', '2026-11-25 05:30:43.548518+00', '{}', '{01a2112f-51df-7cef-865b-36674f70a3f8}', false, true, '{}'),
	(21, '00000000-0000-7000-8000-000000000011', '779', 7, '0270b6b0-693f-4d4d-9874-d662fe119b06', '11e4570b-4e11-4558-9595-d621a2a0f923', '2026-11-25 05:30:43.548518+00', '{}', '{01a2112f-51df-7cef-865b-36674f70a3f8}', false, false, '{}'),
	(22, '00000000-0000-7000-8000-000000000011', '793', 8, 'efcd4ef8-1096-4fb0-9121-42706d49357d', '0270b6b0-693f-4d4d-9874-d662fe119b06', '2026-11-25 05:30:43.616944+00', '{01a2112f-5221-705a-a973-158e306b7c4a}', '{}', false, false, '{}'),
	(23, '00000000-0000-7000-8000-000000000011', '793', 8, 'efcd4ef8-1096-4fb0-9121-42706d49357d', '0270b6b0-693f-4d4d-9874-d662fe119b06', '2026-11-25 05:30:43.616944+00', '{}', '{01a2112f-5225-76d6-b2f7-67b4a6b2ad4e}', false, true, '{01a2112f-5221-705a-a973-158e306b7c4a}'),
	(24, '00000000-0000-7000-8000-000000000011', '793', 8, 'efcd4ef8-1096-4fb0-9121-42706d49357d', '0270b6b0-693f-4d4d-9874-d662fe119b06', '2026-11-25 05:30:43.616944+00', '{}', '{01a2112f-5225-76d6-b2f7-67b4a6b2ad4e}', false, false, '{}'),
	(25, '00000000-0000-7000-8000-000000000011', '796', 9, '87fb9eeb-a2b4-43f5-b782-92e7b932d73c', 'efcd4ef8-1096-4fb0-9121-42706d49357d', '2026-11-25 05:30:43.678991+00', '{01a2112f-525f-724d-9760-63095b62c889}', '{}', false, false, '{}'),
	(26, '00000000-0000-7000-8000-000000000011', '796', 9, '87fb9eeb-a2b4-43f5-b782-92e7b932d73c', 'efcd4ef8-1096-4fb0-9121-42706d49357d', '2026-11-25 05:30:43.678991+00', '{}', '{01a2112f-5261-7ce9-a596-d04415d75598}', false, true, '{01a2112f-525f-724d-9760-63095b62c889}'),
	(27, '00000000-0000-7000-8000-000000000011', '796', 9, '87fb9eeb-a2b4-43f5-b782-92e7b932d73c', 'efcd4ef8-1096-4fb0-9121-42706d49357d', '2026-11-25 05:30:43.678991+00', '{}', '{01a2112f-5261-7ce9-a596-d04415d75598}', false, false, '{}');
INSERT INTO public.idempotency_key VALUES
	('anonymous', 'once', '\x1f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd1047', 201, '{"etag": "\"1\""}', '\x7b7d', '2026-11-25 05:30:43.483977+00');
INSERT INTO public.import_item VALUES
	('00000000-0000-7000-8000-000000000061', 1, 'eve.jpg', 'eve', NULL, '\x70686f746f6772617068', '\x7482d5802c3c27987ced2beb1d3527c78661deb4e54a9b7ee7106bd7524b0792', NULL, 'waiting', NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.import_job VALUES
	('00000000-0000-7000-8000-000000000061', '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000001', 'door', NULL, NULL, NULL, false, 'waiting', '2026-11-25 05:30:43.675491+00', '2026-11-25 05:30:43.675491+00', NULL, NULL);
INSERT INTO public.procrastinate_events VALUES
	(1, 1, 'deferred', '2026-11-25 05:30:43.675491+00');
INSERT INTO public.procrastinate_jobs VALUES
	(1, 'imports', 'run', 0, NULL, NULL, '{}', 'todo', NULL, 0, false, NULL);
INSERT INTO public.replica VALUES
	('00000000-0000-7000-8000-000000000041', 'host-1:4711', '2026-11-25 05:30:43.256552+00', '2026-11-25 05:30:43.256552+00', NULL, 0);
INSERT INTO public.replica_gallery VALUES
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000012', 0, '52ae4f19-360b-4dd6-87fa-e5b162a5efd2', '2026-11-25 05:30:43.256552+00'),
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000011', 1, '3d4d0f8e-d7f0-4ecd-bad7-b3dd226b1e19', '2026-11-25 05:30:43.256552+00');
INSERT INTO public.subject VALUES
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada', '{"age": 36.5, "team": "blue"}', '2026-11-25 05:30:43.146672+00', NULL),
	('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011', 'Ørsted/😀 "x''y"\', '{}', '2026-11-25 05:30:43.146672+00', '2035-01-01 21:04:05+00'),
	('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada', '{}', '2026-11-25 05:30:43.146672+00', NULL),
	('01a2112f-504f-7b01-9c61-e5f2551487da', '00000000-0000-7000-8000-000000000011', 'enrolled at 0001', '{}', '2026-11-25 05:30:43.150797+00', NULL),
	('01a2112f-5085-7214-bf1e-60683f1521be', '00000000-0000-7000-8000-000000000011', 'enrolled at 0002', '{}', '2026-11-25 05:30:43.204086+00', NULL),
	('01a2112f-50bc-7720-99ea-dced755fa123', '00000000-0000-7000-8000-000000000011', 'enrolled at 0003', '{}', '2026-11-25 05:30:43.260013+00', NULL),
	('01a2112f-50f6-79c4-a238-08e698c73397', '00000000-0000-7000-8000-000000000011', 'enrolled at 0004', '{}', '2026-11-25 05:30:43.316896+00', NULL),
	('01a2112f-5126-731c-95be-064331b6f7a5', '00000000-0000-7000-8000-000000000011', 'enrolled at 0005', '{}', '2026-11-25 05:30:43.365885+00', NULL),
	('01a2112f-515c-72cd-a538-9d017ce43d0f', '00000000-0000-7000-8000-000000000011', 'enrolled at 0006', '{}', '2026-11-25 05:30:43.415084+00', NULL),
	('01a2112f-519e-76d7-8250-5ba2f807fe9b', '00000000-0000-7000-8000-000000000011', 'enrolled at 0007', '{}', '2026-11-25 05:30:43.485753+00', NULL),
	('01a2112f-51dd-7679-8488-79305415ce45', '00000000-0000-7000-8000-000000000011', 'enrolled at 0008', '{}', '2026-11-25 05:30:43.548518+00', NULL),
	('01a2112f-5221-705a-a973-158e306b7c4a', '00000000-0000-7000-8000-000000000011', 'enrolled at 0009', '{}', '2026-11-25 05:30:43.616944+00', '2027-11-25 11:30:43.616944+00'),
	('01a2112f-525f-724d-9760-63095b62c889', '00000000-0000-7000-8000-000000000011', 'enrolled at 0010', '{}', '2026-11-25 05:30:43.678991+00', '2027-11-25 11:30:43.678991+00');
SELECT pg_catalog.setval('public.gallery_change_id_seq', 27, true);
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
ALTER TABLE ONLY public.import_item
    ADD CONSTRAINT pk_import_item PRIMARY KEY (job_id, number);
ALTER TABLE ONLY public.import_job
    ADD CONSTRAINT pk_import_job PRIMARY KEY (id);
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
CREATE INDEX ix_face_embedding_gallery_id_face_id ON public.face_embedding USING btree (gallery_id, face_id);
CREATE INDEX ix_face_gallery_id_image_sha256 ON public.face USING btree (gallery_id, image_sha256) WHERE (image_sha256 IS NOT NULL);
CREATE INDEX ix_face_gallery_id_subject_id ON public.face USING btree (gallery_id, subject_id);
CREATE INDEX ix_gallery_change_gallery_id_version ON public.gallery_change USING btree (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON public.gallery_change USING btree (tx) WHERE (version IS NULL);
CREATE INDEX ix_idempotency_key_created_at ON public.idempotency_key USING btree (created_at);
CREATE INDEX ix_import_item_external_id ON public.import_item USING btree (external_id);
CREATE INDEX ix_import_item_job_id_status_number ON public.import_item USING btree (job_id, status, number);
CREATE INDEX ix_import_job_gallery_id ON public.import_job USING btree (gallery_id);
CREATE INDEX ix_replica_gallery_gallery_id ON public.replica_gallery USING btree (gallery_id);
CREATE INDEX ix_subject_metadata ON public.subject USING gin (metadata jsonb_path_ops) WHERE (metadata <> '{}'::jsonb);
CREATE INDEX procrastinate_events_job_id_fkey_v1 ON public.procrastinate_events USING btree (job_id);
CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON public.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::public.procrastinate_job_status, 'doing'::public.procrastinate_job_status]));
CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON public.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_priority_idx_v1 ON public.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON public.procrastinate_jobs USING btree (queue_name);
CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON public.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON public.procrastinate_periodic_defers USING btree (job_id);
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
CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_notify_queue_abort_job_v1();
CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_notify_queue_job_inserted_v1();
CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1();
CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_unlink_periodic_defers_v1();
CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1();
CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1();
CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_update_v1();
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
ALTER TABLE ONLY public.import_item
    ADD CONSTRAINT fk_import_item_import_job FOREIGN KEY (job_id) REFERENCES public.import_job(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.import_job
    ADD CONSTRAINT fk_import_job_gallery FOREIGN KEY (gallery_id) REFERENCES public.gallery(id) ON DELETE CASCADE;
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
REVOKE ALL ON FUNCTION public.feed_note() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_number() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_record(g uuid, kind text, ids uuid[], grown boolean, more uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.feed_space() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.subject_lifetime() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.subject_limit() FROM PUBLIC;
