"""How the service ends."""

import signal
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from service.cli.server import LINGER_S, Server
from tests import servers
from tests.servers import WITHOUT_A_MODEL, free_port, running


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        pass  # it ended before it had taken this one: the next is refused
    return True


@pytest.mark.timeout(300)  # up to five starts
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_whoever_has_just_connected_is_still_answered_and_nobody_else_let_in(
    options: tuple[str, ...], database_url: str, tmp_path: Path
) -> None:
    """For as long as a process lingers. On a machine that stands still meanwhile, the last process
    closes its port later than that, and the next try counts."""
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}
    # workers are processes that are started anew, with the real model
    module = "service" if options else WITHOUT_A_MODEL
    for number in range(5):
        log = tmp_path / f"log {number}"
        with running(log, *options, environment=environment, module=module) as server:
            answer, passed_s = across_the_end(server)
            assert server.process.wait(20) == 0
        if answer.startswith(b"HTTP/1.1 200"):
            return
        assert passed_s > LINGER_S, answer
    pytest.fail("the port was closed too late each time")


def across_the_end(server: servers.Server) -> tuple[bytes, float]:
    """What a request is answered that was half sent before the server was told to end, and the
    rest once nobody listened; and how long that took in seconds."""
    port = int(server.url.rpartition(":")[2])
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as early:
        early.sendall(b"GET /health HTTP/1.1\r\n")
        time.sleep(0.05)
        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while listens(port):
            assert time.monotonic() < told + 10
            time.sleep(0.005)
        with suppress(ConnectionError):
            early.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
            passed_s = time.monotonic() - told
            return early.recv(100), passed_s
        return b"", time.monotonic() - told


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
