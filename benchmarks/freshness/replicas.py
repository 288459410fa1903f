"""Replicas in processes of their own, which note when each version became searchable."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import cast
from uuid import UUID

from service.index import GalleryIndex
from service.store import open_store
from service.sync import Replica

WAIT_S = 120.0
spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Sightings:
    """`seen[n]` is when the version of number n was searchable, in seconds of the host's monotonic
    clock, which its processes share; `digest` is the index's content at the end."""

    seen: dict[int, float]
    digest: int


@dataclass
class RunningReplica:
    process: BaseProcess
    pipe: "Connection[object, object]"

    def sightings(self, version: int) -> Sightings:
        """End the replica once it holds that version."""
        self.pipe.send(version)
        return cast("Sightings", self._answer())

    def _answer(self) -> object:
        if not self.pipe.poll(WAIT_S):
            raise TimeoutError("a replica did not answer")
        return self.pipe.recv()


@contextmanager
def replicas(url: str, gallery_id: UUID, count: int) -> Iterator[list[RunningReplica]]:
    """That many replicas, loaded and following."""
    running = []
    for _ in range(count):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=follow, args=(url, gallery_id, theirs), daemon=True)
        process.start()
        running.append(RunningReplica(process, ours))
    try:
        for replica in running:
            replica._answer()
        yield running
    finally:
        for replica in running:
            replica.pipe.close()  # ends one that is not asked for its sightings
            replica.process.join(WAIT_S)


def follow(url: str, gallery_id: UUID, pipe: "Connection[object, object]") -> None:
    """A replica as the service has it: the same feed, the same settings, the same threads."""
    with closing(open_store(url, pool_size=2, timeout_s=5)) as store:
        replica = Replica(store.feed(), poll_s=1.0, stale_s=15.0, wait_s=5.0)
        seen: dict[int, float] = {}
        threading.Thread(target=watch, args=(replica, gallery_id, seen), daemon=True).start()
        with closing(replica):
            replica.start()
            while not replica.status().loaded:
                time.sleep(0.01)
            pipe.send("loaded")
            try:
                last = cast("int", pipe.recv())
            except EOFError:
                return
            while held(replica, gallery_id)[0].version.number < last:
                time.sleep(0.01)
            time.sleep(0.1)  # for the watcher
            pipe.send(Sightings(seen, held(replica, gallery_id)[0].digest()))


def held(replica: Replica, gallery_id: UUID) -> list[GalleryIndex]:
    """The gallery's index, in a list, or nothing while it loads."""
    return [index for key, index in replica.indexes().items() if key.gallery_id == gallery_id]


def watch(replica: Replica, gallery_id: UUID, seen: dict[int, float]) -> None:
    """Woken by what wakes a request that waits for its version."""
    last = -1
    with replica._progress:
        while True:
            replica._progress.wait()
            now = time.monotonic()
            for index in held(replica, gallery_id):
                number = index.version.number
                if last >= 0:
                    seen.update((each, now) for each in range(last + 1, number + 1))
                last = number
