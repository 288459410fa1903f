"""Bulk imports: their jobs, their items, and the queue of procrastinate that runs them."""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# A copy of what procrastinate 3.10 ships, not the installed release's own: this revision must make
# the same of every database. A later schema of procrastinate comes by a later revision, with the
# statements of its sql/migrations; tests/store/test_queue.py says when one is due.
QUEUE = (Path(__file__).parents[1] / "procrastinate.sql").read_text(encoding="utf-8")

# Who sent it is who the record says enrolled: a worker has no caller of its own.
# space_id is the gallery's when the import came, no foreign key: its embeddings are of that space
# only, and a space that is given up is no reason to hold the import.
# A photograph is JPEG, PNG or WebP: compressing it again costs time and saves nothing. ANALYZE must
# keep no embedding where erasure does not reach
TABLES = """
CREATE TABLE import_job (
  id uuid CONSTRAINT pk_import_job PRIMARY KEY DEFAULT uuid_v7(),
  gallery_id uuid NOT NULL
    CONSTRAINT fk_import_job_gallery REFERENCES gallery ON DELETE CASCADE,
  space_id uuid NOT NULL,
  created_by text NOT NULL,
  key_id uuid,
  request_id text,
  address text,
  several boolean NOT NULL,
  state text NOT NULL DEFAULT 'uploading',
  created_at timestamptz NOT NULL DEFAULT now(),
  touched_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT ck_import_job_state
    CHECK (state IN ('uploading', 'waiting', 'running', 'finished', 'cancelled')),
  CONSTRAINT ck_import_job_finished_at
    CHECK ((finished_at IS NOT NULL) = (state IN ('finished', 'cancelled')))
);
CREATE INDEX ix_import_job_gallery_id ON import_job (gallery_id);

CREATE TABLE import_item (
  job_id uuid NOT NULL
    CONSTRAINT fk_import_item_import_job REFERENCES import_job ON DELETE CASCADE,
  number integer NOT NULL,
  file text,
  external_id text COLLATE "C",
  metadata jsonb,
  photograph bytea,
  image_sha256 bytea,
  embedding bytea,
  status text NOT NULL DEFAULT 'waiting',
  code text,
  reason text,
  face_id uuid,
  attempts integer NOT NULL DEFAULT 0,
  claimed_by uuid,
  claimed_until timestamptz,
  done_at timestamptz,
  CONSTRAINT pk_import_item PRIMARY KEY (job_id, number),
  CONSTRAINT ck_import_item_number CHECK (number >= 1),
  CONSTRAINT ck_import_item_status
    CHECK (status IN ('waiting', 'enrolled', 'skipped', 'rejected', 'cancelled')),
  CONSTRAINT ck_import_item_payload CHECK (
    CASE WHEN status = 'waiting' THEN num_nonnulls(photograph, embedding) = 1
         ELSE num_nonnulls(photograph, embedding, image_sha256, metadata, claimed_by) = 0 END),
  CONSTRAINT ck_import_item_image_sha256 CHECK (
    (image_sha256 IS NULL) = (photograph IS NULL) AND octet_length(image_sha256) = 32),
  CONSTRAINT ck_import_item_code
    CHECK (num_nonnulls(code, reason) = CASE WHEN status IN ('skipped', 'rejected')
                                             THEN 2 ELSE 0 END),
  CONSTRAINT ck_import_item_face_id CHECK ((face_id IS NOT NULL) = (status = 'enrolled')),
  CONSTRAINT ck_import_item_done_at CHECK ((done_at IS NULL) = (status = 'waiting')),
  CONSTRAINT ck_import_item_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
ALTER TABLE import_item
  ALTER COLUMN photograph SET STORAGE EXTERNAL,
  ALTER COLUMN photograph SET STATISTICS 0,
  ALTER COLUMN embedding SET STATISTICS 0;
CREATE INDEX ix_import_item_job_id_status_number ON import_item (job_id, status, number);
CREATE INDEX ix_import_item_external_id ON import_item (external_id);
"""

# what procrastinate.sql made, and nothing else
DROP_QUEUE = """
DO $$
DECLARE made regprocedure;
BEGIN
  FOR made IN SELECT oid FROM pg_proc
               WHERE starts_with(proname, 'procrastinate_')
                 AND pronamespace = quote_ident(current_schema())::regnamespace
  LOOP EXECUTE format('DROP FUNCTION %s CASCADE', made);  -- with its triggers
  END LOOP;
END $$;
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,
  procrastinate_workers;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLES)
    op.execute(QUEUE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE import_item, import_job")
    op.execute(DROP_QUEUE)
