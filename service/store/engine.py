"""The pool of connections that use cases run on."""

import math
import time
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection

from service.store import vectors
from service.store.connections import BoundedConnection, is_hurried
from service.store.urls import conninfo

STATEMENT_TIMEOUT_S = 60
"""Longest single statement, such as listing a large gallery; but see `allow_long`."""

GRACE_S = 1.0
"""What is waited for longer than for a lock, about which the server says more."""


def longest_statement_s(timeout_s: float) -> float:
    return max(STATEMENT_TIMEOUT_S, 2 * timeout_s)


def limits(timeout_s: float, *, local: bool = False) -> str:
    """Bound every wait for a lock and every statement, and have times in UTC; `local` for one
    transaction only."""
    scope = "LOCAL" if local else "SESSION"
    statement_s = longest_statement_s(timeout_s)
    return (
        f"SET {scope} lock_timeout = {math.ceil(timeout_s * 1000)};"
        f"SET {scope} statement_timeout = {math.ceil(statement_s * 1000)};"
        f"SET {scope} timezone = 'UTC'"
    )


def connect_seconds(timeout_s: float) -> int:
    """libpq counts whole seconds and takes no less than two."""
    return max(2, math.ceil(timeout_s))


def open_engine(url: str, *, pool_size: int, timeout_s: float, pooler: bool) -> Engine:
    """`pooler`: the URL goes through a transaction pooler, where neither a session's settings nor
    its prepared statements outlive a transaction."""
    target = conninfo(url, connect_timeout=connect_seconds(timeout_s))

    def connect() -> psycopg.Connection[Any]:
        connection = BoundedConnection.connect(target, prepare_threshold=None if pooler else 5)
        connection.patience_s = timeout_s
        vectors.register(connection)
        if not pooler:
            connection.autocommit = True
            connection.execute(limits(timeout_s).encode())
            connection.autocommit = False
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_use_lifo=True,  # idle ones at the other end
        use_native_hstore=False,
        hide_parameters=True,  # they hold embeddings
    )
    _be_patient(engine, timeout_s)
    if pooler:
        statement = limits(timeout_s, local=True)

        @event.listens_for(engine, "begin")
        def bound(connection: Connection) -> None:
            connection.exec_driver_sql(statement)

    return engine


def _be_patient(engine: Engine, timeout_s: float) -> None:
    """A connection in use may work as long as a statement may; an idle one is only asked whether
    it lives, and a server that takes long over that is frozen. So is one that takes long over
    what comes instead of the question."""

    @event.listens_for(engine, "checkout")
    def busy(connection: BoundedConnection, *_: object) -> None:
        unasked = is_hurried() and connection.seems_alive()
        if not unasked:
            _check(engine, connection)
        connection.patience_s = timeout_s + (GRACE_S if unasked else longest_statement_s(timeout_s))

    @event.listens_for(engine, "checkin")
    def idle(connection: BoundedConnection | None, *_: object) -> None:
        if connection is not None:  # None: it was lost
            connection.patience_s = timeout_s
            connection.returned_at = time.monotonic()


def _check(engine: Engine, connection: BoundedConnection) -> None:
    """What the pool's own `pre_ping` does, which does it always: with a connection that is lost all
    that were made before are done with."""
    if connection.returned_at is None:
        return
    try:
        engine.dialect.do_ping(cast("DBAPIConnection", connection))
    except psycopg.Error as error:
        raise exc.InvalidatePoolError from error
