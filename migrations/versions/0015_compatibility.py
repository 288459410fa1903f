"""The schema says itself which releases run on it: those that know this revision."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """A later revision that releases of this one cannot run on names itself here; see schema.py."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("COMMENT ON TABLE alembic_version IS 'runs from 0015'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("COMMENT ON TABLE alembic_version IS NULL")
