"""Scores, templates and runs made by hand, and an analyser that reads faces from file contents."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace
from service.domain.faces import Box, DetectedFace
from service.domain.quality import QualityPolicy, QualityRules
from service.evaluation.labels import Labels
from service.evaluation.pairs import Numbers, Pairs, pairs_among
from service.evaluation.photographs import Photograph
from service.evaluation.scores import Scores, Side
from service.evaluation.templates import Templates
from service.images import ImageLimits
from service.ports import Picture

LIMITS = ImageLimits(max_bytes=100_000, max_pixels=1_000_000)
THRESHOLD = 0.5
ANY_QUALITY = QualityPolicy(QualityRules(), QualityRules())


def side(scores: Sequence[float], people: Sequence[tuple[int, int]] | None = None) -> Side:
    """Scores of photographs 0, 2, 4 ... with 1, 3, 5 ...; each of people of its own, unless
    said otherwise."""
    numbers = np.arange(2 * len(scores)).reshape(-1, 2)
    persons = numbers if people is None else np.array(people).reshape(-1, 2)
    order = np.argsort(-np.array(scores), kind="stable")
    return Side(
        np.array(scores, dtype=np.float64)[order],
        numbers[order, 0],
        numbers[order, 1],
        persons[order, 0],
        persons[order, 1],
    )


def scores(genuine: Sequence[float], impostors: Sequence[float], skipped: int = 0) -> Scores:
    """Genuine pairs of as many people, impostor pairs of as many pairs of people."""
    same = side(genuine, [(number, number) for number in range(len(genuine))])
    people = max(len(genuine), 2 * len(impostors))
    return Scores(same, side(impostors), skipped, people)


def templates(vectors: Sequence[Sequence[float]]) -> Templates:
    """One row for each photograph; the vectors are brought to unit length."""
    raw = np.array(vectors, dtype=np.float32)
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    return Templates(unit, np.arange(len(raw)), np.linspace(0.1, 0.2, len(raw)), ())


def numbers(*values: int) -> Numbers:
    return np.array(values, dtype=np.int64)


def pairs(*labelled: tuple[int, int, bool]) -> Pairs:
    return Pairs(
        numbers(*(one for one, _, _ in labelled)),
        numbers(*(other for _, other, _ in labelled)),
        np.array([same for _, _, same in labelled]),
    )


class ColourAnalyser:
    """Takes a picture's mean colour for its embedding, and a black picture for one without a
    face: what it says can be worked out by hand."""

    space = EmbeddingSpace("Colour", 3, "0" * 64, "skip", Alignment.NATIVE, THRESHOLD)

    def __init__(self) -> None:
        self.detected = 0

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        assert not thorough, "probes are not searched thoroughly"
        self.detected += 1
        height, width = picture.shape[:2]
        large = DetectedFace(Box(0, 0, width, height), 1.0)
        small = DetectedFace(Box(0, 0, 1, 1), 1.0)
        return (large, small) if picture.any() else ()

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        box = face.box
        mean = picture[: box.height, : box.width].mean(axis=(0, 1))
        unit: Embedding = (mean / np.linalg.norm(mean)).astype(np.float32)
        return unit

    def close(self) -> None: ...


def save(path: Path, colour: tuple[int, int, int]) -> Photograph:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path, "PNG")
    return Photograph(path.name, path)


def colour_labels(folder: Path) -> Labels:
    """Three reds and two blues of two people, and a green one."""
    colours = [(250, 10, 10), (240, 30, 20), (200, 60, 0), (10, 10, 250), (60, 0, 240), (0, 250, 0)]
    photographs = tuple(
        save(folder / f"{number}.png", colour) for number, colour in enumerate(colours)
    )
    people = numbers(0, 0, 0, 1, 1, 2)
    return Labels(photographs, pairs_among(people), people, "colours")
