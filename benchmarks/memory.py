"""`python -m benchmarks.memory PHOTOGRAPH...`: what the service holds over many requests."""

import argparse
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from benchmarks.served import ephemeral, photographs

ENROL_EVERY = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.memory", description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path, help="or folders of them")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1000, help="requests between two readings")
    options = parser.parse_args()
    pictures = photographs(options.photographs)
    clients = os.cpu_count() or 1
    print(
        f"{len(pictures)} photographs, {clients} clients, every {ENROL_EVERY}th request enrols "
        "somebody or deletes them again"
    )
    with ephemeral() as service:
        readings = list(_readings(service.url, service.process, pictures, options, clients))
    first, last = readings[min(1, len(readings) - 1)], readings[-1]
    print(f"from the first reading under load to the last: {last - first:+.0f} MB")


def _readings(
    url: str,
    process: psutil.Process,
    pictures: list[bytes],
    options: argparse.Namespace,
    clients: int,
) -> Iterator[float]:
    """Megabytes of memory of its own, before the first request and after each so many."""
    print(f"{'requests':>10}{'resident, MB':>14}{'of its own, MB':>16}{'threads':>9}")
    for done in range(0, options.requests + 1, options.every):
        _ask(url, pictures, range(max(0, done - options.every), done), clients)
        memory = process.memory_full_info()
        print(
            f"{done:>10}{memory.rss / 1e6:>14.0f}{memory.uss / 1e6:>16.0f}"
            f"{process.num_threads():>9}",
            flush=True,
        )
        yield memory.uss / 1e6


def _ask(url: str, pictures: list[bytes], numbers: range, clients: int) -> None:
    """A request for each number; each client waits for its answer."""
    waiting = iter(numbers)
    failed: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            for number in waiting:
                status = _request(client, number, pictures[number % len(pictures)])
                if status >= 500:
                    failed.append(status)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        print(f"{len(failed)} requests failed: {sorted(set(failed))}")


def _request(client: httpx.Client, number: int, picture: bytes) -> int:
    files = {"file": picture}
    if number % ENROL_EVERY:
        return client.post("/match_face", files=files).status_code
    person = str(number)
    enrolled = client.post("/add_face", files=files, data={"id": person}).status_code
    if enrolled == 200:
        return client.delete(f"/delete_face/{person}").status_code
    return enrolled


if __name__ == "__main__":
    main()
