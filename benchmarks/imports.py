"""`python -m benchmarks.imports PHOTOGRAPH...`: a bulk import of real photographs, end to end."""

import argparse
import io
import itertools
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from PIL import Image

from service.store import schema
from service.store.embedded import embedded_postgres

PORT = 18766
URL = f"http://127.0.0.1:{PORT}"
LOOK_S = 1.0
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@dataclass
class Sight:
    """What was seen at one moment; `memory` in bytes, a process each; `match_s` a search."""

    done: int
    memory: dict[str, int]
    connections: int
    match_s: float


@dataclass
class Watch:
    processes: dict[str, psutil.Process]
    client: httpx.Client
    sql: psycopg.Connection[Any]
    probe: bytes
    sights: list[Sight] = field(default_factory=list)

    def look(self, done: int) -> None:
        began = time.monotonic()
        self.client.post("/match_face", files={"file": self.probe}).raise_for_status()
        row = self.sql.execute(CONNECTIONS).fetchone()
        assert row is not None
        self.sights.append(
            Sight(
                done,
                {name: each.memory_info().rss for name, each in self.processes.items()},
                row[0] - 1,  # less this one
                time.monotonic() - began,
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.imports", description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path, help="of one face each")
    parser.add_argument("--count", type=int, default=6000, help="photographs to enrol")
    parser.add_argument("--side", type=int, default=400, help="longest side, in pixels")
    parser.add_argument("--threads", type=int, default=1, help="IMPORT_WORKERS of the service")
    parser.add_argument("--workers", type=int, default=0, help="facematch worker processes")
    options = parser.parse_args()
    print(f"{os.cpu_count()} CPU cores; PostgreSQL with fsync, client and service on them too")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facematch-bench-")))
        url = stack.enter_context(embedded_postgres(folder / "postgres"))
        schema.upgrade(url)
        processes = stack.enter_context(_installation(url, folder, options))
        client = stack.enter_context(httpx.Client(base_url=URL, timeout=600))
        sql = stack.enter_context(psycopg.connect(url, autocommit=True))
        pictures = [_small(path, options.side) for path in options.photographs]
        watch = Watch(processes, client, sql, pictures[0])
        _run(watch, folder / "people.tar", pictures, options.count)


def _run(watch: Watch, archive: Path, pictures: list[bytes], count: int) -> None:
    size = _written(archive, pictures, count)
    for _ in range(20):
        watch.look(0)
    idle = statistics.median(sight.match_s for sight in watch.sights[5:])
    before = watch.sights[-1]
    began = time.monotonic()
    with archive.open("rb") as body:
        answer = watch.client.post("/v1/galleries/dlib/imports", content=body).raise_for_status()
    uploaded = time.monotonic() - began
    while (job := _job(watch.client, answer.headers["location"]))["finished_at"] is None:
        watch.look(job["done"])
        time.sleep(LOOK_S)
    took = time.monotonic() - began
    watch.look(job["done"])
    print(f"{count} photographs of {len(pictures)} kinds, {size / 1e6:.0f} MB: {_counts(job)}")
    print(f"upload and spool {uploaded:.1f} s, all {took:.1f} s, {count / took:.1f} a second")
    _tell(watch.sights, before)
    busy = statistics.median(sight.match_s for sight in watch.sights[20:])
    print(f"a search meanwhile: median {1000 * busy:.0f} ms; idle {1000 * idle:.0f} ms")


def _counts(job: dict[str, Any]) -> str:
    return ", ".join(f"{job[name]} {name}" for name in ("enrolled", "skipped", "rejected"))


def _tell(sights: list[Sight], before: Sight) -> None:
    print("\n| done | " + " | ".join(f"{name}, MB" for name in before.memory) + " | connections |")
    print("|---" * (len(before.memory) + 2) + "|")
    for sight in [before, *sights[20 :: max(1, (len(sights) - 20) // 10)], sights[-1]]:
        memory = " | ".join(f"{each / 1e6:.0f}" for each in sight.memory.values())
        print(f"| {sight.done} | {memory} | {sight.connections} |")
    for name in before.memory:
        most = max(sight.memory[name] for sight in sights)
        print(f"{name}: at most {(most - before.memory[name]) / 1e6:+.0f} MB beside what it had")
    print(f"connections: at most {max(sight.connections for sight in sights)}\n")


def _job(client: httpx.Client, location: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(location).raise_for_status().json()
    return found


def _small(path: Path, side: int) -> bytes:
    out = io.BytesIO()
    with Image.open(path) as image:
        image.thumbnail((side, side))
        image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def _written(archive: Path, pictures: list[bytes], count: int) -> int:
    """A person each; the number behind the picture makes each a photograph of its own."""
    with tarfile.open(archive, "w") as tar:
        for number, picture in zip(range(count), itertools.cycle(pictures), strict=False):
            data = picture + number.to_bytes(4, "big")
            member = tarfile.TarInfo(f"person-{number:06}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive.stat().st_size


@contextmanager
def _installation(
    url: str, folder: Path, options: argparse.Namespace
) -> Iterator[dict[str, psutil.Process]]:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "FACEMATCH_HOME": str(folder),
        "LOG_LEVEL": "WARNING",
        "ALLOW_ANONYMOUS": "true",
        "IMPORT_WORKERS": str(options.threads),
    }
    commands = {"service": ["serve", "--port", str(PORT)]}
    commands |= {f"worker {n + 1}": ["worker"] for n in range(options.workers)}
    processes = {
        name: subprocess.Popen([sys.executable, "-m", "service", *command], env=environment)
        for name, command in commands.items()
    }
    try:
        while True:
            try:
                httpx.get(f"{URL}/ready").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield {name: psutil.Process(process.pid) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()


if __name__ == "__main__":
    main()
