"""Searching a gallery through the use case, with and without a filter on metadata.

python -m benchmarks.search [--faces N ...] [--dimension N] [--searches N]

The probe is a ready embedding: what is timed is one search by its use case, with its two
transactions on a PostgreSQL of its own. The people are synthetic, one face each, many of them
alike; a probe is a noisy view of one of them.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from service.domain.audit import RecordedSearch
from service.domain.embeddings import Alignment, ClaimedSpace, EmbeddingSpace
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion, IndexKey
from service.domain.keys import trusted
from service.domain.probes import EmbeddingProbe
from service.domain.quality import UNCHECKED
from service.errors import ModelUnavailable
from service.images import ImageLimits
from service.index import GalleryIndex, IndexBuilder
from service.ports import FaceAnalyser, Store
from service.probes import Probes
from service.recognition import Recognition
from service.searches import Search
from service.store import open_store, schema
from service.store.embedded import embedded_postgres

CALLER = trusted("benchmark")
WEIGHTS = "ab" * 32
THRESHOLD = 0.5
RARE = 10
"""Subjects that the rarest filter lets pass."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """What is asked for."""

    name: str
    metadata: Mapping[str, Any] | None = None
    top_k: int = 1
    threshold: float | None = None


CASES = (
    Case("best subject"),
    Case("best 100", top_k=100),
    Case("best 100, any similarity", top_k=100, threshold=-1),
    Case("filter that half pass", {"half": True}),
    Case("filter that half pass, best 100", {"half": True}, 100, -1),
    Case("filter that 1 % pass", {"hundredth": True}),
    Case("filter that 1 % pass, best 100", {"hundredth": True}, 100, -1),
    Case(f"filter that {RARE} pass", {"rare": True}),
    Case("filter that nobody passes", {"nobody": True}),
)


class NoModels:
    """See `ports.Analysers`; ready embeddings need none."""

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        raise ModelUnavailable(space.describe())

    def like(self, model: str, detector: str | None, alignment: Alignment | None) -> FaceAnalyser:
        raise ModelUnavailable(model)

    def usual(self, model: str | None) -> FaceAnalyser:
        raise ModelUnavailable(str(model))


@dataclass(frozen=True)
class OneIndex:
    """See `ports.Indexes`: a replica that has caught up."""

    held: GalleryIndex

    def index(self, key: IndexKey) -> GalleryIndex:
        return self.held

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        return True


def main() -> None:
    options = _options()
    print(f"{platform.machine()}, {os.cpu_count()} CPU cores; PostgreSQL on the same machine")
    for faces in options.faces:
        with _database() as url, closing(open_store(url, pool_size=2, timeout_s=60)) as store:
            _measure(url, store, faces, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search", description=__doc__)
    parser.add_argument("--faces", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dimension", type=int, default=512, choices=(128, 512))
    parser.add_argument("--searches", type=int, default=200, help="of each case")
    return parser.parse_args()


@contextmanager
def _database() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder,
        embedded_postgres(Path(folder) / "postgres", {"max_connections": "20"}) as url,
    ):
        schema.upgrade(url)
        yield url


def people(count: int, dimension: int, random: np.random.Generator) -> Vectors:
    """Unit vectors around a few centres, shape (count, dimension)."""
    centres = random.normal(size=(64, dimension))
    own = random.normal(size=(count, dimension)) + centres[random.integers(64, size=count)]
    return _unit(own)


def _unit(vectors: NDArray[Any]) -> Vectors:
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def fill(url: str, gallery: Gallery, vectors: Vectors) -> None:
    """A subject for each vector, as one version."""
    count = len(vectors)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subject (gallery_id, external_id, metadata)"
            " SELECT %s, n::text, jsonb_build_object('half', n %% 2 = 0,"
            "  'hundredth', n %% 100 = 0, 'rare', n %% %s = 7) FROM generate_series(1, %s) n",
            (gallery.id, count // RARE, count),
        )
        cursor.execute(
            "INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM subject"
        )
        cursor.execute("CREATE TEMP TABLE sent (n text PRIMARY KEY, vec vector) ON COMMIT DROP")
        with cursor.copy("COPY sent FROM STDIN") as copy:
            for number, vector in enumerate(vectors, start=1):
                copy.write_row((str(number), str(vector.tolist())))
        cursor.execute(
            "INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT f.id, f.gallery_id, %s, sent.vec FROM face f JOIN subject s"
            " ON s.id = f.subject_id JOIN sent ON sent.n = s.external_id",
            (gallery.space_id,),
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _indexed(store: Store, gallery: Gallery) -> GalleryIndex:
    with closing(store.feed()) as feed, feed.read() as read:
        (head,) = [each for each in read.heads() if each.id == gallery.id]
        builder = IndexBuilder(head.dimension)
        for batch in read.all_faces(head):
            builder.add(batch)
        return builder.finish(head.version)


def _measure(url: str, store: Store, faces: int, options: argparse.Namespace) -> None:
    random = np.random.default_rng(faces)
    vectors = people(faces, options.dimension, random)
    model = "Dlib" if options.dimension == 128 else "Facenet512"
    space = EmbeddingSpace(model, options.dimension, WEIGHTS, "dlib", Alignment.NATIVE, THRESHOLD)
    with store.transaction() as tx:
        gallery = tx.create_gallery("benchmark", space, GallerySettings(THRESHOLD))
    fill(url, gallery, vectors)
    index = _indexed(store, gallery)
    probing = Probes(NoModels(), ImageLimits(10_000_000, 40_000_000), UNCHECKED)
    recognition = Recognition(store, OneIndex(index), probing, Unrecorded())
    noise = 0.5 * random.normal(size=(options.searches, options.dimension))
    noise /= np.sqrt(options.dimension)
    probes = _unit(vectors[random.integers(faces, size=options.searches)] + noise)
    print(f"\n{faces} faces of {options.dimension} values, {options.searches} searches each (ms)")
    print(f"{'':34}{'p50':>8}{'p99':>8}{'max':>8}")
    view = index.view()
    _row("the index alone, best subject", probes, lambda probe: view.search(probe, 9))
    for case in CASES:
        _row(case.name, probes, lambda probe: _search(recognition, space, case, probe))
    _row("by SQL alone, best face", probes[:20], lambda probe: _by_sql(url, probe))


class Unrecorded:
    """The record is written off the request's path, and not measured."""

    def check(self) -> None: ...

    def record(self, searches: Sequence[RecordedSearch]) -> None: ...


def _search(
    recognition: Recognition, space: EmbeddingSpace, case: Case, probe: NDArray[np.float32]
) -> None:
    claimed = ClaimedSpace(space.model, space.detector, space.alignment)
    search = Search(
        EmbeddingProbe(probe.tolist(), claimed), case.top_k, case.threshold, case.metadata
    )
    recognition.search(CALLER, ["benchmark"], search, {})


def _by_sql(url: str, probe: NDArray[np.float32]) -> None:
    """The peer: pgvector's exact scan, without an index on it."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT face_id FROM face_embedding ORDER BY vec <=> %s::vector LIMIT 1",
            (str(probe.tolist()),),
        ).fetchone()


def _row(name: str, probes: Vectors, work: Callable[[NDArray[np.float32]], object]) -> None:
    seconds = []
    for probe in probes:
        began = time.perf_counter()
        work(probe)
        seconds.append(time.perf_counter() - began)
    figures = 1000 * np.percentile(seconds, [50, 99, 100])
    print(f"{name:34}" + "".join(f"{figure:8.1f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
