"""How the service ends."""

import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers import WITHOUT_A_MODEL, running


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        pass  # it ended before it had taken this one: the next is refused
    return True


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_whoever_has_just_connected_is_still_answered_and_nobody_else_let_in(
    options: tuple[str, ...], database_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}
    log = tmp_path / "log"
    # workers are processes that are started anew, with the real model
    module = "service" if options else WITHOUT_A_MODEL
    with running(log, *options, environment=environment, module=module) as server:
        port = int(server.url.rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as early:
            early.sendall(b"GET /health HTTP/1.1\r\n")
            time.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)
            end = time.monotonic() + 10
            while listens(port):
                assert time.monotonic() < end
                time.sleep(0.005)
            early.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
            assert early.recv(100).startswith(b"HTTP/1.1 200")
        assert server.process.wait(20) == 0
