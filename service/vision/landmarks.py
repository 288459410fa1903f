"""Five points of a face, from whatever each detector calls them.

Left and right are the person's own: in an upright photograph that is not mirrored the right eye
lies on the picture's left.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.domain.faces import Point

FIVE_POINT_DETECTORS = ("dlib", "mtcnn", "yunet", "retinaface", "centerface")
"""Detectors that find five points in every face; opencv sometimes finds eyes, ssd finds none."""


class Landmarks(NamedTuple):
    """Eye centres, tip of the nose and corners of the mouth."""

    right_eye: Point
    left_eye: Point
    nose: Point
    mouth_right: Point
    mouth_left: Point


class DlibLandmarks(NamedTuple):
    """The five points of dlib's predictor, in its order: corners of the eyes, base of the nose."""

    left_eye_outer: Point
    left_eye_inner: Point
    right_eye_outer: Point
    right_eye_inner: Point
    nose_base: Point


def named(points: Sequence[Point], detector: str) -> dict[str, Point]:
    """The landmarks of a `DetectedFace` by their names; empty where the detector found none."""
    if len(points) == 2:  # DeepFace's eyes
        return dict(zip(("left_eye", "right_eye"), points, strict=True))
    if len(points) != 5:
        return {}
    names = DlibLandmarks._fields if detector == "dlib" else Landmarks._fields
    return dict(zip(names, points, strict=True))


def from_row(values: Sequence[float]) -> Landmarks:
    """YuNet and CenterFace: ten numbers, x and y of the right eye, the left eye, the nose, the
    right and the left corner of the mouth (OpenCV's `FaceDetectorYN::detect`, DeepFace's
    `CenterFace.py`)."""
    x_y = [float(value) for value in values]
    return Landmarks(*zip(x_y[0:10:2], x_y[1:10:2], strict=True))


def from_mtcnn(keypoints: Mapping[str, Sequence[float]]) -> Landmarks:
    """MTCNN's left and right are the observer's, so they are swapped here."""
    return Landmarks(
        right_eye=_point(keypoints["left_eye"]),
        left_eye=_point(keypoints["right_eye"]),
        nose=_point(keypoints["nose"]),
        mouth_right=_point(keypoints["mouth_left"]),
        mouth_left=_point(keypoints["mouth_right"]),
    )


def from_retinaface(points: Mapping[str, Sequence[float]]) -> Landmarks:
    """RetinaFace names them as we do."""
    return Landmarks(**{name: _point(points[name]) for name in Landmarks._fields})


def _point(values: Sequence[float]) -> Point:
    return (float(values[0]), float(values[1]))
