"""`python -m benchmarks.overload PHOTOGRAPH...`: the service at and above what it can take."""

import argparse
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks.served import FORM, encoded, ephemeral, photographs

CLIENTS = 200


@dataclass(frozen=True)
class Answer:
    """`retry` says whether it tells when to try again."""

    status: int
    seconds: float
    retry: bool


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.overload", description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path, help="or folders of them")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--factor", type=float, default=3.0, help="times the capacity")
    options = parser.parse_args()
    pictures = [encoded(picture) for picture in photographs(options.photographs)]
    with ephemeral() as service:
        _closed(service.url, pictures, 5.0)  # warm
        before = service.process.memory_info().rss
        capacity = _closed(service.url, pictures, options.seconds)
        print(
            f"{os.cpu_count()} CPU cores, {len(pictures)} photographs, client on the same machine"
        )
        print(f"capacity, one request a core at a time: {capacity:.1f} answers a second")
        used = _seconds(psutil.Process()), _seconds(service.process)
        answers, took = _open(service.url, pictures, options.factor * capacity, options.seconds)
        _tell(answers, took, capacity)
        ours, theirs = _seconds(psutil.Process()) - used[0], _seconds(service.process) - used[1]
        print(f"processor: service {theirs / took:.2f} cores, this client {ours / took:.2f}")
        grown = (service.process.memory_info().rss - before) / 1e6
        print(f"memory of the service: {before / 1e6:.0f} MB before, {grown:+.0f} MB after")


def _seconds(process: psutil.Process) -> float:
    """Of the processor, used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _match(client: httpx.Client, form: bytes) -> Answer:
    began = time.monotonic()
    answer = client.post("/match_face", content=form, headers=FORM)
    took = time.monotonic() - began
    return Answer(answer.status_code, took, "Retry-After" in answer.headers)


def _closed(url: str, pictures: list[bytes], seconds: float) -> float:
    """Answers a second when each client waits for its answer; as many clients as cores."""
    clients = os.cpu_count() or 1
    counts = [0] * clients
    end = time.monotonic() + seconds

    def ask(place: int) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
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
    url: str, pictures: list[bytes], rate: float, seconds: float
) -> tuple[list[Answer], float]:
    """All answers to requests that come at that rate, whatever became of the last; and the time
    until the last of them."""
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    began = time.monotonic()
    with (
        httpx.Client(base_url=url, timeout=120, limits=limits) as client,
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
    refused = [1000 * each.seconds for each in answers if each.status == 503 and each.retry]
    other = len(answers) - len(served) - len(refused)
    goodput = len(served) / took
    print(
        f"{len(answers)} requests in {took:.1f} s: {len(served)} answered, {len(refused)} refused, "
        f"{other} otherwise"
    )
    print(f"goodput: {goodput:.1f} a second, {100 * goodput / capacity:.0f} % of the capacity")
    print(f"answered within, s: p50 {_at(served, 50):.2f}, p99 {_at(served, 99):.2f}")
    print(
        f"refused with Retry-After within, ms: p50 {_at(refused, 50):.0f}, "
        f"p99 {_at(refused, 99):.0f}"
    )


def _at(values: list[float], percentile: float) -> float:
    return float(np.percentile(values, percentile)) if values else float("nan")


if __name__ == "__main__":
    main()
