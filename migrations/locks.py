"""Locks of a revision that changes several busy tables at once."""

from collections.abc import Sequence

from alembic import op

TRIGGERS = "SHARE ROW EXCLUSIVE"
"""What CREATE TRIGGER and foreign keys take: writers wait, readers do not."""
COLUMNS = "ACCESS EXCLUSIVE"
"""What most of ALTER TABLE takes: everybody waits."""


def lock(first: str, *others: str, altered: Sequence[str] = ()) -> None:
    """Take the tables' locks before anything else, or give up soon, and all of them.

    Those `altered` get new columns, the others triggers or keys that refer to them. Writers take
    the same locks in whatever order: where one waits for this transaction and this one for it, the
    server would end one of them after a second. This one waits for the first lock while it holds
    none, and for the others so shortly that nobody has waited for a second by then;
    `schema.upgrade` tries again.
    """
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(f"LOCK TABLE {first} IN {TRIGGERS} MODE")
    op.execute("SET LOCAL lock_timeout = '100ms'")
    for table in others:
        op.execute(f"LOCK TABLE {table} IN {TRIGGERS} MODE")
    for table in altered:
        op.execute(f"LOCK TABLE {table} IN {COLUMNS} MODE")
