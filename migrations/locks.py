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


def alter_alone(*statements: str) -> None:
    """What wants `COLUMNS` of a table that everybody reads before the tables of faces: each by
    itself, before the step takes any other lock. Must be safe to do again.

    With the tables of faces locked there would always be somebody who has read this one and waits
    for those. Given up before the server looks for deadlocks, after a second: who deletes with SQL
    may wait behind this while those that it waits for are in the feed's queue behind them.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '500ms'")
        for statement in statements:
            op.execute(statement)
        op.execute("RESET lock_timeout")
