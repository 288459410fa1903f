"""Galleries' rules for enrolment, and the answers kept for repeated requests."""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# constant defaults rewrite no table; NOT VALID checks read none while everybody waits
GALLERY = """
ALTER TABLE gallery
  ADD COLUMN max_faces_per_subject integer NOT NULL DEFAULT 100,
  ADD COLUMN subject_lifetime_s bigint,
  ADD COLUMN gates jsonb NOT NULL DEFAULT '{}',
  ADD CONSTRAINT ck_gallery_max_faces_per_subject CHECK (max_faces_per_subject >= 1) NOT VALID,
  ADD CONSTRAINT ck_gallery_subject_lifetime_s
    CHECK (subject_lifetime_s BETWEEN 1 AND 3155760000) NOT VALID,
  ADD CONSTRAINT ck_gallery_gates CHECK (
    jsonb_typeof(gates) = 'object'
    AND gates - '{one_face,quality,new_photograph,new_person,own_likeness}'::text[] = '{}'
    AND NOT jsonb_path_exists(gates, '$.* ? (@.type() != "boolean")')) NOT VALID;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_max_faces_per_subject;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_subject_lifetime_s;
ALTER TABLE gallery VALIDATE CONSTRAINT ck_gallery_gates;
"""

IDEMPOTENCY_KEY = """
CREATE TABLE idempotency_key (
  caller text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status integer NOT NULL,
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT pk_idempotency_key PRIMARY KEY (caller, key),
  CONSTRAINT ck_idempotency_key_key CHECK (char_length(key) BETWEEN 1 AND 255),
  CONSTRAINT ck_idempotency_key_fingerprint CHECK (octet_length(fingerprint) = 32),
  CONSTRAINT ck_idempotency_key_status CHECK (status BETWEEN 200 AND 299)
);
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(GALLERY)
    op.execute(IDEMPOTENCY_KEY)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE idempotency_key")
    op.execute(
        "ALTER TABLE gallery DROP COLUMN max_faces_per_subject, DROP COLUMN subject_lifetime_s,"
        " DROP COLUMN gates"
    )
