"""The tables: galleries, subjects, faces, embeddings, and the changes of each gallery."""

from collections.abc import Sequence

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

EXTENSION = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'the extension "vector" is missing and role % may not create it', current_user
    USING ERRCODE = 'insufficient_privilege',
          HINT = format('Ask an administrator to run CREATE EXTENSION vector in database %I.',
                        current_database());
END $$
"""

# uuidv7() exists from PostgreSQL 18 on only; this one is the same on 15 to 18, so that a dump
# of one restores into any other
UUID_V7 = """
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(set_bit(set_bit(overlay(
           uuid_send(gen_random_uuid())
           PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                             FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$
"""

TABLES = r"""
CREATE TABLE embedding_space (
  id uuid CONSTRAINT pk_embedding_space PRIMARY KEY DEFAULT uuid_v7(),
  model text NOT NULL,
  dimension integer NOT NULL,
  weights_sha256 text,
  detector text NOT NULL,
  alignment text NOT NULL,
  default_threshold double precision NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_embedding_space_model_weights_sha256_detector_alignment
    UNIQUE NULLS NOT DISTINCT (model, weights_sha256, detector, alignment),
  CONSTRAINT uq_embedding_space_id_dimension UNIQUE (id, dimension),
  CONSTRAINT ck_embedding_space_model CHECK (model <> ''),
  CONSTRAINT ck_embedding_space_dimension CHECK (dimension BETWEEN 1 AND 16000),
  CONSTRAINT ck_embedding_space_weights_sha256 CHECK (weights_sha256 ~ '^[0-9a-f]{64}$'),
  CONSTRAINT ck_embedding_space_detector CHECK (detector <> ''),
  CONSTRAINT ck_embedding_space_alignment CHECK (alignment IN ('native', 'deepface')),
  CONSTRAINT ck_embedding_space_default_threshold CHECK (default_threshold BETWEEN -1 AND 1)
);

-- every version updates its gallery's row: the room left on the page keeps that cheap (HOT)
CREATE TABLE gallery (
  id uuid CONSTRAINT pk_gallery PRIMARY KEY DEFAULT uuid_v7(),
  name text NOT NULL,
  space_id uuid NOT NULL
    CONSTRAINT fk_gallery_embedding_space REFERENCES embedding_space,
  threshold double precision NOT NULL,
  max_faces integer,
  version bigint NOT NULL DEFAULT 0,
  mark uuid NOT NULL DEFAULT gen_random_uuid(),
  prev_mark uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_gallery_name UNIQUE (name),
  CONSTRAINT ck_gallery_name
    CHECK (char_length(name) BETWEEN 1 AND 255 AND name !~ '[\u0001-\u001f\u007f-\u009f]'),
  CONSTRAINT ck_gallery_threshold CHECK (threshold BETWEEN -1 AND 1),
  CONSTRAINT ck_gallery_max_faces_positive CHECK (max_faces >= 1)
) WITH (fillfactor = 50);

-- external_id: the same rule as service/domain/subjects.py; "C" is code point order
CREATE TABLE subject (
  id uuid CONSTRAINT pk_subject PRIMARY KEY DEFAULT uuid_v7(),
  gallery_id uuid NOT NULL
    CONSTRAINT fk_subject_gallery REFERENCES gallery ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  CONSTRAINT uq_subject_gallery_id_external_id UNIQUE (gallery_id, external_id),
  CONSTRAINT uq_subject_gallery_id_id UNIQUE (gallery_id, id),
  CONSTRAINT ck_subject_external_id_length CHECK (char_length(external_id) BETWEEN 1 AND 255),
  CONSTRAINT ck_subject_external_id_blank CHECK (
    external_id ~ '[^ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'),
  CONSTRAINT ck_subject_external_id_control CHECK (
    external_id !~ '[\u0001-\u001f\u007f-\u009f]'),
  CONSTRAINT ck_subject_metadata CHECK (jsonb_typeof(metadata) = 'object')
);

-- gallery_id lives here too: in a cascade the subject's row is already gone
CREATE TABLE face (
  id uuid CONSTRAINT pk_face PRIMARY KEY DEFAULT uuid_v7(),
  gallery_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  image_sha256 bytea,
  image_name text,
  box integer[],
  quality jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL DEFAULT session_user,
  CONSTRAINT uq_face_gallery_id_id UNIQUE (gallery_id, id),
  CONSTRAINT uq_face_subject_id_image_sha256 UNIQUE (subject_id, image_sha256),
  CONSTRAINT fk_face_subject FOREIGN KEY (gallery_id, subject_id)
    REFERENCES subject (gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT ck_face_image_sha256 CHECK (octet_length(image_sha256) = 32),
  CONSTRAINT ck_face_box CHECK (
    array_ndims(box) = 1 AND cardinality(box) = 4 AND array_position(box, NULL) IS NULL)
);
CREATE INDEX ix_face_gallery_id_subject_id ON face (gallery_id, subject_id);

CREATE TABLE face_embedding (
  face_id uuid NOT NULL,
  space_id uuid NOT NULL,
  gallery_id uuid NOT NULL,
  dimension integer GENERATED ALWAYS AS (vector_dims(vec)) STORED NOT NULL,
  vec vector NOT NULL,
  CONSTRAINT pk_face_embedding PRIMARY KEY (face_id, space_id),
  CONSTRAINT fk_face_embedding_face FOREIGN KEY (gallery_id, face_id)
    REFERENCES face (gallery_id, id) ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_face_embedding_embedding_space FOREIGN KEY (space_id, dimension)
    REFERENCES embedding_space (id, dimension),
  CONSTRAINT ck_face_embedding_unit_length CHECK (abs(vector_norm(vec) - 1) <= 1e-3)
);
CREATE INDEX ix_face_embedding_gallery_id_face_id ON face_embedding (gallery_id, face_id);

-- id names the row only, it is never an order; tx finds a transaction's own rows and is never
-- compared across transactions; version is null only inside the transaction that wrote the row
CREATE TABLE gallery_change (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_gallery_change PRIMARY KEY,
  gallery_id uuid NOT NULL
    CONSTRAINT fk_gallery_change_gallery REFERENCES gallery ON DELETE CASCADE,
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
  version bigint,
  mark uuid,
  prev_mark uuid,
  at timestamptz NOT NULL DEFAULT now(),
  subjects uuid[] NOT NULL DEFAULT '{}',
  faces uuid[] NOT NULL DEFAULT '{}',
  everything boolean NOT NULL DEFAULT false,
  grew boolean NOT NULL DEFAULT false
);
CREATE INDEX ix_gallery_change_gallery_id_version ON gallery_change (gallery_id, version);
CREATE INDEX ix_gallery_change_tx ON gallery_change (tx) WHERE version IS NULL;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(EXTENSION)
    op.execute(UUID_V7)
    op.execute(TABLES)


def downgrade() -> None:
    """The extension stays: other schemas of the database may use it."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE gallery_change, face_embedding, face, subject, gallery, embedding_space")
    op.execute("DROP FUNCTION uuid_v7()")
