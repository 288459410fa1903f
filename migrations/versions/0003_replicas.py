"""Replicas: who follows the change feed, and how far each has come."""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# seen_at is the database's time: the replicas' clocks may differ
TABLES = """
CREATE TABLE replica (
  id uuid CONSTRAINT pk_replica PRIMARY KEY,
  name text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  checked_at timestamptz,
  differences integer NOT NULL DEFAULT 0,
  CONSTRAINT ck_replica_differences CHECK (differences >= 0)
) WITH (fillfactor = 50);

CREATE TABLE replica_gallery (
  replica_id uuid NOT NULL
    CONSTRAINT fk_replica_gallery_replica REFERENCES replica ON DELETE CASCADE,
  gallery_id uuid NOT NULL
    CONSTRAINT fk_replica_gallery_gallery REFERENCES gallery ON DELETE CASCADE,
  version bigint NOT NULL,
  mark uuid NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT pk_replica_gallery PRIMARY KEY (replica_id, gallery_id)
) WITH (fillfactor = 50);
CREATE INDEX ix_replica_gallery_gallery_id ON replica_gallery (gallery_id);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE replica_gallery, replica")
