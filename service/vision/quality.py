"""How well a face can be seen, measured on the picture and the detector's points."""

import math
from dataclasses import replace

import numpy as np

from service.domain.faces import DetectedFace, Point, Quality
from service.ports import Picture

GREY_SIDE = 112
"""The face's box is brought to this side, that of most models' chip, before it is judged: the
Laplacian of a larger picture of the same face is smaller."""


def rated(picture: Picture, face: DetectedFace, detector: str) -> DetectedFace:
    """The face with its quality.

    The measure of sharpness is Pech-Pacheco and others, Diatom autofocusing in brightfield
    microscopy, ICPR 2000. A box that lies outside the picture has sharpness and brightness 0.
    """
    box = face.box
    sharpness, brightness = _grey(picture, face)
    eyes, nose = _features(face, detector)
    return replace(
        face,
        quality=Quality(
            size=round(math.sqrt(max(0, box.area)), 1),
            sharpness=round(sharpness, 1),
            brightness=round(brightness, 1),
            score=round(face.score, 4),
            roll=_roll(*eyes) if eyes else None,
            turn=_turn(*eyes, nose) if eyes and nose else None,
        ),
    )


def _grey(picture: Picture, face: DetectedFace) -> tuple[float, float]:
    import cv2

    box = face.box
    part = picture[
        max(0, box.top) : max(0, box.top + box.height),
        max(0, box.left) : max(0, box.left + box.width),
    ]
    if part.size == 0:
        return 0.0, 0.0
    how = cv2.INTER_AREA if min(part.shape[:2]) > GREY_SIDE else cv2.INTER_LINEAR
    small = cv2.resize(part, (GREY_SIDE, GREY_SIDE), interpolation=how)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(grey.mean())


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


def _turn(right: Point, left: Point, nose: Point) -> float | None:
    along = np.subtract(left, right)
    length = float(np.hypot(*along))
    if length == 0:
        return None
    offset = np.subtract(nose, _middle(right, left))
    return round(float(offset @ along) / length**2, 3)


def _middle(one: Point, other: Point) -> Point:
    return ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
