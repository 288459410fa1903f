"""DeepFace's detectors that find five points of a face, asked for all five.

DeepFace's own classes round the points and pass on the eyes alone, so what they wrap is called
here; their weights, files and thresholds are DeepFace's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from service.domain.faces import DetectedFace
from service.ports import Picture
from service.vision.detectors import SMALLEST_SIDE, load_detector
from service.vision.landmarks import Landmarks, from_mtcnn, from_retinaface, from_row
from service.vision.views import View, search

YUNET_SCORE = 0.9
YUNET_SIDE = 640
RETINAFACE_SCORE = 0.9
CENTERFACE_SCORE = 0.35

Sides = tuple[float, float, float, float]
"""Left, top, width and height of a box in pixels of the view."""

Seen = tuple[Sides, float, Landmarks]
"""A box, a score, and the points in pixels of the view."""


class FivePointSlot:
    """One thread's detector; it has run once when it is built.

    Raises:
        WeightsMissing, WeightsInvalid, EngineUnavailable: see `load_detector`.
    """

    def __init__(self, name: str, home: Path) -> None:
        self._client = load_detector(name, home)
        self._look = _LOOKS[name]
        self.detect(np.zeros((64, 64, 3), dtype=np.uint8))

    def detect(self, picture: Picture, thorough: bool = False) -> list[DetectedFace]:
        """Faces with `Landmarks`; `thorough`: see `views.search`."""
        return search(picture, self._seen, certain_score=0.0, thorough=thorough)

    def _seen(self, view: View) -> list[DetectedFace]:
        if min(view.picture.shape[:2]) < SMALLEST_SIDE:
            return []
        return [
            DetectedFace(view.box(*box), score, Landmarks(*(view.point(*p) for p in points)))
            for box, score, points in self._look(self._client, view.picture)
            if min(box[2:]) >= 1
        ]


def _mtcnn(client: Any, picture: Picture) -> list[Seen]:
    return [
        (_sides(*face["box"]), float(face["confidence"]), from_mtcnn(face["keypoints"]))
        for face in client.model.detect_faces(picture) or ()
    ]


def _yunet(client: Any, picture: Picture) -> list[Seen]:
    """It misses faces in large pictures, so it sees at most 640 pixels, as with DeepFace."""
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, YUNET_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    client.model.setInputSize(size)
    client.model.setScoreThreshold(YUNET_SCORE)
    _, rows = client.model.detect(cv2.resize(_bgr(picture), size))
    rows = np.empty((0, 15)) if rows is None else np.asarray(rows, dtype=np.float64)
    rows[:, 0:14:2] *= width / size[0]
    rows[:, 1:14:2] *= height / size[1]
    return [(_sides(*row[:4]), float(row[14]), from_row(row[4:14])) for row in rows]


def _retinaface(client: Any, picture: Picture) -> list[Seen]:
    from retinaface import RetinaFace

    found = RetinaFace.detect_faces(_bgr(picture), model=client.model, threshold=RETINAFACE_SCORE)
    if not isinstance(found, dict):
        return []
    return [
        (_between(*face["facial_area"]), float(face["score"]), from_retinaface(face["landmarks"]))
        for face in found.values()
    ]


def _centerface(client: Any, picture: Picture) -> list[Seen]:
    """Built anew for every picture, as DeepFace does: its second answer is wrong otherwise."""
    height, width = picture.shape[:2]
    boxes, points = client.build_model().forward(
        _bgr(picture), height, width, threshold=CENTERFACE_SCORE
    )
    return [
        (_between(*box[:4]), float(box[4]), from_row(row))
        for box, row in zip(boxes, points, strict=True)
    ]


_LOOKS: dict[str, Callable[[Any, Picture], list[Seen]]] = {
    "mtcnn": _mtcnn,
    "yunet": _yunet,
    "retinaface": _retinaface,
    "centerface": _centerface,
}


def _sides(left: float, top: float, width: float, height: float) -> Sides:
    return (float(left), float(top), float(width), float(height))


def _between(left: float, top: float, right: float, bottom: float) -> Sides:
    return _sides(left, top, right - left, bottom - top)


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, :, ::-1])
