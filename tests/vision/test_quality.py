from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from service.domain.embeddings import Alignment
from service.domain.faces import Box, DetectedFace, Point, Quality
from service.ports import FaceAnalyser, Picture
from service.vision import load_analyser
from service.vision.alignments import DLIB_PLACES, TEMPLATE
from service.vision.quality import rated

BOX = Box(10, 20, 112, 112)
LINES = np.zeros((200, 200, 3), dtype=np.uint8)
LINES[:, ::8] = 200


def quality(
    picture: Picture,
    points: tuple[Point, ...] = TEMPLATE,
    detector: str = "yunet",
    box: Box = BOX,
) -> Quality:
    found = rated(picture, DetectedFace(box, 0.75, points), detector).quality
    assert found is not None
    return found


def test_size_and_score_are_the_boxs_and_the_detectors() -> None:
    found = quality(LINES, box=Box(10, 20, 40, 90))
    assert found.size == 60.0
    assert found.score == 0.75


def test_brightness_is_the_mean_grey_value_of_the_box_alone() -> None:
    picture = np.full((300, 300, 3), 250, dtype=np.uint8)
    picture[20:132, 10:122] = (90, 90, 90)
    assert quality(picture).brightness == 90
    assert quality(picture).sharpness == 0


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    grey = LINES[20:132, 10:122, 0].astype(float)
    rows = np.pad(grey, 1, mode="reflect")
    laplacian = rows[:-2, 1:-1] + rows[2:, 1:-1] + rows[1:-1, :-2] + rows[1:-1, 2:] - 4 * grey
    assert quality(LINES).sharpness == pytest.approx(laplacian.var(), abs=0.1)


def test_blur_lowers_the_sharpness_of_a_real_face(
    dlib_native: FaceAnalyser, astronaut: Picture
) -> None:
    sharpness = []
    for deviation in (0, 1, 2, 4):
        picture = cv2.GaussianBlur(astronaut, (0, 0), deviation) if deviation else astronaut
        (face,) = dlib_native.detect(picture)
        assert face.quality is not None
        sharpness.append(face.quality.sharpness)
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 10 * sharpness[-1]


def turned(points: tuple[Point, ...], degrees: float) -> tuple[Point, ...]:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return tuple((float(x), float(y)) for x, y in np.asarray(points) @ turn.T)


@pytest.mark.parametrize(("points", "detector"), [(TEMPLATE, "yunet"), (DLIB_PLACES, "dlib")])
@pytest.mark.parametrize("degrees", [-100.0, -20.0, 0.0, 35.0])
def test_a_turned_head_has_that_roll_and_looks_ahead(
    points: tuple[Point, ...], detector: str, degrees: float
) -> None:
    found = quality(LINES, turned(points, degrees), detector)
    assert found.roll == pytest.approx(degrees, abs=0.5)
    assert found.turn == pytest.approx(0, abs=0.01)


def test_turn_is_the_noses_way_towards_an_eye() -> None:
    right, left = (100.0, 100.0), (160.0, 100.0)
    mouth = ((110.0, 180.0), (150.0, 180.0))
    assert quality(LINES, (right, left, (160.0, 140.0), *mouth)).turn == 0.5
    assert quality(LINES, (right, left, (115.0, 140.0), *mouth)).turn == -0.25


def test_two_eyes_give_a_roll_and_no_points_neither() -> None:
    left_and_right = ((160.0, 100.0), (100.0, 100.0))
    assert (quality(LINES, left_and_right).roll, quality(LINES, left_and_right).turn) == (0.0, None)
    assert (quality(LINES, ()).roll, quality(LINES, ()).turn) == (None, None)


def test_what_lies_outside_the_picture_or_in_one_point_has_a_quality_too() -> None:
    found = quality(LINES, ((5.0, 5.0),) * 5, box=Box(900, 900, 50, 50))
    assert (found.sharpness, found.brightness, found.turn) == (0, 0, None)
    assert quality(LINES, box=Box(-20, -20, 60, 60)).brightness > 0


def test_every_analyser_rates_its_faces(
    dlib_native: FaceAnalyser, tmp_path: Path, grace: Picture
) -> None:
    deepface = load_analyser(
        "Dlib",
        detector="dlib",
        alignment=Alignment.DEEPFACE,
        engine="auto",
        home=tmp_path,
        workers=1,
        timeout_s=5,
    )
    for analyser in (dlib_native, deepface):
        (face,) = analyser.detect(grace)
        assert face.quality is not None
        assert all(
            np.isfinite(value) for value in asdict(face.quality).values() if value is not None
        )
        assert face.quality.roll is not None
        assert abs(face.quality.roll) < 15


def test_a_mirrored_photograph_turns_the_other_way(
    dlib_native: FaceAnalyser, grace: Picture
) -> None:
    tilted = np.asarray(Image.fromarray(grace).rotate(-10, Image.Resampling.BICUBIC))
    turns = []
    for picture in (tilted, np.ascontiguousarray(tilted[:, ::-1])):
        (face,) = dlib_native.detect(picture)
        assert face.quality is not None
        turns.append((face.quality.roll, face.quality.turn))
    assert turns[0][0] == pytest.approx(-(turns[1][0] or 0), abs=4)
    assert turns[0][1] == pytest.approx(-(turns[1][1] or 0), abs=0.08)
