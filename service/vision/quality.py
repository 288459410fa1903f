"""How well a face can be seen, measured on the picture and the detector's points."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.domain.faces import DetectedFace, Point
from service.domain.quality import Quality
from service.ports import Picture

GREY_SIDE = 112
"""The face's box is brought to this side, that of most models' chip, before it is judged: what a
network sees of a sharp large picture and of a sharp small one is alike."""
BLUR_SIDE = 9
"""Values that are averaged along a row or a column to blur it once more."""
NOSE_DEPTH = 0.235
"""How far the nose lies before the eyes, in distances of the eyes, as detectors place it: 62 heads
turned by up to 40 degrees (benchmarks/heads.py), points of dlib and of MTCNN, gave 0.236 both."""

Greys = NDArray[np.uint8]
"""Shape (112, 112), 0..255."""


def rated(picture: Picture, face: DetectedFace, detector: str) -> DetectedFace:
    """The face with its quality. A box outside the picture is an even black one."""
    greys = _greys(picture, face)
    eyes, nose = _features(face, detector)
    return replace(
        face,
        quality=Quality(
            size=round(math.sqrt(max(0, face.box.area)), 1),
            sharpness=round(_sharpness(greys), 3),
            brightness=round(float(greys.mean()), 1),
            contrast=round(float(greys.std()), 1),
            score=round(face.score, 4),
            roll=_roll(*eyes) if eyes else None,
            yaw=_yaw(*eyes, nose) if eyes and nose else None,
        ),
    )


def _greys(picture: Picture, face: DetectedFace) -> Greys:
    import cv2

    box = face.box
    part = picture[
        max(0, box.top) : max(0, box.top + box.height),
        max(0, box.left) : max(0, box.left + box.width),
    ]
    if part.size == 0:
        return np.zeros((GREY_SIDE, GREY_SIDE), dtype=np.uint8)
    how = cv2.INTER_AREA if min(part.shape[:2]) > GREY_SIDE else cv2.INTER_LINEAR
    small = cv2.resize(part, (GREY_SIDE, GREY_SIDE), interpolation=how)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _sharpness(greys: Greys) -> float:
    """1 less the blur of Crete, Dolmiere, Ladret and Nicolas, The blur effect, SPIE 6492, 2007.

    Blurring once more takes much of the differences between neighbours from a sharp picture, and
    little from a blurred one; that is a share, so weak light does not change it. The less sharp of
    rows and columns counts, which a moved camera blurs unequally.
    """
    values = greys.astype(np.float32)
    return min(_lost(values, 0), _lost(values, 1))


def _lost(values: NDArray[np.float32], axis: int) -> float:
    """The share, 0..1, of the differences along an axis that blurring along it takes away."""
    import cv2

    blurred: NDArray[Any] = cv2.blur(values, (1, BLUR_SIDE) if axis == 0 else (BLUR_SIDE, 1))
    before = np.abs(np.diff(values, axis=axis))
    after = np.abs(np.diff(blurred, axis=axis))
    total = float(before.sum())
    return float(np.maximum(0, before - after).sum()) / total if total else 0.0


def _features(face: DetectedFace, detector: str) -> tuple[tuple[Point, Point] | None, Point | None]:
    """The right and the left eye, and the nose, as far as the detector found them."""
    points = face.landmarks
    if len(points) == 2:  # DeepFace's, the left eye first
        return (points[1], points[0]), None
    if len(points) != 5:
        return None, None
    if detector == "dlib":
        return (_middle(points[2], points[3]), _middle(points[0], points[1])), points[4]
    return (points[0], points[1]), points[2]


def _roll(right: Point, left: Point) -> float:
    return round(math.degrees(math.atan2(left[1] - right[1], left[0] - right[0])), 1)


def _yaw(right: Point, left: Point, nose: Point) -> float | None:
    """From how far the nose lies from the middle between the eyes, along the line through them."""
    along = np.subtract(left, right)
    length = float(np.hypot(*along))
    if length == 0:
        return None
    offset = np.subtract(nose, _middle(right, left))
    shift = float(offset @ along) / length**2
    return round(math.degrees(math.atan(shift / NOSE_DEPTH)), 1)


def _middle(one: Point, other: Point) -> Point:
    return ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
