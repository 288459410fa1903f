from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.measure import blur_effect

from service.domain.embeddings import Alignment
from service.domain.faces import Box, DetectedFace, Point
from service.domain.quality import Quality, check
from service.images import ImageLimits, decode
from service.model_wiring import quality_policy
from service.ports import FaceAnalyser, Picture
from service.settings import Settings
from service.vision import load_analyser
from service.vision.alignments import DLIB_PLACES, TEMPLATE
from service.vision.quality import NOSE_DEPTH, rated

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


def noise(deviation: float, seed: int = 0) -> Picture:
    values = np.random.default_rng(seed).normal(128, deviation, size=(112, 112, 1))
    return np.repeat(np.clip(np.round(values), 0, 255).astype(np.uint8), 3, axis=2)


WHOLE = Box(0, 0, 112, 112)


def test_sharpness_is_what_a_second_blur_takes_of_the_differences() -> None:
    picture = noise(40)
    grey = picture[:, :, 0].astype(float)
    shares = []
    for values in (grey, grey.T):
        rows = np.pad(values, ((0, 0), (4, 4)), mode="reflect")
        blurred = sum(rows[:, k : k + 112] for k in range(9)) / 9
        before, after = np.abs(np.diff(values)), np.abs(np.diff(blurred))
        shares.append(np.maximum(0, before - after).sum() / before.sum())
    assert quality(picture, box=WHOLE).sharpness == pytest.approx(min(shares), abs=0.001)


def test_sharpness_is_ranked_as_by_scikit_image(astronaut: Picture) -> None:
    """Its blur_effect is of the same authors; it takes Sobel's differences."""
    face = np.repeat(cv2.cvtColor(astronaut[70:182, 170:282], cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    pictures = [face] + [cv2.GaussianBlur(face, (0, 0), s) for s in (0.5, 1, 2, 3)]
    ours = [quality(picture, box=WHOLE).sharpness for picture in pictures]
    theirs = [1 - blur_effect(picture[:, :, 0], h_size=9) for picture in pictures]
    assert ours == sorted(ours, reverse=True)
    assert theirs == sorted(theirs, reverse=True)
    assert ours == pytest.approx(theirs, abs=0.2)


def test_weak_light_takes_contrast_and_leaves_the_sharpness(
    dlib_native: FaceAnalyser, astronaut: Picture
) -> None:
    (bright,) = dlib_native.detect(astronaut)
    dark = rated((astronaut * 0.4).astype(np.uint8), bright, "dlib")
    assert bright.quality is not None
    assert dark.quality is not None
    assert dark.quality.brightness == pytest.approx(0.4 * bright.quality.brightness, abs=1)
    assert dark.quality.contrast == pytest.approx(0.4 * bright.quality.contrast, abs=1)
    assert dark.quality.sharpness == pytest.approx(bright.quality.sharpness, abs=0.05)


def test_contrast_is_the_deviation_of_the_grey_values() -> None:
    picture = noise(20)
    assert quality(picture, box=WHOLE).contrast == pytest.approx(picture.std(), abs=0.1)


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
    assert sharpness[0] > 2 * sharpness[-1]


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
    assert found.yaw == pytest.approx(0, abs=2.5)


def test_yaw_follows_the_noses_way_towards_an_eye() -> None:
    right, left = (100.0, 100.0), (160.0, 100.0)
    mouth = ((110.0, 180.0), (150.0, 180.0))
    nose_at_45_degrees = 130 + 60 * NOSE_DEPTH
    assert quality(LINES, (right, left, (nose_at_45_degrees, 140.0), *mouth)).yaw == 45
    assert quality(LINES, (right, left, (260 - nose_at_45_degrees, 140.0), *mouth)).yaw == -45
    assert quality(LINES, (right, left, (130.0, 140.0), *mouth)).yaw == 0


def test_two_eyes_give_a_roll_and_no_points_neither() -> None:
    left_and_right = ((160.0, 100.0), (100.0, 100.0))
    assert (quality(LINES, left_and_right).roll, quality(LINES, left_and_right).yaw) == (0.0, None)
    assert (quality(LINES, ()).roll, quality(LINES, ()).yaw) == (None, None)


def test_what_lies_outside_the_picture_or_in_one_point_has_a_quality_too() -> None:
    found = quality(LINES, ((5.0, 5.0),) * 5, box=Box(900, 900, 50, 50))
    assert (found.sharpness, found.brightness, found.contrast, found.yaw) == (0, 0, 0, None)
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
        turns.append((face.quality.roll, face.quality.yaw))
    assert turns[0][0] == pytest.approx(-(turns[1][0] or 0), abs=4)
    assert turns[0][1] == pytest.approx(-(turns[1][1] or 0), abs=20)


@pytest.mark.timeout(300)
def test_good_photographs_pass_the_rules_of_enrolment(
    dlib_native: FaceAnalyser, faces_folder: Path
) -> None:
    rules = quality_policy(Settings()).enrolment
    limits = ImageLimits(10_000_000, 40_000_000)
    enrolled = 0
    for path in sorted((faces_folder / "images").iterdir()):
        found = dlib_native.detect(decode(path.read_bytes(), limits), thorough=True)
        if len(found) == 1:
            check(found[0].quality, rules)
            enrolled += 1
    assert enrolled == 62
