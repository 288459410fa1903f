"""${message}

On a live database: no lock that keeps enrolments or searches waiting is held while rows are read.
Indexes CONCURRENTLY and checks NOT VALID first, VALIDATE after, in an `autocommit_block` of
statements that may be run again; new columns nullable or with a constant default, NOT NULL by a
validated check first. Then: `make schema-images`.
"""

from collections.abc import Sequence

from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: Sequence[str] | None = ${repr(branch_labels)}
depends_on: Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    ${downgrades if downgrades else "pass"}
