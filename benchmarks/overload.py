"""`python -m benchmarks.overload PHOTOGRAPH...`: the service at and above what it can take."""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import psutil

from service.key_file import KeyFile

PORT = 18765
URL = f"http://127.0.0.1:{PORT}"
CLIENTS = 200


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.overload", description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--factor", type=float, default=3.0, help="times the capacity")
    options = parser.parse_args()
    pictures = [path.read_bytes() for path in options.photographs]
    with _service() as (process, headers):
        _closed(pictures, headers, 5.0)  # warm
        before = process.memory_info().rss
        capacity = _closed(pictures, headers, options.seconds)
        print(
            f"{os.cpu_count()} CPU cores, {len(pictures)} photographs, client on the same machine"
        )
        print(f"capacity, one request a core at a time: {capacity:.1f} answers a second")
        answers, took = _open(pictures, headers, options.factor * capacity, options.seconds)
        _tell(answers, took, capacity)
        grown = (process.memory_info().rss - before) / 1e6
        print(f"memory of the service: {before / 1e6:.0f} MB before, {grown:+.0f} MB after")


@contextmanager
def _service() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    with TemporaryDirectory(prefix="facematch-benchmark-") as home:
        command = [sys.executable, "-m", "service", "serve", "--port", str(PORT)]
        environment = {**os.environ, "FACEMATCH_HOME": home, "LOG_LEVEL": "WARNING"}
        process = subprocess.Popen(command, env=environment)
        try:
            while True:
                try:
                    httpx.get(f"{URL}/ready").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            key = KeyFile.of(Path(home)).read()
            assert key is not None
            yield psutil.Process(process.pid), {"X-API-Key": key.text}
        finally:
            process.terminate()
            process.wait()


def _match(client: httpx.Client, picture: bytes) -> Answer:
    began = time.monotonic()
    answer = client.post("/match_face", files={"file": picture})
    return Answer(answer.status_code, time.monotonic() - began)


def _closed(pictures: list[bytes], headers: dict[str, str], seconds: float) -> float:
    """Answers a second when each client waits for its answer; as many clients as cores."""
    clients = os.cpu_count() or 1
    counts = [0] * clients
    end = time.monotonic() + seconds

    def ask(place: int) -> None:
        with httpx.Client(base_url=URL, timeout=60, headers=headers) as client:
            while time.monotonic() < end:
                picture = pictures[(counts[place] * clients + place) % len(pictures)]
                counts[place] += _match(client, picture).status == 200

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def _open(
    pictures: list[bytes], headers: dict[str, str], rate: float, seconds: float
) -> tuple[list[Answer], float]:
    """All answers to requests that come at that rate, whatever became of the last; and the time
    until the last of them."""
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    began = time.monotonic()
    with (
        httpx.Client(base_url=URL, timeout=120, limits=limits, headers=headers) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        tasks = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(pool.submit(_match, client, pictures[number % len(pictures)]))
        answers = [task.result() for task in tasks]
    return answers, time.monotonic() - began


def _tell(answers: list[Answer], took: float, capacity: float) -> None:
    served = [each.seconds for each in answers if each.status == 200]
    refused = [1000 * each.seconds for each in answers if each.status == 503]
    other = len(answers) - len(served) - len(refused)
    goodput = len(served) / took
    print(
        f"{len(answers)} requests in {took:.1f} s: {len(served)} answered, {len(refused)} refused, "
        f"{other} otherwise"
    )
    print(f"goodput: {goodput:.1f} a second, {100 * goodput / capacity:.0f} % of the capacity")
    print(f"answered within, s: p50 {_at(served, 50):.2f}, p99 {_at(served, 99):.2f}")
    print(f"refused within, ms: p50 {_at(refused, 50):.0f}, p99 {_at(refused, 99):.0f}")


def _at(values: list[float], percentile: float) -> float:
    return float(np.percentile(values, percentile)) if values else float("nan")


if __name__ == "__main__":
    main()
