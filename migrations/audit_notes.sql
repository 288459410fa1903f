-- What happened to subjects, faces and embeddings, a row each; identities go as their rows do.

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
