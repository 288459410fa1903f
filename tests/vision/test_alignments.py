"""Points to chips: the geometry, held against other people's code and against hand-made faces."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.transform import SimilarityTransform

from service.domain.faces import Box, DetectedFace, Point
from service.errors import FaceNotDetected
from service.ports import Picture
from service.vision.alignments import (
    DLIB_PLACES,
    TEMPLATE,
    Chip,
    cut,
    dlib_points,
    facenet_chip,
    inverse,
    moved,
    similarity,
    template_chip,
)

from .onnx_graphs import write_graph

BOX = Box(0, 0, 10, 10)


def placement(scale: float, degrees: float, x: float, y: float) -> NDArray[np.float64]:
    """From the template's chip to a picture."""
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed: NDArray[np.float64] = np.column_stack([turn, [x, y]])
    return placed


def dotted(points: Sequence[Point], radius: float) -> Picture:
    """A black picture with a bright round dot at each point, brightest in its middle."""
    y, x = np.mgrid[0:900, 0:900]
    dots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2)) for px, py in points]
    bright = np.rint(255 * np.clip(sum(dots), 0, 1)).astype(np.uint8)
    return np.repeat(bright[:, :, np.newaxis], 3, axis=2)


def dot_near(chip: Chip, place: Point) -> NDArray[np.float64]:
    """The middle of the brightness within 7 pixels of a place."""
    y, x = np.mgrid[0 : chip.shape[0], 0 : chip.shape[1]]
    weight = chip[:, :, 0] * (np.hypot(x - place[0], y - place[1]) < 7)
    middle: NDArray[np.float64] = np.array([np.sum(x * weight), np.sum(y * weight)])
    return middle / float(weight.sum())


@pytest.mark.parametrize("places", [TEMPLATE, DLIB_PLACES], ids=["five points", "dlib"])
@pytest.mark.parametrize(
    ("scale", "degrees", "x", "y"),
    [
        (1.0, 0, 200, 300),
        (1.7, 25, 300.4, 200.7),
        (0.6, -40, 400, 500),
        (2.6, 8, 250, 200),
        (6.5, -12, 60, 180),
    ],
)
def test_the_points_of_a_turned_scaled_and_shifted_face_come_to_their_places(
    places: tuple[Point, ...], scale: float, degrees: float, x: float, y: float
) -> None:
    points = moved(placement(scale, degrees, x, y), places)
    face = DetectedFace(BOX, 1.0, points)
    detector = "dlib" if places is DLIB_PLACES else "yunet"
    chip = template_chip(dotted(points, max(1.0, 1.5 * scale)), face, detector)
    assert chip.shape == (112, 112, 3)
    for place in places:
        assert np.hypot(*(dot_near(chip, place) - place)) < 0.5


def test_the_estimate_is_scikit_images() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        points = random.uniform(0, 4000, (5, 2))
        ours = similarity([(float(x), float(y)) for x, y in points], TEMPLATE)
        theirs = SimilarityTransform.from_estimate(points, np.asarray(TEMPLATE))
        np.testing.assert_allclose(ours, theirs.params[:2], atol=1e-6)


@pytest.fixture
def opencv(tmp_path: Path) -> cv2.FaceRecognizerSF:
    path = tmp_path / "sface.onnx"
    write_graph(path, input_size=(112, 112), dimension=128, channels_last=False)
    return cv2.FaceRecognizerSF.create(str(path), "")


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.9])
def test_the_chip_is_that_of_opencvs_own_alignment(
    opencv: cv2.FaceRecognizerSF, astronaut: Picture, scale: float
) -> None:
    matrix = placement(scale, 7, 160, 50)
    offsets = np.random.default_rng(1).uniform(-3, 3, (5, 2))  # no face fits the template
    points = np.asarray(moved(matrix, TEMPLATE)) + offsets
    row = np.concatenate([[0, 0, 1, 1], points.ravel(), [1]]).astype(np.float32)[np.newaxis]
    theirs = opencv.alignCrop(astronaut, row)
    face = DetectedFace(BOX, 1.0, tuple((float(x), float(y)) for x, y in points))
    difference = np.abs(template_chip(astronaut, face, "yunet").astype(int) - theirs)
    assert difference.mean() < 0.5
    assert np.percentile(difference, 99) <= 8  # OpenCV rounds a pixel's place to 1/32


