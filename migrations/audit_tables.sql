-- No foreign key leads out of these tables: the record outlives what it tells of.
-- id names the row only; a chain's order is seq, which is given out at commit, null before.

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
