"""A TCP proxy in front of Postgres that can be cut, frozen, slowed down and pointed elsewhere."""

import contextlib
import selectors
import socket
import threading
import time
from pathlib import Path

from sqlalchemy import make_url

from tests.servers import free_port


class Proxy:
    """Forwards a loopback port to the server of a database URL, TCP or Unix socket."""

    def __init__(self, database_url: str) -> None:
        self.port = free_port()
        self.delay_s = 0.0
        """Added to everything that passes, in each direction."""
        self.retarget(database_url)
        self.url = (
            make_url(database_url)
            .set(host="127.0.0.1", port=self.port)
            .update_query_dict({}, append=False)
            .difference_update_query(["host"])
            .render_as_string(hide_password=False)
        )
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self.restore()

    def retarget(self, database_url: str) -> None:
        """New connections go to the server of that URL."""
        url = make_url(database_url)
        self._host = str(url.query.get("host") or url.host)
        self._server_port = url.port or 5432

    def restore(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._listener is not None:
            # wakes the accepting thread, which close alone does not
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut_connections()

    def cut_connections(self) -> None:
        """Break the open connections; new ones are let in."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Keep what is open and let new connections in, but pass nothing on."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _connect(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(Path(self._host) / f".s.PGSQL.{self._server_port}"))
            except OSError:
                server.close()
                raise
            return server
        return socket.create_connection((self._host, self._server_port))

    def _forward(self, client: socket.socket) -> None:
        try:
            server = self._connect()
        except OSError:
            client.close()
            return
        pair = {client: server, server: client}
        self._open |= set(pair)
        with selectors.DefaultSelector() as ready, contextlib.suppress(OSError):
            for end in pair:
                ready.register(end, selectors.EVENT_READ)
            while all(self._pass_on(key.fileobj, pair) for key, _ in ready.select()):
                pass
        self._open -= set(pair)
        for end in pair:
            end.close()

    def _pass_on(self, source: object, pair: dict[socket.socket, socket.socket]) -> bool:
        assert isinstance(source, socket.socket)
        data = source.recv(65536)
        time.sleep(self.delay_s)
        self._flowing.wait()
        pair[source].sendall(data)
        return bool(data)
