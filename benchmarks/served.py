"""The service as users run it: a process of its own on a free port of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

START_TIMEOUT_S = 120.0
FORM = {"Content-Type": "multipart/form-data; boundary=facematch"}


@dataclass(frozen=True)
class Served:
    """`seconds` from starting the process to its first answer that it is ready."""

    url: str
    process: psutil.Process
    seconds: float


@contextmanager
def ephemeral() -> Iterator[Served]:
    """On a temporary database, with nothing kept from earlier runs."""
    with (
        TemporaryDirectory(prefix="facematch-benchmark-") as home,
        served("--ephemeral", environment={"FACEMATCH_HOME": home}) as running,
    ):
        yield running


@contextmanager
def served(*options: str, environment: Mapping[str, str]) -> Iterator[Served]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "service", "serve", "--port", str(port), *options]
    began = time.monotonic()
    # what a key costs is benchmarks.authentication's to say
    quiet = {"LOG_LEVEL": "WARNING", "ALLOW_ANONYMOUS": "true"}
    process = subprocess.Popen(command, env={**os.environ, **quiet, **environment})
    try:
        _wait(url, process)
        yield Served(url, psutil.Process(process.pid), time.monotonic() - began)
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{url}/ready").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.01)
    raise SystemExit(f"The service is not ready after {START_TIMEOUT_S:.0f} s.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def photographs(paths: list[Path]) -> list[bytes]:
    """Of files, and of folders all that is in them."""
    files = [
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}
    ]
    if not files:
        raise SystemExit("There is no photograph in what was named.")
    return [file.read_bytes() for file in files]


def encoded(picture: bytes) -> bytes:
    """The form as it is sent, made once: what making it takes, the service would lack."""
    request = httpx.Request("POST", "http://service", files={"file": picture}, headers=FORM)
    return request.read()
