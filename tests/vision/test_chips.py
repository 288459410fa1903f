"""Chips: an enrolled face by itself, of which every model can make its own input again."""

import math
import statistics
from pathlib import Path

import numpy as np
from PIL import Image

from service.domain.faces import Box, DetectedFace
from service.images import ImageLimits, decode, encode
from service.ports import FaceAnalyser, Picture
from service.vision.chips import LONGEST_SIDE, chip
from service.vision.landmarks import named

LIMITS = ImageLimits(10_000_000, 50_000_000)


def turned(picture: Picture, degrees: float) -> Picture:
    image = Image.fromarray(picture)
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True))


def chip_of(analyser: FaceAnalyser, picture: Picture) -> Picture:
    """As it is kept: through its file."""
    face = analyser.detect(picture, thorough=True)[0]
    return decode(encode(chip(picture, face, analyser.space.detector)), LIMITS)


def slope(analyser: FaceAnalyser, picture: Picture) -> float:
    """Degrees that the line through the eyes is off the level."""
    points = named(analyser.detect(picture)[0].landmarks, analyser.space.detector)
    eyes = [
        np.mean([at for name, at in points.items() if name.startswith(f"{side}_eye")], axis=0)
        for side in ("right", "left")
    ]
    across, down = eyes[1] - eyes[0]
    return math.degrees(math.atan2(down, across))


def likeness(analyser: FaceAnalyser, one: Picture, other: Picture) -> float:
    first, second = (
        analyser.embed(picture, analyser.detect(picture, thorough=True)[0])
        for picture in (one, other)
    )
    return float(first @ second)


def test_a_chip_shows_the_one_face_upright(dlib_native: FaceAnalyser, grace: Picture) -> None:
    picture = turned(grace, 20)
    assert abs(slope(dlib_native, picture)) > 10
    kept = chip_of(dlib_native, picture)
    assert kept.shape[0] == kept.shape[1] < min(picture.shape[:2])
    assert len(dlib_native.detect(kept, thorough=True)) == 1
    assert abs(slope(dlib_native, kept)) < 4


def test_a_chip_embeds_as_its_photograph_does(
    dlib_native: FaceAnalyser, grace: Picture, astronaut: Picture
) -> None:
    for picture in (grace, turned(grace, 20), astronaut):
        assert likeness(dlib_native, picture, chip_of(dlib_native, picture)) > 0.97


def test_every_labelled_photograph_s_chip_is_still_the_same_person(
    dlib_native: FaceAnalyser, faces_folder: Path
) -> None:
    """Sampled: each costs two detections."""
    found = []
    for path in sorted((faces_folder / "images").iterdir())[::6]:
        picture = decode(path.read_bytes(), LIMITS)
        found.append(likeness(dlib_native, picture, chip_of(dlib_native, picture)))
    assert min(found) > dlib_native.space.default_threshold
    assert statistics.median(found) > 0.98


def test_a_large_face_is_reduced_and_a_small_one_is_not_enlarged(grace: Picture) -> None:
    large = np.asarray(Image.fromarray(grace).resize((2560, 3000)))
    face = DetectedFace(Box(800, 680, 1080, 1080), score=1.0)
    kept = chip(large, face, "opencv")
    assert kept.shape == (LONGEST_SIDE, LONGEST_SIDE, 3)
    small = chip(grace, DetectedFace(Box(160, 137, 40, 60), score=1.0), "opencv")
    assert small.shape == (150, 150, 3)


def test_what_lies_beyond_the_picture_is_black(grace: Picture) -> None:
    kept = chip(grace, DetectedFace(Box(0, 0, 100, 100), score=1.0), "opencv")
    assert kept[:70, :70].max() == 0
    assert np.array_equal(kept[80:240, 80:240], grace[5:165, 5:165])