def test_a_large_face_is_averaged_not_sampled() -> None:
    rows = np.arange(900) % 2 * 255  # bright and dark lines one pixel wide
    lines = np.repeat(np.repeat(rows[:, np.newaxis], 900, axis=1)[:, :, np.newaxis], 3, axis=2)
    chip = cut(lines.astype(np.uint8), inverse(placement(6, 0, 100, 100)), 112)
    assert np.abs(chip.astype(int) - 127).max() <= 1


def test_what_lies_outside_the_picture_is_black(astronaut: Picture) -> None:
    chip = cut(astronaut, inverse(placement(1, 0, -56, 0)), 112)
    assert not chip[:, :55].any()
    np.testing.assert_array_equal(chip[:, 57:], astronaut[:112, 1:56])


def test_a_face_outside_the_picture_or_in_one_point_is_refused(astronaut: Picture) -> None:
    far = DetectedFace(Box(9000, 9000, 112, 112), 1.0, moved(placement(1, 0, 9000, 9000), TEMPLATE))
    point = DetectedFace(BOX, 1.0, ((5.0, 5.0),) * 5)
    for face in (far, point):
        with pytest.raises(FaceNotDetected):
            template_chip(astronaut, face, "yunet")
        with pytest.raises(FaceNotDetected):
            facenet_chip(astronaut, face, "yunet")


def coordinates(height: int, width: int) -> Picture:
    """Red is a pixel's x and green its y, in units of 4 pixels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x // 4, y // 4, np.zeros_like(x)], axis=2).astype(np.uint8)


def test_facenets_crop_is_mtcnns_box_with_a_quarter_more() -> None:
    # 80 x 120 around (500, 400) becomes 100 x 150: from (450, 325) to (550, 475)
    face = DetectedFace(Box(460, 340, 80, 120), 1.0, TEMPLATE)
    chip = facenet_chip(coordinates(800, 1000), face, "mtcnn")
    assert chip.shape == (160, 160, 3)
    np.testing.assert_allclose(chip[80, [0, -1], 0], [450 / 4, 549 / 4], atol=1)
    np.testing.assert_allclose(chip[[0, -1], 80, 1], [325 / 4, 474 / 4], atol=1)


def test_facenets_crop_ends_where_the_picture_ends() -> None:
    face = DetectedFace(Box(-20, -30, 80, 120), 1.0, TEMPLATE)  # grown: to (70, 105)
    chip = facenet_chip(coordinates(800, 1000), face, "mtcnn")
    assert chip[0, 0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(chip[-1, -1, :2], [69 / 4, 104 / 4], atol=1)


@pytest.mark.parametrize(
    ("detector", "places"), [("yunet", TEMPLATE), ("dlib", DLIB_PLACES)], ids=["yunet", "dlib"]
)
def test_facenets_crop_for_other_detectors_follows_the_points(
    detector: str, places: tuple[Point, ...]
) -> None:
    # MTCNN_BOX is 78 x 108 around (56, 63.4); at scale 2 and with a quarter more 195 x 270
    # around (312, 326.8)
    face = DetectedFace(BOX, 1.0, moved(placement(2, 0, 200, 200), places))
    chip = facenet_chip(coordinates(800, 1000), face, detector)
    np.testing.assert_allclose(chip[80, [0, -1], 0], [214.5 / 4, 409.5 / 4], atol=1.1)
    np.testing.assert_allclose(chip[[0, -1], 80, 1], [191.8 / 4, 461.8 / 4], atol=1.1)


def test_dlibs_points_are_its_own_or_lie_between_others() -> None:
    own = DetectedFace(BOX, 1.0, DLIB_PLACES)
    assert dlib_points(own, "dlib") == DLIB_PLACES
    matrix = placement(3, 20, 50, 60)
    other = DetectedFace(BOX, 1.0, moved(matrix, TEMPLATE))
    np.testing.assert_allclose(dlib_points(other, "mtcnn"), moved(matrix, DLIB_PLACES))
