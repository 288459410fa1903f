"""A photographed head turned to the side, by a rough model of its depth.

An ellipsoid with a nose on it, laid over the face by its eyes. It shows what a detector and a
network make of a turned head where there are no photographs of one; up to some 40 degrees the
pictures pass for photographs, beyond that the far side of the face is made up.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from service.domain.faces import DetectedFace
from service.ports import Picture

# in distances of the eyes, from the middle between them: x to the person's left, y down
HALF_WIDTH, HALF_HEIGHT, HALF_DEPTH = 1.15, 1.95, 1.3
CENTRE_Y = 0.25
TOP, BOTTOM = -1.7, 2.2
NOSE_HEIGHT, NOSE_WIDTH, NOSE_TOP, NOSE_TIP = 0.36, 0.17, 0.05, 0.78
AXIS_DEPTH = 0.9
"""The head turns about a vertical line that far behind the eyes."""
SAMPLES = 3
"""Points of the head a pixel, so that the stretched side has no holes."""

Grid = NDArray[np.float64]


class Frame(NamedTuple):
    """Where a face's coordinates lie in the picture: `middle` and the axes in pixels a unit."""

    middle: Grid
    x_axis: Grid
    y_axis: Grid

    def pixels(self, x: Grid, y: Grid) -> Grid:
        place: Grid = self.middle + x[..., None] * self.x_axis + y[..., None] * self.y_axis
        return place


def turned(picture: Picture, face: DetectedFace, degrees: float) -> Picture:
    """The picture with that face turned; `face` has dlib's five points. Positive: to its left."""
    frame = _frame(face)
    x, y, z = _head(float(np.hypot(*frame.x_axis)))
    source = frame.pixels(x, y).astype(np.float32)
    colours = cv2.remap(picture, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    inside = np.isfinite(z)
    across = np.where(inside, x * cosine + (z - AXIS_DEPTH) * sine, 0)
    goal = np.round(frame.pixels(across, y)).astype(int)
    height, width = picture.shape[:2]
    columns, rows = goal[..., 0], goal[..., 1]
    seen = inside & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    nearest_last = np.argsort((z * cosine - x * sine)[seen])
    out = picture.copy()
    out[rows[seen][nearest_last], columns[seen][nearest_last]] = colours[seen][nearest_last]
    return out


def _frame(face: DetectedFace) -> Frame:
    points = np.asarray(face.landmarks)
    left, right = points[:2].mean(axis=0), points[2:4].mean(axis=0)
    x_axis = left - right
    return Frame((left + right) / 2, x_axis, np.array([-x_axis[1], x_axis[0]]))


def _head(pixels: float) -> tuple[Grid, Grid, Grid]:
    """x, y and the depth z, NaN beside the head; `pixels` lie between the eyes."""
    x, y = np.meshgrid(
        np.linspace(-HALF_WIDTH, HALF_WIDTH, int(2 * HALF_WIDTH * pixels * SAMPLES)),
        np.linspace(TOP, BOTTOM, int((BOTTOM - TOP) * pixels * SAMPLES)),
    )
    inside = 1 - (x / HALF_WIDTH) ** 2 - ((y - CENTRE_Y) / HALF_HEIGHT) ** 2
    skull = HALF_DEPTH * np.sqrt(np.where(inside > 0, inside, np.nan))
    ridge = np.clip((y - NOSE_TOP) / (NOSE_TIP - NOSE_TOP), 0, 1)
    below = np.exp(-((np.maximum(0, y - NOSE_TIP) / 0.1) ** 2))
    return x, y, skull + NOSE_HEIGHT * np.exp(-((x / NOSE_WIDTH) ** 2)) * ridge * below
