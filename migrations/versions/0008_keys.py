"""Keys of the API: what each may do, in which galleries, until when."""

from collections.abc import Sequence

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# A key is bound unless it says otherwise: one whose galleries were all deleted reaches none.
API_KEY = """
CREATE TABLE api_key (
  id uuid NOT NULL DEFAULT uuid_v7(),
  prefix text NOT NULL,
  name text NOT NULL,
  key_hash bytea NOT NULL,
  previous_hash bytea,
  previous_until timestamptz,
  scopes text[] NOT NULL,
  all_galleries boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL DEFAULT SESSION_USER,
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT pk_api_key PRIMARY KEY (id),
  CONSTRAINT uq_api_key_prefix UNIQUE (prefix),
  CONSTRAINT ck_api_key_prefix CHECK (prefix ~ '^fm_[a-z2-7]{8}$'),
  CONSTRAINT ck_api_key_name
    CHECK (char_length(name) BETWEEN 1 AND 255 AND name !~ '[\\u0001-\\u001f\\u007f-\\u009f]'),
  CONSTRAINT ck_api_key_key_hash CHECK (octet_length(key_hash) = 32),
  CONSTRAINT ck_api_key_previous_hash CHECK (
    octet_length(previous_hash) = 32 AND previous_hash <> key_hash),
  CONSTRAINT ck_api_key_previous_until
    CHECK ((previous_hash IS NULL) = (previous_until IS NULL)),
  CONSTRAINT ck_api_key_scopes CHECK (
    cardinality(scopes) >= 1 AND array_ndims(scopes) = 1
    AND scopes <@ '{search,enrol,read,export,admin}'::text[]),
  CONSTRAINT ck_api_key_expires_at
    CHECK (expires_at > created_at AND expires_at < '9999-12-31 00:00+00'),
  CONSTRAINT ck_api_key_finite CHECK (isfinite(created_at) AND isfinite(revoked_at))
);

CREATE TABLE api_key_gallery (
  key_id uuid NOT NULL CONSTRAINT fk_api_key_gallery_api_key REFERENCES api_key ON DELETE CASCADE,
  gallery_id uuid NOT NULL
    CONSTRAINT fk_api_key_gallery_gallery REFERENCES gallery ON DELETE CASCADE,
  CONSTRAINT pk_api_key_gallery PRIMARY KEY (key_id, gallery_id)
);
CREATE INDEX ix_api_key_gallery_gallery_id ON api_key_gallery (gallery_id);
"""

# 366 random bits of the server's; a table, so that every replica has it and a backup takes it along
PEPPER = """
CREATE TABLE api_key_pepper (
  sole boolean NOT NULL DEFAULT true,
  pepper bytea NOT NULL,
  CONSTRAINT pk_api_key_pepper PRIMARY KEY (sole),
  CONSTRAINT ck_api_key_pepper_sole CHECK (sole),
  CONSTRAINT ck_api_key_pepper_pepper CHECK (octet_length(pepper) = 32)
);
INSERT INTO api_key_pepper (pepper) SELECT sha256(
  uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(API_KEY)
    op.execute(PEPPER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE api_key_gallery, api_key, api_key_pepper")
