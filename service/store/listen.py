"""The bell: LISTEN on a connection of its own. It only wakes; what happened is in the tables."""

import os
import selectors
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg

from service.errors import DatabaseUnavailable
from service.store.connections import BoundedConnection

CHANNEL = "gallery"
LISTEN_S = 10.0


class Bell:
    """One thread waits; any thread may ring or close."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection[Any] | None = None
        self._waiting = threading.Lock()
        self._closed = False
        self._ringing = threading.Lock()
        self._ear, self._clapper = os.pipe()
        os.set_blocking(self._ear, False)
        os.set_blocking(self._clapper, False)

    def ring(self) -> None:
        # a full pipe is a bell that rings already; a closed one has nobody left to wake
        with self._ringing, suppress(OSError):
            os.write(self._clapper, b"\0")

    def wait(self, timeout_s: float) -> bool:
        """Block until a NOTIFY, a `ring` or the timeout; True if woken.

        A new LISTEN connection counts as rung: bells may have been missed before it.

        Raises:
            DatabaseUnavailable: the LISTEN connection is lost, or none could be made.
        """
        with self._waiting:
            if self._closed:
                return False
            try:
                if self._connection is None:
                    self._connection = self._listen()
                    return True
                return self._woken(self._connection, timeout_s)
            except (psycopg.Error, OSError) as error:
                self._drop()
                raise DatabaseUnavailable from error

    def close(self) -> None:
        self._closed = True
        self.ring()
        with self._waiting, self._ringing:
            self._drop()
            if self._ear >= 0:
                os.close(self._ear)
                os.close(self._clapper)
                self._ear = self._clapper = -1

    def _listen(self) -> psycopg.Connection[Any]:
        connection = BoundedConnection.connect(self._conninfo, autocommit=True)
        connection.patience_s = LISTEN_S
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _woken(self, connection: psycopg.Connection[Any], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(connection.pgconn.socket, selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            # looked at first: a bell that came while nobody waited. Not everything that arrives is
            # a bell: a server's goodbye is read before the end of the connection is.
            while not (self._heard(connection) | self._rung()):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return False
        return True

    @staticmethod
    def _heard(connection: psycopg.Connection[Any]) -> bool:
        """Whether a NOTIFY has arrived; takes all there are, and raises when the link is broken."""
        connection.pgconn.consume_input()
        heard = False
        while connection.pgconn.notifies() is not None:
            heard = True
        return heard

    def _rung(self) -> bool:
        rung = False
        with suppress(BlockingIOError):
            while os.read(self._ear, 4096):
                rung = True
        return rung

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
