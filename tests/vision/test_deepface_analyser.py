"""`alignment=deepface` gives the vectors that DeepFace itself gives."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.domain.embeddings import Alignment, Embedding, unit
from service.domain.faces import Box, DetectedFace
from service.errors import (
    EngineUnavailable,
    FaceNotDetected,
    SettingsInvalid,
    WeightsInvalid,
    WeightsMissing,
)
from service.ports import FaceAnalyser, Picture
from service.vision import detectors, load_analyser
from service.vision.dlib_files import LANDMARKS_FILE, RECOGNITION_FILE, packaged

from .onnx_graphs import write_graph

NEARLY_ONE = 0.9999


def load(model: str, detector: str, home: Path, engine: str = "auto") -> FaceAnalyser:
    return load_analyser(
        model,
        detector=detector,
        alignment=Alignment.DEEPFACE,
        engine=engine,
        home=home,
        workers=1,
        timeout_s=5,
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DeepFace home with the dlib files that DeepFace would have downloaded."""
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    for name in (LANDMARKS_FILE, RECOGNITION_FILE):
        (folder / name).symlink_to(packaged(name))
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "onnx")
    monkeypatch.setenv("DEEPFACE_LOG_LEVEL", "100")
    return tmp_path


def represent(
    picture: Picture, model: str, detector: str
) -> list[tuple[tuple[int, int], Embedding]]:
    """What `DeepFace.represent` says, largest face first: width, height and unit vector."""
    with warnings.catch_warnings():  # importing it switches all warnings off
        from deepface import DeepFace
        from deepface.modules import modeling

    # it keeps one model of each name for the process, and so another test's weights
    getattr(modeling, "cached_models", {}).get("facial_recognition", {}).clear()
    found: list[dict[str, Any]] = DeepFace.represent(
        np.ascontiguousarray(picture[:, :, ::-1]), model_name=model, detector_backend=detector
    )
    sized = [
        ((face["facial_area"]["w"], face["facial_area"]["h"]), np.asarray(face["embedding"]))
        for face in found
    ]
    sized.sort(key=lambda item: item[0][0] * item[0][1], reverse=True)
    return [(size, unit(raw, raw.size)) for size, raw in sized]


def assert_equal_to_deepface(analyser: FaceAnalyser, picture: Picture) -> None:
    expected = represent(picture, analyser.space.model, analyser.space.detector)
    faces = analyser.detect(picture)
    assert len(faces) == len(expected)
    for face, (_, vector) in zip(faces, expected, strict=True):
        assert float(analyser.embed(picture, face) @ vector) >= NEARLY_ONE


@pytest.mark.parametrize("detector", ["dlib", "opencv", "skip"])
def test_dlib_equals_deepface_on_real_photographs(
    detector: str, home: Path, grace: Picture, astronaut: Picture
) -> None:
    analyser = load("Dlib", detector, home)
    for picture in (grace, astronaut):
        assert_equal_to_deepface(analyser, picture)


@pytest.mark.parametrize("detector", ["dlib", "opencv"])
def test_a_face_at_the_pictures_edge_equals_deepface(
    detector: str, home: Path, astronaut: Picture
) -> None:
    # the face lies at 170..280 x 65..175; the cut goes close to it on two sides
    assert_equal_to_deepface(load("Dlib", detector, home), astronaut[60:400, 165:480])


@pytest.mark.parametrize(
    ("model", "channels_last"), [("ArcFace", True), ("SFace", False), ("DeepID", True)]
)
def test_onnx_models_equal_deepface(
    model: str, channels_last: bool, home: Path, grace: Picture
) -> None:
    from service.vision import find_model

    spec = find_model(model)
    write_graph(
        home / ".deepface" / "weights" / spec.weights[0].name,
        input_size=spec.input_size,
        dimension=spec.dimension,
        channels_last=channels_last,
    )
    analyser = load(model, "opencv", home)
    assert analyser.space.dimension == spec.dimension
    assert_equal_to_deepface(analyser, grace)


@pytest.mark.parametrize("detector", ["dlib", "opencv"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (15, 400), (400, 1), (20, 20), (90, 700)])
def test_a_picture_without_a_face_gives_no_face(
    detector: str, height: int, width: int, tmp_path: Path
) -> None:
    picture = np.full((height, width, 3), 90, dtype=np.uint8)
    assert load("Dlib", detector, tmp_path).detect(picture) == ()


def test_skip_takes_the_whole_picture_for_the_face(tmp_path: Path, grace: Picture) -> None:
    (face,) = load("Dlib", "skip", tmp_path).detect(grace)
    assert face.box == Box(0, 0, 512, 600)


def test_a_face_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    analyser = load("Dlib", "skip", tmp_path)
    line = np.zeros((1, 1000, 3), dtype=np.uint8)
    with pytest.raises(FaceNotDetected):
        analyser.embed(line, DetectedFace(Box(0, 0, 1000, 1), 0.0))


def test_the_space_differs_from_the_native_one(tmp_path: Path, dlib_native: FaceAnalyser) -> None:
    space = load("Dlib", "dlib", tmp_path).space
    assert space.weights_sha256 == dlib_native.space.weights_sha256
    assert not space.serves(dlib_native.space)
    assert space.default_threshold == 0.93


@pytest.mark.parametrize("detector", ["yunet", "ssd", "centerface", "retinaface"])
def test_a_detector_without_its_file_says_where_to_get_and_put_it(
    detector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detectors, "prepare_tensorflow", lambda: None)
    with pytest.raises(WeightsMissing, match="https://") as raised:
        load("Dlib", detector, tmp_path)
    assert str(tmp_path / ".deepface" / "weights") in str(raised.value)


def test_a_detector_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.vision import deepface_library

    monkeypatch.setattr(deepface_library, "find_spec", lambda _: None)
    with pytest.raises(EngineUnavailable, match="pip install mtcnn"):
        load("Dlib", "mtcnn", tmp_path)
    with pytest.raises(EngineUnavailable, match=r"facematch\[tensorflow\]"):
        load("Dlib", "retinaface", tmp_path)


def test_a_detector_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="DETECTOR: there is no 'eyes'"):
        load("Dlib", "eyes", tmp_path)


@pytest.mark.parametrize("detector", ["yunet", "ssd", "centerface"])
def test_a_damaged_detector_file_is_refused(detector: str, tmp_path: Path) -> None:
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    for name, _, _ in detectors.FILES[detector]:
        (folder / name).write_bytes(b"damaged")
    with pytest.raises(WeightsInvalid, match=f"Detector {detector}"):
        load("Dlib", detector, tmp_path)


def test_a_detector_that_finds_no_eyes_equals_deepface(
    home: Path, astronaut: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ssd does; its weights are not here, so a box of a real face stands for its answer."""
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules import modeling

    from service.vision import deepface_analyser

    class Eyeless:
        def detect_faces(self, picture: Picture) -> list[Any]:
            return [FacialAreaRegion(x=432, y=322, w=97, h=97, confidence=0.9)]

    real = detectors.load_detector
    monkeypatch.setattr(
        deepface_analyser,
        "load_detector",
        lambda name, root: Eyeless() if name == "ssd" else real(name, root),
    )
    analyser = load("Dlib", "ssd", home)
    modeling.build_model("face_detector", "opencv")
    monkeypatch.setitem(modeling.cached_models["face_detector"], "ssd", Eyeless())
    (face,) = analyser.detect(astronaut)
    assert len(face.landmarks) == 2
    assert_equal_to_deepface(analyser, astronaut)
