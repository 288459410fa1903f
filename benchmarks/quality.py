"""From which quality on faces are no longer told apart: photographs made worse step by step.

python -m benchmarks.quality FOLDER [--only brighter]

FOLDER has photographs and `pairs.csv`, as for `facematch evaluate`; photographs of one face count.
The model is the settings'. A face is brought to 250 pixels at most, made worse, stored as JPEG and
searched for by the served path. For each step: how many faces are found; the measure's value, at
the tenth, the half and nine tenths of them; how many are no longer like their own photograph
("lost"), or like another one of their person ("genuine lost"); how many pairs of two people pass
the threshold, one of them made worse or both; and how many the present limits refuse. Then, by the
measure's value instead of the step, how many are lost.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.degradations import DEGRADATIONS, Degradation, shrunk, stored
from service.domain.embeddings import Embedding
from service.domain.faces import DetectedFace
from service.domain.quality import Quality, QualityPolicy, flaws
from service.images import ImageLimits, decode
from service.model_wiring import LoadedModel, open_model
from service.ports import Picture
from service.settings import Settings

LARGEST_FACE = 250
MARGIN = 1.2
"""Widths of the face that are kept of the photograph on each side of it."""
FORMATS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A face that was found: its quality and embedding."""

    quality: Quality
    embedding: Embedding


class Pair(NamedTuple):
    one: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """Photographs, cut around their faces, and these `originals`, by name; `threshold` is on
    similarity."""

    loaded: LoadedModel
    photographs: dict[str, tuple[Picture, DetectedFace]]
    originals: dict[str, Seen]
    pairs: Sequence[Pair]
    threshold: float

    def worse(self, degradation: Degradation, level: float) -> dict[str, Seen]:
        """The faces that are found after that step."""
        found = {}
        for name, (picture, face) in self.photographs.items():
            changed = degradation.apply(picture, face, level)
            seen = look(self.loaded, stored(changed, self.loaded.limits))
            if seen:
                found[name] = seen
        return found

    def lost(self, seen: dict[str, Seen]) -> list[bool]:
        """Of each face, whether it is below the threshold to its own photograph."""
        return [
            similarity(each, self.originals[name]) < self.threshold for name, each in seen.items()
        ]

    def genuine_lost(self, seen: dict[str, Seen]) -> list[bool]:
        return [score < self.threshold for score in self._to_originals(seen, same=True)]

    def passed(self, seen: dict[str, Seen]) -> list[bool]:
        return [score >= self.threshold for score in self._to_originals(seen, same=False)]

    def passed_among(self, seen: dict[str, Seen]) -> list[bool]:
        """Of each pair of two people, both made worse, whether it passes."""
        return [
            similarity(seen[one], seen[other]) >= self.threshold
            for one, other, same in self.pairs
            if not same and one in seen and other in seen
        ]

    def _to_originals(self, seen: dict[str, Seen], *, same: bool) -> Iterator[float]:
        for pair in self.pairs:
            for one, other in ((pair.one, pair.other), (pair.other, pair.one)):
                if pair.same == same and one in seen and other in self.originals:
                    yield similarity(seen[one], self.originals[other])


def similarity(one: Seen, other: Seen) -> float:
    return float(one.embedding @ other.embedding)


def look(loaded: LoadedModel, picture: Picture) -> Seen | None:
    """The largest face, as of a probe; whatever its quality."""
    faces = loaded.analyser.detect(picture)
    if not faces or faces[0].quality is None:
        return None
    return Seen(faces[0].quality, loaded.analyser.embed(picture, faces[0]))


