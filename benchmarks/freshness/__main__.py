"""`python -m benchmarks.freshness`: prints what it measured on this machine."""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.freshness.overhead import commits_a_second, triggers
from benchmarks.freshness.replicas import replicas
from benchmarks.freshness.writers import enrol_at, filled
from service.domain.galleries import Gallery
from service.index import IndexBuilder
from service.ports import Store
from service.store import open_store, schema
from service.store.embedded import embedded_postgres

REPLICAS = 3
ROUNDS = 3
SETTLE_S = 12.0
"""PostgreSQL's counters are behind by seconds."""


def main() -> None:
    options = _options()
    print(f"{platform.machine()}, {os.cpu_count()} CPU cores; PostgreSQL with fsync, same machine")
    with _database() as url, closing(open_store(url, pool_size=9, timeout_s=30)) as store:
        gallery = filled(store, options.faces, options.dimension)
        _freshness(url, store, gallery, options)
        _reread(store, gallery)
        _idle(url, gallery, options.idle_seconds)
        _overhead(url, gallery, options.overhead_seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.freshness", description=__doc__)
    parser.add_argument("--faces", type=int, default=10_000, help="in the gallery at first")
    parser.add_argument("--dimension", type=int, default=512, choices=(128, 512))
    parser.add_argument("--rate", type=float, default=50.0, help="enrolments a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of enrolling")
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--overhead-seconds", type=float, default=3.0, help="each of 18 runs")
    return parser.parse_args()


@contextmanager
def _database() -> Iterator[str]:
    """Durable, unlike the tests' one: a commit waits for the disk."""
    with (
        tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder,
        embedded_postgres(Path(folder) / "postgres", {"max_connections": "100"}) as url,
    ):
        schema.upgrade(url)
        yield url


def _freshness(url: str, store: Store, gallery: Gallery, options: argparse.Namespace) -> None:
    with replicas(url, gallery.id, REPLICAS) as running:
        time.sleep(2)
        commits = enrol_at(store, gallery, options.rate, options.seconds)
        sightings = [replica.sightings(max(commits)) for replica in running]
    if len({each.digest for each in sightings}) != 1:
        raise SystemExit("the replicas differ from one another")
    per_replica = [
        [1000 * (each.seen[number] - began) for number, began in commits.items()]
        for each in sightings
    ]
    everywhere = list(map(max, zip(*per_replica, strict=True)))
    print(
        f"\ncommit to searchable, {options.rate:g} enrolments a second for {options.seconds:g} s, "
        f"{options.faces} faces of {options.dimension} values, {REPLICAS} replicas (ms; from "
        "before the commit)"
    )
    print(f"{'':24}{'p50':>8}{'p90':>8}{'p99':>8}{'max':>8}")
    for number, values in enumerate(per_replica, 1):
        _row(f"replica {number}", values)
    _row("on every replica", everywhere)


def _row(name: str, values: list[float]) -> None:
    figures = np.percentile(values, [50, 90, 99, 100])
    print(f"{name:24}" + "".join(f"{figure:8.1f}" for figure in figures))


def _reread(store: Store, gallery: Gallery) -> None:
    """The peer: what a node pays at each enrolment that reads the whole gallery again."""
    seconds = []
    with closing(store.feed()) as feed:
        for _ in range(5):
            began = time.monotonic()
            with feed.read() as read:
                (head,) = [head for head in read.heads() if head.id == gallery.id]
                builder = IndexBuilder(head.dimension)
                for batch in read.all_faces(head):
                    builder.add(batch)
            faces = len(builder.finish(head.version))
            seconds.append(time.monotonic() - began)
    print(
        f"\nbeside it, reading the whole gallery again ({faces} faces), as a feed without change "
        f"rows must at each enrolment: {1000 * statistics.median(seconds):.0f} ms"
    )


def _idle(url: str, gallery: Gallery, seconds: float) -> None:
    with _alone(url), replicas(url, gallery.id, 1):
        before, began = _transactions(url), time.monotonic()
        time.sleep(seconds)
        asked, took = _transactions(url) - before, time.monotonic() - began
    # one of the readings falls into the time between them
    print(f"\nan idle replica: {60 * (asked - 1) / took:.0f} transactions a minute")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Autovacuum's transactions are counted like all others."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in (b"SET autovacuum = off", b"RESET autovacuum"):
            connection.execute(b"ALTER SYSTEM " + setting)
            connection.execute("SELECT pg_reload_conf()")
            if setting.startswith(b"SET"):
                yield


def _transactions(url: str) -> int:
    time.sleep(SETTLE_S)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0


def _overhead(url: str, gallery: Gallery, seconds: float) -> None:
    """In turn, so that a disk which others use too is as slow for both."""
    print(f"\ncommits a second, one face each, into one gallery (median of {ROUNDS} rounds)")
    print(f"{'writers':>8}{'feed':>10}{'without':>10}{'share':>8}")
    for writers in (1, 8, 32):
        rates: dict[bool, list[float]] = {True: [], False: []}
        for enabled in [True, False] * ROUNDS:
            triggers(url, enabled=enabled)
            rates[enabled].append(commits_a_second(url, gallery, writers, seconds))
        feed, without = (statistics.median(rates[enabled]) for enabled in (True, False))
        print(f"{writers:8}{feed:10.0f}{without:10.0f}{feed / without:8.2f}", flush=True)


if __name__ == "__main__":
    main()
