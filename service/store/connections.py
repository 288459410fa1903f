"""Connections that do not wait for ever: a server that is frozen refuses nothing and ends nothing.

The server's own timeouts bound what it does; these bound what it does not do.
"""

import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from psycopg import abc
from sqlalchemy import Connection, Select

from service.store.urls import conninfo

Result = TypeVar("Result")

Row = Mapping[Any, Any]
"""By the names of its columns."""
Read = Callable[[Select[Any], Mapping[str, object]], Row | None]
"""Reads the only row of a statement with these values, or finds none."""

LONGEST_SILENCE_S = 600.0
"""The longest that a server may work without a word: the digest of some ten million faces."""


LATELY_S = 1.0
"""For so long a connection that worked is taken to work still."""

_hurried: ContextVar[bool] = ContextVar("hurried", default=False)


def in_utc(url: str, connect_timeout_s: int) -> psycopg.Connection[Any]:
    """A connection on which a time without a zone is one in UTC, and is written so, whatever the
    server's or the database's zone; see `urls.conninfo`."""
    connection = psycopg.connect(conninfo(url, connect_timeout=connect_timeout_s), autocommit=True)
    connection.execute("SET timezone = 'UTC'")
    connection.autocommit = False
    return connection


@contextmanager
def hurried() -> Iterator[None]:
    """A connection taken in this block is for one short statement: whether that is answered says
    as well as any other whether the connection lives."""
    token = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(token)


def is_hurried() -> bool:
    return _hurried.get()


class BoundedConnection(psycopg.Connection[Any]):
    """`patience_s`: longest wait, in seconds, for the answer to one message. `returned_at`: when it
    came back into the pool, by the monotonic clock; None before that."""

    patience_s: float = LONGEST_SILENCE_S
    returned_at: float | None = None

    def seems_alive(self) -> bool:
        """It worked a moment ago, and the server has not said since that it ends it: no proof."""
        if self.closed or time.monotonic() - (self.returned_at or 0.0) > LATELY_S:
            return False
        unread = select.poll()
        unread.register(self.fileno(), select.POLLIN)
        return not unread.poll(0)

    def wait(
        self, gen: abc.PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        """Raises psycopg.OperationalError, with the connection closed, when it takes too long."""
        bound = self.patience_s if timeout is None else min(timeout, self.patience_s)
        try:
            return super().wait(gen, interval, bound)
        except psycopg.errors._WaitTimeout as error:
            # what it would answer now is the answer to another question
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has been silent for {bound:g} s") from error


def allow_long(connection: Connection) -> None:
    """Let this transaction's statements, its commit too, take as long as a server may be silent."""
    milliseconds = round(LONGEST_SILENCE_S * 1000)
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
    driver = connection.connection.driver_connection
    if isinstance(driver, BoundedConnection):
        driver.patience_s = LONGEST_SILENCE_S
