"""`python -m benchmarks.answers PHOTOGRAPH...`: photograph in to answer out, over HTTP.

The default model, a gallery of many faces, one request at a time; beside it, in the same run, what
its parts take by themselves, and `DeepFace.represent` alone on the same photographs.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.freshness.writers import fill
from benchmarks.recognition import LIMITS, Timings, evenly, measure_deepface
from benchmarks.served import FORM, encoded, photographs, served
from service.images import decode
from service.index import GalleryIndex, IndexBuilder
from service.settings import Settings
from service.store import schema
from service.store.embedded import embedded_postgres
from service.wiring import Tools, open_tools

CANDIDATES = 8
"""As many as the service asks its index for."""

PARTS = ("decode", "detect", "embed", "search")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.answers", description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path, help="or folders of them")
    parser.add_argument("--faces", type=int, default=10_000, help="in the gallery")
    parser.add_argument("--rounds", type=int, default=3, help="times through the photographs")
    parser.add_argument("--deepface", type=int, default=10, metavar="N", help="photographs for it")
    options = parser.parse_args()
    pictures = photographs(options.photographs)
    timings = Timings()
    with tempfile.TemporaryDirectory(prefix="facematch-benchmark-") as folder:
        with _database(Path(folder)) as settings:
            url = settings.database_url.get_secret_value() if settings.database_url else ""
            with open_tools(settings, url) as tools:
                fill(tools.store, tools.gallery, options.faces)
                environment = {"FACEMATCH_HOME": f"{folder}/home", "DATABASE_URL": url}
                with served(environment=environment) as running:
                    _measure(tools, running.url, pictures, options.rounds, timings)
        few = evenly(range(len(pictures)), options.deepface)
        measure_deepface([pictures[n] for n in few], Path(folder) / "deepface", timings)
    print(f"{len(pictures)} photographs, {options.faces} faces, {os.cpu_count()} cores")
    _tell(timings, few, options.rounds)


@contextmanager
def _database(folder: Path) -> Iterator[Settings]:
    with embedded_postgres(folder / "postgres") as url:
        schema.upgrade(url)
        yield Settings.read(facematch_home=folder / "home", database_url=url)


def _measure(
    tools: Tools, url: str, pictures: Sequence[bytes], rounds: int, timings: Timings
) -> None:
    index = _index(tools)
    # of the clients at hand the one that takes least for itself
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=60)) as client:
        for data in pictures[:5]:
            _ask(client, encoded(data))
        for _ in range(rounds):
            for data in pictures:
                form = encoded(data)
                timings.time("answer", lambda: _ask(client, form))
                _parts(tools, index, data, timings)


def _ask(client: HTTPConnection, form: bytes) -> None:
    client.request("POST", "/match_face", form, FORM)
    response = client.getresponse()
    if response.status != 200:
        raise SystemExit(f"The service answered {response.status}: {response.read().decode()}")
    response.read()


def _parts(tools: Tools, index: GalleryIndex, data: bytes, timings: Timings) -> None:
    """Right after the answer, so that what else the machine does falls on both."""
    picture = timings.time("decode", lambda: decode(data, LIMITS))
    found = timings.time("detect", lambda: tools.analyser.detect(picture))
    if not found:
        raise SystemExit("There is no face on one of the photographs.")
    probe = timings.time("embed", lambda: tools.analyser.embed(picture, found[0]))
    timings.time("search", lambda: index.search(probe, CANDIDATES))


def _index(tools: Tools) -> GalleryIndex:
    with closing(tools.store.feed()) as feed, feed.read() as read:
        (head,) = [head for head in read.heads() if head.id == tools.gallery.id]
        builder = IndexBuilder(head.dimension)
        for batch in read.all_faces(head):
            builder.add(batch)
        return builder.finish(head.version)


def _tell(timings: Timings, few: Sequence[int], rounds: int) -> None:
    print(f"{'milliseconds':<34}{'median':>10}{'mean':>10}{'slowest':>10}{'n':>6}")
    print(*timings.rows(), sep="\n")
    answers = np.array(timings.stages["answer"])
    parts = np.sum([timings.stages[part] for part in PARTS], axis=0)
    beyond = 1e3 * (answers - parts)
    low, high = np.percentile(beyond, [25, 75])
    print(
        f"an answer takes {np.median(beyond):.1f} ms more than its parts (median; half of them "
        f"{low:.1f} to {high:.1f})"
    )
    ours = np.median(answers.reshape(rounds, -1), axis=0)[list(few)]
    theirs = np.array(timings.stages["DeepFace.represent, decoded"])
    print(
        f"DeepFace.represent alone takes {np.median(theirs / ours):.1f} times as long in the "
        f"median photograph, {theirs.sum() / ours.sum():.1f} times over all {len(few)}"
    )


if __name__ == "__main__":
    main()
