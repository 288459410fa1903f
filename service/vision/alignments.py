"""From a detector's points to the chip that a network was trained to see.

A chip is a square cut-out, shape (side, side, 3), uint8, RGB, 0..255.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.faces import DetectedFace, Point
from service.errors import FaceNotDetected
from service.ports import Picture

Chip = Picture
Matrix = NDArray[np.float64]
"""Shape (2, 3): from (x, y, 1) in one picture to (x, y) in another."""

TEMPLATE_SIDE = 112
TEMPLATE: tuple[Point, ...] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where `Landmarks`, in their order, lie in a chip of 112 x 112: `arcface_src` in InsightFace's
python-package/insightface/utils/face_align.py, the same as in OpenCV's face_recognize.cpp."""

DLIB_PLACES: tuple[Point, ...] = (
    (81.4, 53.8),
    (66.8, 54.5),
    (30.6, 53.8),
    (45.2, 54.5),
    (56.0, 81.2),
)
"""Where `DlibLandmarks` lie in that chip. dlib's five points have no mouth, and the base of the
nose instead of its tip, so these are measured: the medians over 66 faces whose chips were placed
by MTCNN's points, made even on both sides. docs/models.md says how near the chips come."""

MTCNN_BOX = (17.0, 9.4, 95.0, 117.4)
"""Left, top, right and bottom of MTCNN's box in that chip: medians over the same faces."""

FACENET_SIDE, FACENET_MARGIN = 160, 32
"""`--image_size 160 --margin 32` of facenet's align_dataset_mtcnn.py. The margin is counted in
pixels of the chip, as facenet-pytorch does: facenet counted pixels of the photograph, which made
the crop depend on the photograph's size."""


def similarity(points: Sequence[Point], places: Sequence[Point]) -> Matrix:
    """The turn, scale and shift that bring `points` nearest to `places`, by least squares.

    Umeyama, Least-squares estimation of transformation parameters between two point patterns,
    IEEE PAMI 13 (4), 1991, in two dimensions and never mirrored, where the turn and the scale are
    one complex factor.

    Raises:
        FaceNotDetected: the points lie in one place.
    """
    given = np.asarray(points, dtype=np.float64) @ (1, 1j)
    wanted = np.asarray(places, dtype=np.float64) @ (1, 1j)
    around, target = given - given.mean(), wanted - wanted.mean()
    spread = float(np.vdot(around, around).real)
    factor = np.vdot(around, target) / spread if spread > 0 else 0j
    if not np.isfinite(factor) or factor == 0:
        raise FaceNotDetected
    shift = wanted.mean() - factor * given.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def inverse(matrix: Matrix) -> Matrix:
    turned = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turned, -turned @ matrix[:, 2]])


def moved(matrix: Matrix, points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, each as the matrix moves it."""
    places = np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return tuple((float(x), float(y)) for x, y in places)


def cut(picture: Picture, matrix: Matrix, side: int) -> Chip:
    """The chip of that side which `matrix` maps the picture to; black outside the picture.

    Bilinear, as InsightFace's `norm_crop` and OpenCV's `alignCrop`. A face more than twice the
    chip's size is first reduced by averaging whole pixels: bilinear sampling would skip some.

    Raises:
        FaceNotDetected: nothing of the picture lies in the chip.
    """
    import cv2

    left, top, right, bottom = _window(picture, matrix, side)
    window = picture[top:bottom, left:right]
    height, width = window.shape[:2]
    reduction = int(1 / np.hypot(matrix[0, 0], matrix[1, 0]))
    size = (width // max(1, reduction) or 1, height // max(1, reduction) or 1)
    if size != (width, height):
        window = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    x_scale, y_scale = width / size[0], height / size[1]
    # pixel centres lie at half steps
    placed: Matrix = np.array(
        [[x_scale, 0, 0.5 * x_scale - 0.5 + left], [0, y_scale, 0.5 * y_scale - 0.5 + top]]
    )
    whole = np.column_stack([matrix[:, :2] @ placed[:, :2], matrix[:, :2] @ placed[:, 2]])
    whole[:, 2] += matrix[:, 2]
    chip: Chip = cv2.warpAffine(
        np.ascontiguousarray(window), whole, (side, side), flags=cv2.INTER_LINEAR
    )
    return chip


def _window(picture: Picture, matrix: Matrix, side: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of the picture that the chip shows."""
    corners = np.asarray(moved(inverse(matrix), [(0, 0), (side, 0), (0, side), (side, side)]))
    height, width = picture.shape[:2]
    margin = 2 + 1 / np.hypot(matrix[0, 0], matrix[1, 0])
    left, top = np.clip(np.floor(corners.min(axis=0) - margin), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0) + margin), 0, (width, height)).astype(int)
    if left >= right or top >= bottom:
        raise FaceNotDetected
    return int(left), int(top), int(right), int(bottom)


def to_template(face: DetectedFace, detector: str) -> Matrix:
    """From the picture to the chip of 112 x 112.

    Raises:
        FaceNotDetected: the face's points lie in one place.
    """
    return similarity(face.landmarks, DLIB_PLACES if detector == "dlib" else TEMPLATE)


def template_chip(picture: Picture, face: DetectedFace, detector: str) -> Chip:
    """InsightFace's chip, 112 x 112, from the face's five points.

    Raises:
        FaceNotDetected: nothing of the face lies in the picture.
    """
    return cut(picture, to_template(face, detector), TEMPLATE_SIDE)


def facenet_chip(picture: Picture, face: DetectedFace, detector: str) -> Chip:
    """facenet's chip, 160 x 160: MTCNN's box with a margin, upright, cut off where the picture
    ends, and stretched to a square, as facenet's align_dataset_mtcnn.py does.

    Other detectors' boxes hold other parts of a face: for them MTCNN's usual box is placed by the
    five points.

    Raises:
        FaceNotDetected: nothing of the face lies in the picture.
    """
    import cv2

    centre_x, centre_y, width, height = _mtcnn_box(face, detector)
    grown = 0.5 * FACENET_SIDE / (FACENET_SIDE - FACENET_MARGIN)
    left, top = max(0, round(centre_x - grown * width)), max(0, round(centre_y - grown * height))
    right, bottom = round(centre_x + grown * width), round(centre_y + grown * height)
    part = picture[top : max(top, bottom), left : max(left, right)]
    if part.size == 0:
        raise FaceNotDetected
    shrinks = min(part.shape[:2]) > FACENET_SIDE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    chip: Chip = cv2.resize(part, (FACENET_SIDE, FACENET_SIDE), interpolation=how)
    return chip


def _mtcnn_box(face: DetectedFace, detector: str) -> tuple[float, float, float, float]:
    """Its centre's x and y, its width and height, in pixels of the picture."""
    box = face.box
    if detector == "mtcnn":
        return box.left + box.width / 2, box.top + box.height / 2, box.width, box.height
    matrix = to_template(face, detector)
    left, top, right, bottom = MTCNN_BOX
    ((x, y),) = moved(inverse(matrix), [((left + right) / 2, (top + bottom) / 2)])
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # a point names a pixel's middle, a box its edge
    return x + 0.5, y + 0.5, (right - left) / scale, (bottom - top) / scale


def dlib_points(face: DetectedFace, detector: str) -> tuple[Point, ...]:
    """The face's `DlibLandmarks`: its own, or where they usually lie between other five points.

    Raises:
        FaceNotDetected: the face's points lie in one place.
    """
    if detector == "dlib":
        return face.landmarks
    return moved(inverse(to_template(face, detector)), DLIB_PLACES)
