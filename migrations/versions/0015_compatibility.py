"""The schema says itself which releases run on it: those that know this revision."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Each later revision says so anew, of itself: what it forgets to say is not so."""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("COMMENT ON TABLE alembic_version IS '0015 runs from 0015'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("COMMENT ON TABLE alembic_version IS NULL")
