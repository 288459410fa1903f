"""Dlib with the alignment that it was trained with: five landmarks, a 150 px chip, padding 0.25.

The detector's cost grows with the pixels, so it first sees the picture at a bounded working size,
and larger only when it found nothing. The chip is always cut from the picture as it was given:
on 300 labelled pairs that widened the gap between the lowest genuine and the highest impostor
similarity from 0.0099 to 0.0116, and finding the landmarks again at full size narrowed it to
0.0073, so they are not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.domain.embeddings import Embedding, EmbeddingSpace, unit
from service.domain.faces import Box, DetectedFace, Point
from service.ports import Picture
from service.vision.dlib_engines import ChipNetwork
from service.vision.dlib_files import LANDMARKS_FILE, frontal_detector, packaged, read_landmarks
from service.vision.pool import SlotPool

CHIP_SIZE = 150
CHIP_PADDING = 0.25
DIMENSION = 128

WORKING_SIDES = (1024, 2048, 4096)
"""Longest side, in pixels, of the picture that the detector sees, one after the other until it
finds a face. The detector's window is 80 px, so these find faces of about a 13th, 26th and 51st
of the longer side."""
CERTAIN_SCORE = 0.2
"""Detections below it count only where no view shows a certain one: in a montage of two portraits
the detector saw a third face, with 0.05, in a sleeve; the lowest score of a real face among 64
photographs is 0.35."""
LARGEST_ENLARGEMENT = 2.0
"""Small pictures are enlarged at most this much: beyond it the detector sees blur."""


class DlibSlot:
    """One thread's detector and landmarks; the detector has run once when it is built."""

    def __init__(self) -> None:
        import dlib

        self._dlib = dlib
        self._detector = frontal_detector()
        self._landmarks = read_landmarks(packaged(LANDMARKS_FILE))
        self.detect(_blank_chip())

    def detect(self, picture: Picture, thorough: bool = False) -> list[DetectedFace]:
        """`thorough`: one view more than the first that shows a face, and no doubtful ones."""
        doubtful: list[DetectedFace] = []
        views = _views(picture)
        for view, scale in views:
            found = self._seen(view, scale)
            certain = [face for face in found if face.score >= CERTAIN_SCORE]
            if certain:
                larger = next(views, None) if thorough else None
                return certain + (self._others(*larger, certain) if larger else [])
            doubtful = doubtful or found
        return [] if thorough else doubtful

    def _seen(self, view: Picture, scale: tuple[float, float]) -> list[DetectedFace]:
        rectangles, scores, _ = self._detector.run(view, 0, 0.0)
        return [
            self._face(view, scale, rectangle, score)
            for rectangle, score in zip(rectangles, scores, strict=True)
        ]

    def _others(
        self, view: Picture, scale: tuple[float, float], known: list[DetectedFace]
    ) -> list[DetectedFace]:
        """Faces that only the larger view shows: not inside the box of a known one."""
        return [
            face
            for face in self._seen(view, scale)
            if face.score >= CERTAIN_SCORE and not any(_overlap(face.box, k.box) for k in known)
        ]

    def _face(
        self, view: Picture, scale: tuple[float, float], rectangle: Any, score: float
    ) -> DetectedFace:
        shape = self._landmarks(view, rectangle)
        x_scale, y_scale = scale
        left, top = rectangle.left() / x_scale, rectangle.top() / y_scale
        box = Box(
            round(left),
            round(top),
            round(rectangle.width() / x_scale),
            round(rectangle.height() / y_scale),
        )
        return DetectedFace(
            box,
            float(score),
            tuple(_original(point, x_scale, y_scale) for point in shape.parts()),
        )

    def chip(self, picture: Picture, face: DetectedFace) -> Picture:
        """The face cut out of the picture as it was given, shape (150, 150, 3)."""
        dlib = self._dlib
        box = face.box
        rectangle = dlib.rectangle(
            box.left, box.top, box.left + box.width - 1, box.top + box.height - 1
        )
        points = dlib.points([dlib.point(round(x), round(y)) for x, y in face.landmarks])
        shape = dlib.full_object_detection(rectangle, points)
        chip: Picture = dlib.get_face_chip(picture, shape, size=CHIP_SIZE, padding=CHIP_PADDING)
        return chip


@dataclass(frozen=True, slots=True)
class DlibWorker:
    """What one thread uses at a time. The network may be another worker's too."""

    slot: DlibSlot
    network: ChipNetwork


class DlibAnalyser:
    """`FaceAnalyser` with dlib's detector and alignment. `network` is called once a worker.

    Raises:
        WeightsMissing, WeightsInvalid: dlib's files are not there or not whole.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        network: Callable[[], ChipNetwork],
        *,
        workers: int,
        timeout_s: float,
    ) -> None:
        self._space = space
        self._workers = SlotPool(lambda: _warm(DlibSlot(), network()), workers, timeout_s)

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """All faces, largest first, with five landmarks each; see `FaceAnalyser.detect`."""
        with self._workers.take() as worker:
            found = worker.slot.detect(np.ascontiguousarray(picture), thorough)
        return tuple(sorted(found, key=lambda face: face.box.area, reverse=True))

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The unit vector of one face; see `FaceAnalyser.embed`."""
        with self._workers.take() as worker:
            chip = worker.slot.chip(np.ascontiguousarray(picture), face)
            raw = worker.network.describe(chip)
        return unit(raw, DIMENSION)

    def close(self) -> None:
        """Nothing is held but memory."""


def _warm(slot: DlibSlot, network: ChipNetwork) -> DlibWorker:
    network.describe(_blank_chip())
    return DlibWorker(slot, network)


def _blank_chip() -> Picture:
    return np.zeros((CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)


def _views(picture: Picture) -> Iterator[tuple[Picture, tuple[float, float]]]:
    """The picture at rising sizes, each with its scale against the original in x and y."""
    import cv2

    height, width = picture.shape[:2]
    longest = max(height, width)
    reached = 0
    for side in WORKING_SIDES:
        target = min(side, round(longest * LARGEST_ENLARGEMENT) if reached else longest)
        if target <= reached:
            return
        reached = target
        size = (max(1, round(width * target / longest)), max(1, round(height * target / longest)))
        if size == (width, height):
            yield picture, (1.0, 1.0)
            continue
        how = cv2.INTER_AREA if target < longest else cv2.INTER_LINEAR
        view = cv2.resize(picture, size, interpolation=how)
        yield view, (size[0] / width, size[1] / height)


def _overlap(one: Box, other: Box) -> bool:
    """Whether one box's centre lies in the other."""

    def holds(box: Box, inner: Box) -> bool:
        x, y = inner.left + inner.width / 2, inner.top + inner.height / 2
        return box.left <= x <= box.left + box.width and box.top <= y <= box.top + box.height

    return holds(one, other) or holds(other, one)


def _original(point: Any, x_scale: float, y_scale: float) -> Point:
    """A point of the view in the original's pixels: pixel centres lie at half steps."""
    return ((point.x + 0.5) / x_scale - 0.5, (point.y + 0.5) / y_scale - 0.5)
