"""From a photograph to its embedding, stage by stage, beside `DeepFace.represent` in the same run.

python -m benchmarks.recognition FOLDER [--deepface N]

The model is Dlib with its native alignment, on every engine at hand; decoding is the service's.
DeepFace gets the same photographs from memory, already decoded, at full size, with detector dlib
and model Dlib. Searching a gallery is not in it. `benchmarks.networks` has the other models.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import TypeVar

import numpy as np

from service.domain.faces import DetectedFace
from service.images import ImageLimits, decode
from service.ports import FaceAnalyser, Picture
from service.vision import find_model, load_analyser
from service.vision.dlib_agreement import load_networks
from service.vision.dlib_analyser import DlibSlot
from service.vision.dlib_files import LANDMARKS_FILE, RECOGNITION_FILE, packaged
from service.vision.engines import DLIB, GRAPH_ENGINES
from service.vision.sessions import at_hand
from service.vision.threads import ThreadBudget
from service.vision.weights import locate

Result = TypeVar("Result")

LIMITS = ImageLimits(max_bytes=100_000_000, max_pixels=1_000_000_000)
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
ENGINES = (*filter(at_hand, GRAPH_ENGINES), DLIB)


@dataclass
class Timings:
    """Seconds of each repetition, by stage."""

    stages: dict[str, list[float]] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], Result]) -> Result:
        start = time.perf_counter()
        result = work()
        self.stages.setdefault(stage, []).append(time.perf_counter() - start)
        return result

    def rows(self) -> Iterator[str]:
        for stage, seconds in self.stages.items():
            middle, average, worst = (1e3 * figure(seconds) for figure in (median, mean, max))
            yield f"{stage:<34}{middle:>10.1f}{average:>10.1f}{worst:>10.1f}{len(seconds):>6}"

    def median(self, stage: str) -> float:
        return median(self.stages[stage])


def read_folder(folder: Path) -> list[bytes]:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise SystemExit(f"There is no photograph in {folder}.")
    return [path.read_bytes() for path in files]


def analyser(engine: str, home: Path, workers: int) -> FaceAnalyser:
    return load_analyser(
        "Dlib", detector=None, alignment=None, engine=engine, home=home, workers=workers,
        timeout_s=60,
    )  # fmt: skip


def measure_stages(photographs: Sequence[bytes], home: Path, timings: Timings) -> None:
    """Each stage alone, on one thread."""
    networks = {
        engine: load_networks(
            engine,
            locate(find_model("Dlib"), engine, home),
            home=home,
            budget=ThreadBudget(),
        )()
        for engine in ENGINES
    }
    slot = DlibSlot()
    for data in photographs:
        picture = timings.time("decode", lambda: decode(data, LIMITS))
        face = largest(timings.time("detect, landmarks", lambda: slot.detect(picture)))
        if face is None:
            continue
        chip = timings.time("chip", lambda: slot.chip(picture, face))
        for engine, network in networks.items():
            timings.time(f"embed, {engine}", lambda: network.describe(chip))


def largest(faces: Sequence[DetectedFace]) -> DetectedFace | None:
    return max(faces, key=lambda face: face.box.area, default=None)


def whole_path(data: bytes, faces: FaceAnalyser) -> None:
    picture = decode(data, LIMITS)
    found = faces.detect(picture)
    if found:
        faces.embed(picture, found[0])


def measure_whole(photographs: Sequence[bytes], home: Path, timings: Timings) -> None:
    for engine in ENGINES:
        faces = analyser(engine, home, workers=1)
        for data in photographs:
            timings.time(f"whole, {engine}", lambda: whole_path(data, faces))


def throughput(photographs: Sequence[bytes], engine: str, home: Path, threads: int) -> float:
    """Photographs a second."""
    faces = analyser(engine, home, workers=threads)
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda data: whole_path(data, faces), photographs))
    return len(photographs) / (time.perf_counter() - start)


@contextmanager
def deepface_home(home: Path) -> Iterator[None]:
    """DeepFace finds dlib's files below `home` and does not download them."""
    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True)
    for name in (LANDMARKS_FILE, RECOGNITION_FILE):
        (folder / name).symlink_to(packaged(name))
    os.environ.update(DEEPFACE_HOME=str(home), DEEPFACE_BACKEND_ENGINE="onnx")
    os.environ["DEEPFACE_LOG_LEVEL"] = "100"
    yield
    del os.environ["DEEPFACE_HOME"]


def measure_deepface(photographs: Sequence[bytes], home: Path, timings: Timings) -> None:
    with deepface_home(home):
        from deepface import DeepFace

        def represent(bgr: Picture) -> None:
            DeepFace.represent(
                bgr, model_name="Dlib", detector_backend="dlib", enforce_detection=False
            )

        represent(np.zeros((200, 200, 3), dtype=np.uint8))  # loads the model
        for data in photographs:
            bgr = np.ascontiguousarray(decode(data, LIMITS)[:, :, ::-1])
            timings.time("DeepFace.represent, decoded", lambda: represent(bgr))


def evenly(photographs: Sequence[Result], number: int) -> Sequence[Result]:
    """At most `number` of them, spread over all."""
    return photographs[:: -(-len(photographs) // max(1, number))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="photographs: JPEG, PNG or WebP")
    parser.add_argument(
        "--deepface", type=int, default=10, metavar="N", help="photographs that DeepFace gets, too"
    )
    options = parser.parse_args(arguments)
    photographs = read_folder(options.folder)
    cores = len(os.sched_getaffinity(0))
    print(f"{len(photographs)} photographs, {cores} cores, {platform.machine()}, Dlib native")
    print(f"{'milliseconds':<34}{'median':>10}{'mean':>10}{'slowest':>10}{'n':>6}")
    timings = Timings()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        measure_stages(photographs, home, timings)
        measure_whole(photographs, home, timings)
        print(*timings.rows(), sep="\n")
        for engine in ENGINES:
            for threads in (1, 2):
                rate = throughput(photographs, engine, home, threads)
                print(f"{engine}, {threads} threads: {rate:.1f} photographs a second")
        for engine in ENGINES:
            ratio = timings.median(f"embed, {DLIB}") / timings.median(f"embed, {engine}")
            print(f"embed: {engine} is {ratio:.1f} times as fast as dlib")
        compare(evenly(photographs, options.deepface), home)


def compare(photographs: Sequence[bytes], home: Path) -> None:
    """The whole path beside DeepFace on the same photographs."""
    timings = Timings()
    measure_whole(photographs, home, timings)
    measure_deepface(photographs, home / "deepface", timings)
    print(f"the same {len(photographs)} photographs:", *timings.rows(), sep="\n")
    deepface = timings.stages["DeepFace.represent, decoded"]
    for engine in ENGINES:
        ours = timings.stages[f"whole, {engine}"]
        ratios = [theirs / own for theirs, own in zip(deepface, ours, strict=True)]
        print(
            f"{engine}: {median(ratios):.1f} times as fast as DeepFace in the median photograph, "
            f"{sum(deepface) / sum(ours):.1f} times over all"
        )


if __name__ == "__main__":
    main()
