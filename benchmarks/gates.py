"""What the gates that compare faces cost an enrolment: `python -m benchmarks.gates`.

Ready embeddings of random people go through the function that all ways of enrolment use, each in a
transaction of its own, one after the other; then from eight threads.
"""

import argparse
import itertools
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from benchmarks.freshness.writers import filled, new_face
from service.domain.galleries import EnrolmentGates, Gallery, GalleryRules, GallerySettings
from service.enrolment import add_to_subject
from service.ports import FaceIndex, Store, Transaction
from service.store import open_store, schema
from service.store.embedded import embedded_postgres
from service.sync import Replica

ENROLMENTS = 100
THREADS = 8
OWN_FACES = 20
MOST_FACES = 10_000

NONE = EnrolmentGates()
PHOTOGRAPH = EnrolmentGates(new_photograph=True)
LIKENESS = EnrolmentGates(own_likeness=True)
PERSON = EnrolmentGates(new_person=True)


class Timed:
    """A transaction that notes when it got the gallery to itself."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.held_at: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def hold_gallery(self, gallery_id: Any) -> None:
        self._tx.hold_gallery(gallery_id)
        self.held_at = time.perf_counter()


NUMBERS = itertools.count(20_000_000)


@dataclass(slots=True)
class Writer:
    """Enrols people nobody has seen."""

    store: Store
    gallery: Gallery
    index: Callable[[], FaceIndex | None] = lambda: None

    def enrol(self, subject: str | None = None) -> tuple[float, float | None]:
        """Milliseconds that it took, and that it held the gallery."""
        number = next(NUMBERS)
        # outside: making the vector is no part of it
        face = new_face(number, self.gallery.space.dimension)
        began = time.perf_counter()

        def work(tx: Transaction) -> float | None:
            timed = Timed(tx)
            name = subject or f"new-{number}"
            add_to_subject(cast(Transaction, timed), self._present(tx), name, face, self.index())
            tx.made_version(self.gallery.id)
            return timed.held_at

        held_at = self.store.write(work)
        ended = time.perf_counter()
        return (ended - began) * 1000, held_at and (ended - held_at) * 1000

    def _present(self, tx: Transaction) -> Gallery:
        found = tx.find_gallery(self.gallery.name)
        assert found is not None
        return replace(found, rules=self.gallery.rules, threshold=self.gallery.threshold)


def main() -> None:
    options = _options()
    print(f"{platform.machine()}, {os.cpu_count()} CPU cores; PostgreSQL with fsync, same machine")
    with (
        tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder,
        embedded_postgres(Path(folder) / "postgres", {"max_connections": "100"}) as url,
    ):
        schema.upgrade(url)
        with closing(open_store(url, pool_size=THREADS + 1, timeout_s=30)) as store:
            gallery = filled(store, options.faces, options.dimension)
            rules = GalleryRules(max_faces_per_subject=MOST_FACES)
            with store.transaction() as tx:
                tx.change_gallery(gallery.id, GallerySettings(gallery.threshold, None, rules))
            print(f"{options.faces} faces of {options.dimension} values")
            with closing(Replica(store.feed(), poll_s=1, stale_s=15, wait_s=30)) as replica:
                replica.start()
                assert replica.wait_for(gallery.id, gallery.version)
                _one_by_one(store, gallery, replica)
                _at_once(store, gallery, replica, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.gates", description=__doc__)
    parser.add_argument("--faces", type=int, default=10_000, help="in the gallery at first")
    parser.add_argument("--dimension", type=int, default=512, choices=(128, 512))
    parser.add_argument("--seconds", type=float, default=5.0, help="of enrolling at once")
    return parser.parse_args()


def _one_by_one(store: Store, gallery: Gallery, replica: Replica) -> None:
    print("\n| milliseconds an enrolment | p50 | p90 | gallery held, p50 | p90 |")
    print("|---|---|---|---|---|")
    _measured("no gate", Writer(store, _with(gallery, NONE)).enrol)
    _measured("`new_photograph`", Writer(store, _with(gallery, PHOTOGRAPH)).enrol)
    own = Writer(store, _with(gallery, NONE))
    for _ in range(OWN_FACES):
        own.enrol("somebody")
    # at -1 everybody resembles everybody
    own.gallery = replace(_with(gallery, LIKENESS), threshold=-1.0)
    _measured("`own_likeness`", lambda: own.enrol("somebody"))
    person = Writer(store, _with(gallery, PERSON), lambda: replica.index(gallery.key))
    _measured("`new_person`", person.enrol)
    _measured("`new_person`, no index", Writer(store, _with(gallery, PERSON)).enrol)


def _measured(name: str, enrol: Callable[[], tuple[float, float | None]]) -> None:
    enrol()
    times = [enrol() for _ in range(ENROLMENTS)]
    whole = [whole for whole, _ in times]
    held = [held for _, held in times if held is not None]
    parts = [*_quantiles(whole), *(_quantiles(held) if held else ("", ""))]
    print(f"| {name} | {' | '.join(parts)} |", flush=True)


def _quantiles(values: list[float]) -> tuple[str, str]:
    return f"{statistics.median(values):.1f}", f"{statistics.quantiles(values, n=10)[8]:.1f}"


def _at_once(store: Store, gallery: Gallery, replica: Replica, seconds: float) -> None:
    print(f"\n| enrolments a second, {THREADS} threads | |")
    print("|---|---|")
    person = _with(gallery, PERSON)
    for name, writer in (
        ("no gate", Writer(store, _with(gallery, NONE))),
        ("`new_person`", Writer(store, person, lambda: replica.index(gallery.key))),
        ("`new_person`, no index", Writer(store, person)),
    ):
        print(f"| {name} | {_rate(writer, seconds):.0f} |", flush=True)


def _rate(writer: Writer, seconds: float) -> float:
    done = [0] * THREADS
    stop = time.monotonic() + seconds

    def work(place: int) -> None:
        while time.monotonic() < stop:
            writer.enrol()
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def _with(gallery: Gallery, gates: EnrolmentGates) -> Gallery:
    return replace(gallery, rules=GalleryRules(max_faces_per_subject=MOST_FACES, gates=gates))


if __name__ == "__main__":
    main()
