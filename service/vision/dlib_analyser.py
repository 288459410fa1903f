"""Dlib with the alignment that it was trained with: five landmarks, a 150 px chip, padding 0.25.

The chip is always cut from the picture as it was given, whatever size the detector saw:
on 300 labelled pairs that widened the gap between the lowest genuine and the highest impostor
similarity from 0.0099 to 0.0116, and finding the landmarks again at full size narrowed it to
0.0073, so they are not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from service.domain.embeddings import Embedding, EmbeddingSpace, unit
from service.domain.faces import DetectedFace, Point
from service.ports import Picture
from service.vision.alignments import dlib_points
from service.vision.dlib_engines import ChipNetwork
from service.vision.dlib_files import LANDMARKS_FILE, frontal_detector, packaged, read_landmarks
from service.vision.pool import SlotPool
from service.vision.pyramid import Hit, scan, scan_for_largest
from service.vision.quality import rated
from service.vision.views import WORKING_SIDES, View, search

CHIP_SIZE = 150
CHIP_PADDING = 0.25
DIMENSION = 128

CERTAIN_SCORE = 0.2
"""Detections below it count only where no view shows a certain one: in a montage of two portraits
the detector saw a third face, with 0.05, in a sleeve; the lowest score of a real face among 64
photographs is 0.35."""


class FaceFinder(Protocol):
    """One thread's detector."""

    def detect(self, picture: Picture, thorough: bool = False) -> list[DetectedFace]:
        """Faces with five landmarks each; `thorough` as for `FaceAnalyser.detect`."""
        ...


class DlibSlot:
    """One thread's detector and landmarks; the detector has run once when it is built."""

    def __init__(self) -> None:
        self._detector = frontal_detector()
        self._landmarks = read_landmarks(packaged(LANDMARKS_FILE))
        self.detect(_blank_chip())

    def detect(self, picture: Picture, thorough: bool = False) -> list[DetectedFace]:
        """Faces with `DlibLandmarks`; `thorough`: see `views.search`."""
        see = self._seen if thorough else self._largest_seen
        return search(picture, see, certain_score=CERTAIN_SCORE, thorough=thorough)

    def _seen(self, view: View) -> list[DetectedFace]:
        return [self._face(view, hit) for hit in scan(self._detector, view.picture)]

    def _largest_seen(self, view: View) -> list[DetectedFace]:
        """Nothing large is in a view larger than the first: it would have been seen there."""
        if max(view.picture.shape) > WORKING_SIDES[0]:
            return self._seen(view)
        hits = scan_for_largest(self._detector, view.picture, CERTAIN_SCORE)
        return [self._face(view, hit) for hit in hits] or self._seen(view)

    def _face(self, view: View, hit: Hit) -> DetectedFace:
        import dlib

        rectangle = dlib.rectangle(hit.left, hit.top, hit.right, hit.bottom)
        shape = self._landmarks(view.picture, rectangle)
        return DetectedFace(
            view.box(hit.left, hit.top, rectangle.width(), rectangle.height()),
            hit.score,
            tuple(view.point(point.x, point.y) for point in shape.parts()),
        )

    def chip(self, picture: Picture, face: DetectedFace) -> Picture:
        """See `dlib_chip`."""
        return dlib_chip(picture, face.landmarks)


@dataclass(frozen=True, slots=True)
class DlibWorker:
    """What one thread uses at a time. The network may be another worker's too."""

    finder: FaceFinder
    network: ChipNetwork


class DlibAnalyser:
    """`FaceAnalyser` with dlib's alignment. `network` and `finder` are called once a worker.

    Raises:
        WeightsMissing, WeightsInvalid: dlib's files are not there or not whole.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        network: Callable[[], ChipNetwork],
        finder: Callable[[], FaceFinder] = DlibSlot,
        *,
        workers: int,
        timeout_s: float,
    ) -> None:
        self._space = space
        self._workers = SlotPool(lambda: _warm(finder(), network()), workers, timeout_s)

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """Faces, largest first, with five landmarks each; see `FaceAnalyser.detect`."""
        with self._workers.take() as worker:
            whole = np.ascontiguousarray(picture)
            found = worker.finder.detect(whole, thorough)
            faces = [rated(whole, face, self._space.detector) for face in found]
        return tuple(sorted(faces, key=lambda face: face.box.area, reverse=True))

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The unit vector of one face; see `FaceAnalyser.embed`."""
        with self._workers.take() as worker:
            points = dlib_points(face, self._space.detector)
            chip = dlib_chip(np.ascontiguousarray(picture), points)
            raw = worker.network.describe(chip)
        return unit(raw, DIMENSION)

    def close(self) -> None:
        """Nothing is held but memory."""


def dlib_chip(picture: Picture, points: Sequence[Point]) -> Picture:
    """The face cut out of the picture, shape (150, 150, 3), from its `DlibLandmarks`."""
    import dlib

    xs, ys = zip(*points, strict=True)
    box = dlib.rectangle(round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys)))
    parts = dlib.points([dlib.point(round(x), round(y)) for x, y in points])
    chip: Picture = dlib.get_face_chip(
        picture, dlib.full_object_detection(box, parts), size=CHIP_SIZE, padding=CHIP_PADDING
    )
    return chip


def _warm(finder: FaceFinder, network: ChipNetwork) -> DlibWorker:
    network.describe(_blank_chip())
    return DlibWorker(finder, network)


def _blank_chip() -> Picture:
    return np.zeros((CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
