"""Glances: short statements without a transaction.

SQLAlchemy makes their text, once; what it does to carry one out, in processor caches that a
photograph has just emptied, takes longer than the database.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, cast

from psycopg.rows import dict_row
from sqlalchemy import Engine, Select
from sqlalchemy.engine.interfaces import Dialect

from service.store.connections import BoundedConnection, Read, Row, hurried
from service.store.engine import limits


@contextmanager
def glances(engine: Engine, timeout_s: float, *, pooler: bool) -> Iterator[Read]:
    """A connection of the pool for statements that are short and change nothing, each by itself.

    `pooler`: as for `open_engine`; there a transaction brings the settings.
    """
    with hurried():
        lent = engine.raw_connection()
    driver = cast(BoundedConnection, lent.driver_connection)
    try:
        if pooler:
            driver.execute(limits(timeout_s, local=True).encode())
        else:
            driver.autocommit = True
        yield partial(_read, driver, engine.dialect)
    finally:
        try:
            if not (driver.closed or pooler):
                driver.autocommit = False
        finally:
            if driver.closed:
                lent.invalidate()
            lent.close()


def _read(
    driver: BoundedConnection,
    dialect: Dialect,
    statement: Select[Any],
    values: Mapping[str, object],
) -> Row | None:
    """The only row of a statement that is kept, and has no value but these."""
    with driver.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_text(statement, dialect), values).fetchone()


@cache
def _text(statement: Select[Any], dialect: Dialect) -> bytes:
    return str(statement.compile(dialect=dialect)).encode()