def read(loaded: LoadedModel, folder: Path) -> Bench:
    photographs, originals = {}, {}
    images = folder / "images" if (folder / "images").is_dir() else folder
    for path in sorted(path for path in images.iterdir() if path.suffix.lower() in FORMATS):
        picture = decode(path.read_bytes(), loaded.limits)
        faces = loaded.analyser.detect(picture, thorough=True)
        seen = look(loaded, picture)
        if len(faces) != 1 or seen is None:
            print(f"left out: {path.name} shows {len(faces)} faces")
            continue
        originals[path.name] = seen
        part = cropped(picture, faces[0], loaded.limits)
        photographs[path.name] = (part, loaded.analyser.detect(part)[0])
    with (folder / "pairs.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["image_a"] in originals]
    pairs = [
        Pair(row["image_a"], row["image_b"], row["same_person"].lower() in {"true", "yes", "1"})
        for row in rows
    ]
    return Bench(loaded, photographs, originals, pairs, loaded.analyser.space.default_threshold)


def cropped(picture: Picture, face: DetectedFace, limits: ImageLimits) -> Picture:
    """The face and its surroundings, at most LARGEST_FACE pixels of face; stored as JPEG."""
    box, margin = face.box, int(MARGIN * face.box.width)
    part = picture[
        max(0, box.top - margin) : box.top + box.height + margin,
        max(0, box.left - margin) : box.left + box.width + margin,
    ]
    return stored(shrunk(part, face, LARGEST_FACE), limits)


def share(marks: Sequence[bool]) -> str:
    return f"{100 * sum(marks) / len(marks):.1f}" if marks else "-"


def refused(seen: dict[str, Seen], policy: QualityPolicy) -> tuple[str, str]:
    return (
        share([bool(flaws(each.quality, policy.search)) for each in seen.values()]),
        share([bool(flaws(each.quality, policy.enrolment)) for each in seen.values()]),
    )


def values(degradation: Degradation, seen: dict[str, Seen]) -> list[float]:
    found = (degradation.measure(each.quality) for each in seen.values())
    return [value for value in found if value is not None]


def print_step(bench: Bench, degradation: Degradation, level: str, seen: dict[str, Seen]) -> None:
    measured = np.percentile(values(degradation, seen) or [np.nan], [10, 50, 90])
    search, enrolment = refused(seen, bench.loaded.quality)
    print(
        f"{level:>10}{100 * len(seen) / len(bench.photographs):>7.0f}"
        f"{' / '.join(f'{value:.3g}' for value in measured):>22}"
        f"{share(bench.lost(seen)):>8}{share(bench.genuine_lost(seen)):>9}"
        f"{share(bench.passed(seen)):>8}{share(bench.passed_among(seen)):>8}"
        f"{search:>10}{enrolment:>8}",
        flush=True,
    )


def print_curve(
    bench: Bench, degradation: Degradation, all_seen: Sequence[dict[str, Seen]]
) -> None:
    """How many are lost, by the measure's value."""
    points = [
        (value, lost)
        for seen in all_seen
        for value, lost in zip(values(degradation, seen), bench.lost(seen), strict=True)
    ]
    for low, high in zip(degradation.steps, degradation.steps[1:], strict=False):
        marks = [lost for value, lost in points if low <= value < high]
        if marks:
            print(f"{low:>10.4g} to {high:<8.4g}{len(marks):>6} faces{share(marks):>8} % lost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="the beginning of one degradation's name")
    arguments = parser.parse_args()
    with open_model(Settings.read()) as loaded:
        bench = read(loaded, arguments.folder)
        print(f"{len(bench.photographs)} photographs, {len(bench.pairs)} labelled pairs among them")
        print(f"{loaded.analyser.space.describe()}, threshold {bench.threshold:g}; all in %")
        for degradation in DEGRADATIONS:
            if not degradation.name.startswith(arguments.only):
                continue
            print(f"\n{degradation.name}")
            print(
                f"{'step':>10}{'found':>7}{'value, 10/50/90 %':>22}{'lost':>8}{'genuine':>9}"
                f"{'passed':>8}{'among':>8}{'no search':>10}{'no enrol':>9}"
            )
            steps = [bench.originals]
            for level in degradation.levels:
                seen = bench.worse(degradation, level)
                print_step(bench, degradation, f"{level:g}", seen)
                steps.append(seen)
            print_curve(bench, degradation, steps)


if __name__ == "__main__":
    main()
