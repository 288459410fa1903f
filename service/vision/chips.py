"""Chips: an enrolled face by itself, upright, with enough around it for any detector.

Not a model's own input, which no other model could use: a chip is a photograph of one face, of
which every detector and alignment can make its own.
"""

import math

import numpy as np

from service.domain.faces import DetectedFace, Point
from service.ports import Picture
from service.vision.landmarks import named

MARGIN = 0.75
"""Of the box's longer side, on each side: detectors want to see the whole head."""
LONGEST_SIDE = 640
"""In pixels; a larger face is reduced, none is enlarged."""


def chip(picture: Picture, face: DetectedFace, detector: str) -> Picture:
    """The face cut out, shape (side, side, 3), its eyes level where the detector found them; what
    lies beyond the picture is black."""
    import cv2

    box = face.box
    side = max(1.0, (1 + 2 * MARGIN) * max(box.width, box.height))
    size = max(1, min(LONGEST_SIDE, round(side)))
    centre = (box.left + box.width / 2, box.top + box.height / 2)
    turn = cv2.getRotationMatrix2D(centre, _angle(face, detector), size / side)
    turn[:, 2] += size / 2 - np.asarray(centre)
    how = cv2.INTER_AREA if size < side else cv2.INTER_LINEAR
    whole = np.ascontiguousarray(picture)
    if size / side < 0.5:  # warpAffine looks at four pixels only
        factor = size / side
        shown = cv2.resize(whole, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        turn[:, :2] /= factor
        whole = shown
    cut: Picture = cv2.warpAffine(whole, turn, (size, size), flags=how)
    return cut


def _angle(face: DetectedFace, detector: str) -> float:
    """Degrees by which to turn the picture so that the eyes are level."""
    points = named(face.landmarks, detector)
    left, right = _eye(points, "left"), _eye(points, "right")
    if left is None or right is None:
        return 0.0
    # the person's right eye lies on the picture's left
    return math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))


def _eye(points: dict[str, Point], side: str) -> Point | None:
    found = [point for name, point in points.items() if name.startswith(f"{side}_eye")]
    if not found:
        return None
    xs, ys = zip(*found, strict=True)
    return (sum(xs) / len(xs), sum(ys) / len(ys))
