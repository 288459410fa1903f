"""Connections that do not wait for ever: a server that is frozen refuses nothing and ends nothing.

The server's own timeouts bound what it does; these bound what it does not do.
"""

from typing import Any, TypeVar

import psycopg
from psycopg import abc
from sqlalchemy import Connection

Result = TypeVar("Result")

LONGEST_SILENCE_S = 600.0
"""The longest that a server may work without a word: the digest of some ten million faces."""


class BoundedConnection(psycopg.Connection[Any]):
    """`patience_s`: longest wait, in seconds, for the answer to one message."""

    patience_s: float = LONGEST_SILENCE_S

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
