"""Calibrations: the evidence that a gallery's threshold rests on."""

from collections.abc import Sequence

from alembic import op

from migrations.locks import lock

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# a table of its own: every version rewrites the gallery's row, which is to stay short. It counts
# for the space it was made in only, so a gallery that moves to another one has none.
# NaN is above every number: an upper bound keeps it out
TABLE = """
CREATE TABLE gallery_calibration (
  gallery_id uuid CONSTRAINT pk_gallery_calibration PRIMARY KEY
    CONSTRAINT fk_gallery_calibration_gallery REFERENCES gallery ON DELETE CASCADE,
  space_id uuid NOT NULL
    CONSTRAINT fk_gallery_calibration_embedding_space REFERENCES embedding_space ON DELETE CASCADE,
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
  calibrated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_gallery_calibration_fpir CHECK (fpir > 0 AND fpir < 1),
  CONSTRAINT ck_gallery_calibration_threshold CHECK (
    -1 <= threshold_low AND threshold_low <= threshold
    AND threshold <= threshold_high AND threshold_high <= 1),
  CONSTRAINT ck_gallery_calibration_counts CHECK (
    subjects >= 2 AND faces >= subjects AND suspects >= 0),
  CONSTRAINT ck_gallery_calibration_tail CHECK (
    tail_start >= -1 AND tail_start < 1 AND tail_share > 0 AND tail_share <= 1
    AND tail_power > 0 AND tail_power < 'Infinity'),
  CONSTRAINT ck_gallery_calibration_release CHECK (release <> '')
)
"""


def upgrade() -> None:
    lock("gallery", "embedding_space")
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP TABLE gallery_calibration")
