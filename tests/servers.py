"""Runs `facematch serve` as users do: a process of its own, asked over a real socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from service.key_file import KeyFile

START_TIMEOUT_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    url: str
    log: Path
    home: Path | None = None

    def client(self, timeout: float = 60) -> httpx.Client:
        """A client with the key of the first start, where there was one on this database."""
        key = self.home and KeyFile.of(self.home).read()
        headers = {"X-API-Key": key.text} if key else {}
        return httpx.Client(base_url=self.url, timeout=timeout, headers=headers)

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def facematch(
    *arguments: str, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command of the CLI to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={**os.environ, **environment},
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
    without: Collection[str] = (),
) -> Server:
    """Start the service and return at once; see `ready`. `without`: variables it is not to see."""
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    port = port or free_port()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", "--port", str(port), *arguments],
            env={**inherited, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    home = environment.get("FACEMATCH_HOME")
    return Server(process, f"http://127.0.0.1:{port}", log, Path(home) if home else None)


def ready(server: Server) -> Server:
    """Wait until the service says that it is ready."""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}/ready", timeout=5).status_code == 200:
                return server
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the service did not become ready:\n{server.log.read_text()}")


@contextmanager
def running(
    log: Path, *arguments: str, environment: Mapping[str, str], port: int | None = None
) -> Iterator[Server]:
    """A ready service, stopped with SIGTERM afterwards if it still runs."""
    server = start(log, *arguments, environment=environment, port=port)
    try:
        yield ready(server)
    finally:
        if server.process.poll() is None:
            server.stop()
