"""Runs `facematch serve` as users do: a process of its own, asked over a real socket."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service.domain.keys import SECRET
from service.key_file import KeyFile
from tests.forks import UNMEASURED, Fork, forks

START_TIMEOUT_S = 100.0
WITHOUT_A_MODEL = "tests.convergence.replica"
"""`facematch serve` itself with a face model that costs nothing, for tests about anything else: the
real one is most of a start."""


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of services without TLS: reading the world's certificates takes each client 25 ms."""


MOST_HELD = 200
_held: deque[socket.socket] = deque()


def free_port() -> int:
    """Of this process alone: it is held before a server listens there and while one is replaced,
    since others start servers too, wherever a port is free at that moment. A server listens there
    all the same if it sets SO_REUSEADDR, as all do."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    if len(_held) > MOST_HELD:
        _held.popleft().close()
    return int(holder.getsockname()[1])


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes] | Fork"
    url: str
    log: Path
    home: Path | None = None

    def client(self) -> httpx.Client:
        """With the key of the database's first start."""
        return httpx.Client(base_url=self.url, timeout=60, headers=self._key(), verify=NO_TLS)

    def get(self, path: str, **content: Any) -> httpx.Response:
        return self._asked("GET", path, **content)

    def post(self, path: str, **content: Any) -> httpx.Response:
        return self._asked("POST", path, **content)

    def delete(self, path: str, **content: Any) -> httpx.Response:
        return self._asked("DELETE", path, **content)

    def _asked(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request(method, path, **content)

    def _key(self) -> dict[str, str]:
        """From its file, or of a temporary database from the terminal."""
        kept = KeyFile.of(self.home).read() if self.home else None
        shown = SECRET.search(self.log.read_text())
        key = kept.text if kept else shown and shown[0]
        return {"X-API-Key": key} if key else {}

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def facematch(
    *arguments: str, environment: Mapping[str, str], folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command of the CLI to its end. `folder`: of the program, if it is not this one."""
    variables = {**os.environ, **environment}
    if not folder:
        return forks().run("service", *arguments, environment=variables)
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def start(
    log: Path,
    *arguments: str,
    environment: Mapping[str, str],
    port: int | None = None,
    module: str = "service",
    folder: Path | None = None,
    measured: bool = False,
) -> Server:
    """Start the service and return at once; see `ready`. `measured`: its coverage is, for one whose
    code no other measured process runs; `folder`: of the program, if it is not this one."""
    without = () if measured else UNMEASURED
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    variables = {**inherited, **environment}
    port = port or free_port()
    command = ("serve", "--port", str(port), *arguments)
    with log.open("ab") as out:
        process = (
            forks().start(
                module, *command, environment=variables, out=out.fileno(), err=out.fileno()
            )
            if module == WITHOUT_A_MODEL and not folder
            else subprocess.Popen(
                [sys.executable, "-m", module, *command],
                cwd=folder,
                env=variables,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        )
    home = environment.get("FACEMATCH_HOME")
    return Server(process, f"http://127.0.0.1:{port}", log, Path(home) if home else None)


def ready(server: Server) -> Server:
    """Wait until the service says that it is ready."""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if server.get("/ready", timeout=5).status_code == 200:
                return server
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the service did not become ready:\n{server.log.read_text()}")


@contextmanager
def running(
    log: Path,
    *arguments: str,
    environment: Mapping[str, str],
    module: str = "service",
    measured: bool = False,
) -> Iterator[Server]:
    """A ready service, stopped with SIGTERM afterwards if it still runs; see `start`."""
    server = start(log, *arguments, environment=environment, module=module, measured=measured)
    try:
        yield ready(server)
    finally:
        if server.process.poll() is None:
            server.stop()
