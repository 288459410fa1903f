"""`python -m benchmarks.authentication`: what looking a key up costs each request.

The same request, for a path that is not there, with a key and, of a second service on the same
database, without one.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from service.key_file import KeyFile

PORTS = {"with a key": 18866, "anonymous": 18867}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.authentication", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="of each kind, a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    times: dict[str, list[float]] = {kind: [] for kind in PORTS}
    with TemporaryDirectory(prefix="facematch-benchmark-") as home, ExitStack() as stack:
        for kind in PORTS:
            stack.enter_context(_service(kind, home))
        key = KeyFile.of(Path(home)).read()
        assert key is not None
        for _ in range(options.rounds):
            times["with a key"] += _ask("with a key", {"X-API-Key": key.text}, options.requests)
            times["anonymous"] += _ask("anonymous", {}, options.requests)
    for kind, taken in times.items():
        p50, p90, p99 = np.percentile(taken, [50, 90, 99])
        print(f"{kind}: p50 {p50:.2f}, p90 {p90:.2f}, p99 {p99:.2f} ms, {len(taken)} requests")
    cost = np.median(times["with a key"]) - np.median(times["anonymous"])
    print(f"a key costs {cost:.2f} ms a request, by the medians")


@contextmanager
def _service(kind: str, home: str) -> Iterator[None]:
    """One that makes the first key, or one that lets everybody in."""
    command = [sys.executable, "-m", "service", "serve", "--port", str(PORTS[kind])]
    anonymous = str(kind == "anonymous").lower()
    environment = {"FACEMATCH_HOME": home, "LOG_LEVEL": "WARNING", "ALLOW_ANONYMOUS": anonymous}
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{PORTS[kind]}/ready").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _ask(kind: str, headers: dict[str, str], count: int) -> list[float]:
    """Milliseconds of each of `count` requests, one after the other on one connection."""
    taken = []
    url = f"http://127.0.0.1:{PORTS[kind]}"
    with httpx.Client(base_url=url, headers=headers) as client:
        for _ in range(count):
            began = time.perf_counter()
            assert client.get("/nothing").status_code == 404
            taken.append((time.perf_counter() - began) * 1000)
    return taken


if __name__ == "__main__":
    main()
