from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import service
from service.domain.faces import DetectedFace
from service.ports import FaceAnalyser, Picture
from service.vision.dlib_analyser import DlibAnalyser


def resized(picture: Picture, factor: float) -> Picture:
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def on_canvas(picture: Picture, height: int, width: int, top: int, left: int) -> Picture:
    canvas = np.full((height, width, 3), 128, dtype=np.uint8)
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def only_face(analyser: FaceAnalyser, picture: Picture) -> DetectedFace:
    (face,) = analyser.detect(picture)
    return face


def similarity(analyser: FaceAnalyser, one: Picture, other: Picture) -> float:
    first, second = (
        analyser.embed(picture, only_face(analyser, picture)) for picture in (one, other)
    )
    return float(first @ second)


def test_an_embedding_is_a_float32_vector_of_length_one(
    dlib_native: FaceAnalyser, grace: Picture
) -> None:
    embedding = dlib_native.embed(grace, only_face(dlib_native, grace))
    assert embedding.shape == (128,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-6)


def test_the_space_names_model_detector_alignment_and_weights(dlib_native: FaceAnalyser) -> None:
    space = dlib_native.space
    assert space.describe() == "Dlib, detector dlib, alignment native"
    assert space.dimension == 128
    assert space.weights_sha256 is not None
    assert len(space.weights_sha256) == 64


def test_another_photograph_of_a_person_is_above_the_threshold(
    dlib_native: FaceAnalyser, grace: Picture
) -> None:
    mirrored = np.ascontiguousarray(grace[:, ::-1])
    assert similarity(dlib_native, grace, mirrored) > dlib_native.space.default_threshold
    smaller = resized(grace, 0.6)
    assert similarity(dlib_native, grace, smaller) > dlib_native.space.default_threshold


def test_two_people_are_below_the_threshold(
    dlib_native: FaceAnalyser, grace: Picture, astronaut: Picture
) -> None:
    assert similarity(dlib_native, grace, astronaut) < dlib_native.space.default_threshold


@pytest.mark.parametrize(
    ("height", "width"), [(20, 20), (1, 1), (1, 500), (500, 1), (40, 3000), (3000, 40), (64, 64)]
)
def test_a_picture_without_a_face_gives_no_face(
    dlib_native: FaceAnalyser, height: int, width: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    assert dlib_native.detect(noise) == ()


@pytest.mark.parametrize("factor", [3.0, 5.0])
def test_boxes_and_landmarks_are_in_pixels_of_the_given_picture(
    dlib_native: FaceAnalyser, grace: Picture, factor: float
) -> None:
    small, large = (only_face(dlib_native, p) for p in (grace, resized(grace, factor)))
    assert large.box.width == pytest.approx(small.box.width * factor, rel=0.2)
    assert len(large.landmarks) == 5
    tolerance = 0.05 * large.box.width
    for one, other in zip(small.landmarks, large.landmarks, strict=True):
        assert np.hypot(other[0] - one[0] * factor, other[1] - one[1] * factor) < tolerance


@pytest.mark.parametrize(("height", "width"), [(1600, 3200), (3200, 1600)])
def test_a_face_too_small_for_the_first_look_is_found_by_a_closer_one(
    dlib_native: FaceAnalyser, grace: Picture, height: int, width: int
) -> None:
    picture = on_canvas(resized(grace, 0.8), height, width, 900, 400)
    face = only_face(dlib_native, picture)
    assert 400 < face.box.left < 810
    assert float(
        dlib_native.embed(picture, face) @ dlib_native.embed(grace, only_face(dlib_native, grace))
    ) > (dlib_native.space.default_threshold)


def test_a_small_picture_is_enlarged_when_nothing_was_found(
    dlib_native: FaceAnalyser, grace: Picture
) -> None:
    tiny = resized(grace, 0.3)
    assert max(tiny.shape) < 200
    assert only_face(dlib_native, tiny).box.width < 80


def test_the_largest_face_comes_first(
    dlib_native: FaceAnalyser, grace: Picture, astronaut: Picture
) -> None:
    picture = on_canvas(astronaut, 700, 1024, 0, 0)
    picture[0:600, 512:1024] = grace
    areas = [face.box.area for face in dlib_native.detect(picture, thorough=True)]
    assert len(areas) == 2
    assert areas == sorted(areas, reverse=True)


def test_all_faces_of_a_group_are_found_when_asked_for_and_the_largest_costs_one_look(
    dlib_native: FaceAnalyser, grace: Picture, astronaut: Picture
) -> None:
    group = on_canvas(resized(grace, 2.9), 2400, 4000, 0, 0)
    for factor, left, top in ((2.15, 1800, 100), (1.05, 3200, 1500)):
        somebody = resized(astronaut, factor)
        group[top : top + somebody.shape[0], left : left + somebody.shape[1]] = somebody
    (largest,) = dlib_native.detect(group)
    everybody = dlib_native.detect(group, thorough=True)
    assert everybody[0] == largest
    assert [round(face.box.width, -2) for face in everybody] == [600, 200, 100]
    person = dlib_native.embed(astronaut, only_face(dlib_native, astronaut))
    for found in everybody[1:]:
        assert float(dlib_native.embed(group, found) @ person) > 0.98


def test_the_small_faces_of_a_real_group_are_found(
    dlib_native: FaceAnalyser, faces_folder: Path
) -> None:
    """Seven people, three of them cut off by the picture's edges."""
    with Image.open(faces_folder / "images" / "selfie-many-people.jpg") as image:
        selfie = np.asarray(image.convert("RGB"))
    centres = [(402, 203), (169, 376), (256, 198), (36, 310)]
    # the same beside somebody near to the camera
    crowd = on_canvas(selfie, 1200, 2000, 100, 1080)
    crowd[:, :1000] = resized(selfie[60:260, 310:500], 6)[:1200, :1000]
    for picture, left, top, people in ((selfie, 0, 0, 4), (crowd, 1080, 100, 5)):
        boxes = [face.box for face in dlib_native.detect(picture, thorough=True)]
        assert len(boxes) == people
        for x, y in ((x + left, y + top) for x, y in centres):
            assert any(
                box.left < x < box.left + box.width and box.top < y < box.top + box.height
                for box in boxes
                if box.width < 200
            ), (x, y)


def test_threads_get_the_same_vectors_as_one_thread(
    dlib_native: FaceAnalyser, grace: Picture, astronaut: Picture
) -> None:
    def describe(picture: Picture) -> bytes:
        return dlib_native.embed(picture, only_face(dlib_native, picture)).tobytes()

    pictures = [grace, astronaut] * 8
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(describe, pictures)) == [describe(picture) for picture in pictures]


def test_pictures_that_are_views_of_others_are_understood(
    dlib_native: FaceAnalyser, grace: Picture
) -> None:
    mirrored = grace[:, ::-1]
    assert not mirrored.flags.c_contiguous
    whole = np.ascontiguousarray(mirrored)
    assert dlib_native.detect(mirrored) == dlib_native.detect(whole)


def test_the_model_that_may_not_be_used_commercially_is_never_named() -> None:
    forbidden = "_".join(["68", "face", "landmarks"])
    folder = Path(service.__file__).parent
    named = [path for path in folder.rglob("*.py") if forbidden in path.read_text()]
    assert named == []
    assert "pose_predictor_model" not in "".join(p.read_text() for p in folder.rglob("*.py"))


def test_it_is_the_analyser_of_the_native_alignment(dlib_native: FaceAnalyser) -> None:
    assert isinstance(dlib_native, DlibAnalyser)
