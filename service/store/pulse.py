"""Whether the database answers now, asked apart from the pool, which may be full."""

import selectors
import threading
import time
from typing import Any

import psycopg

from service.store.urls import conninfo

ANSWER_S = 1.0


class Pulse:
    def __init__(self, url: str) -> None:
        self._conninfo = conninfo(url, connect_timeout=2)
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def felt(self) -> bool:
        """Never raises; bounded by a second, or two where a new connection is needed."""
        if not self._lock.acquire(timeout=ANSWER_S):
            return False
        try:
            return self._answers()
        finally:
            self._lock.release()

    def _answers(self) -> bool:
        fresh = self._connection is None
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._conninfo, autocommit=True)
            answered = _answered(self._connection)
        except (psycopg.Error, OSError):
            self._drop()
            # one kept from before may merely have been cut
            return False if fresh else self._answers()
        if not answered:
            self._drop()
        return answered

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        with self._lock:
            self._drop()


def _answered(connection: psycopg.Connection[Any]) -> bool:
    """False when there is no answer in time; raises when the connection is broken.

    By hand, because no statement timeout helps against a server that has stopped answering.
    """
    deadline = time.monotonic() + ANSWER_S
    link = connection.pgconn
    link.send_query(b"SELECT 1")
    with selectors.DefaultSelector() as selector:
        selector.register(link.socket, selectors.EVENT_READ)
        while link.is_busy():
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return False
            link.consume_input()
    answer = link.get_result()
    if answer is None or answer.status != psycopg.pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError("the connection was cut")
    while link.get_result() is not None:
        pass
    return True
