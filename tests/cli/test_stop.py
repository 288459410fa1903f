"""How the service ends."""

import signal
import socket
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from service.cli.server import Server
from tests.servers import WITHOUT_A_MODEL, free_port, running


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


class HeldUp(Server):
    """Its loop stands still, as where something else holds Python's lock, before it sees that it
    is to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stands, self.goes_on = threading.Event(), threading.Event()

    async def on_tick(self, counter: int) -> bool:
        self.stands.set()
        self.goes_on.wait(30)
        return await super().on_tick(counter)


def test_whoever_has_connected_and_waits_to_be_taken_in_is_answered_too() -> None:
    app = PlainTextResponse("done")
    server = HeldUp(uvicorn.Config(app, port=free_port(), lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    with ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(server.goes_on.set)
        assert server.stands.wait(30)
        address = ("127.0.0.1", server.config.port)
        waiting = [
            stack.enter_context(closing(socket.create_connection(address, timeout=10)))
            for _ in range(5)
        ]
        for each in waiting:
            each.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        server.should_exit = True
        server.goes_on.set()
        for each in waiting:
            assert each.recv(100).startswith(b"HTTP/1.1 200")
    assert not listens(server.config.port)
