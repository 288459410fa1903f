"""Each detector's own output, generated, becomes the same five points."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.domain.faces import Box
from service.errors import EngineUnavailable, WeightsMissing
from service.ports import Picture
from service.vision import deepface_library, landmark_detectors
from service.vision.landmark_detectors import FivePointSlot
from service.vision.landmarks import Landmarks

POINTS = Landmarks((120.0, 150.0), (180.0, 148.0), (151.0, 185.0), (128.0, 220.0), (175.0, 218.0))
"""A person looking at the camera: their right eye lies on the picture's left."""
SHAPE = (400, 600, 3)


class MtCnn:
    """`mtcnn.MTCNN`: left and right as the observer sees them, RGB."""

    def __init__(self) -> None:
        self.seen: Picture | None = None

    def detect_faces(self, picture: Picture) -> list[dict[str, Any]] | None:
        self.seen = picture
        if picture.shape != SHAPE:
            return None
        points = dict(
            zip(("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"), POINTS, strict=True)
        )
        return [{"box": [100, 110, 100, 140], "confidence": 0.99, "keypoints": points}]


class YuNet:
    """`cv2.FaceDetectorYN`: a row of 15 numbers a face, in pixels of what it was given."""

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def setScoreThreshold(self, score: float) -> None:
        self.score = score

    def detect(self, picture: Picture) -> tuple[int, Any]:
        assert picture.shape[:2] == self.size[::-1]
        self.seen = picture
        scale = self.size[0] / 600
        if picture.shape[0] != round(400 * scale):
            return 1, None
        numbers = [100, 110, 100, 140, *np.ravel(POINTS)]
        return 1, np.array([[*(scale * np.array(numbers)), 0.97]], dtype=np.float32)


class CenterFace:
    """DeepFace's `CenterFace`: corners of a box and a score; ten numbers."""

    def forward(self, picture: Picture, height: int, width: int, threshold: float) -> Any:
        self.seen = picture
        if picture.shape != SHAPE:
            return np.empty((0, 5)), np.empty((0, 10))
        return np.array([[100, 110, 200, 250, 0.8]]), np.ravel(POINTS)[np.newaxis]


def retinaface(picture: Picture, model: Any, threshold: float) -> Any:
    model.seen = picture
    if picture.shape != SHAPE:
        return {}
    names = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
    landmarks = {name: list(point) for name, point in zip(names, POINTS, strict=True)}
    return {"face_1": {"score": 0.999, "facial_area": [100, 110, 200, 250], "landmarks": landmarks}}


def client_of(detector: str) -> tuple[Any, Any]:
    """DeepFace's client, and what it wraps."""
    if detector == "centerface":
        network = CenterFace()
        return SimpleNamespace(build_model=lambda: network), network
    model: Any = {"mtcnn": MtCnn, "yunet": YuNet, "retinaface": SimpleNamespace}[detector]()
    return SimpleNamespace(model=model), model


@pytest.fixture(params=["mtcnn", "yunet", "retinaface", "centerface"])
def slot_and_model(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[FivePointSlot, Any]:
    client, model = client_of(request.param)
    monkeypatch.setattr(landmark_detectors, "load_detector", lambda name, home: client)
    if request.param == "retinaface":
        package = SimpleNamespace(RetinaFace=SimpleNamespace(detect_faces=retinaface))
        monkeypatch.setitem(sys.modules, "retinaface", package)
    return FivePointSlot(request.param, tmp_path), model


def test_the_points_are_the_persons_own_left_and_right(
    slot_and_model: tuple[FivePointSlot, Any],
) -> None:
    (face,) = slot_and_model[0].detect(np.zeros(SHAPE, dtype=np.uint8))
    assert isinstance(face.landmarks, Landmarks)
    for name, point in zip(Landmarks._fields, face.landmarks, strict=True):
        assert point == pytest.approx(getattr(POINTS, name), abs=0.01), name
    assert face.box == Box(100, 110, 100, 140)
    assert 0.7 < face.score < 1


def test_the_detector_sees_the_channels_in_its_own_order(
    slot_and_model: tuple[FivePointSlot, Any],
) -> None:
    slot, model = slot_and_model
    picture = np.zeros(SHAPE, dtype=np.uint8)
    picture[:, :, 0] = 200
    slot.detect(picture)
    red = 0 if isinstance(model, MtCnn) else 2
    assert [int(model.seen[:, :, channel].max()) for channel in range(3)] == [
        200 if channel == red else 0 for channel in range(3)
    ]


def test_no_face_is_no_face(slot_and_model: tuple[FivePointSlot, Any]) -> None:
    for shape in ((300, 500, 3), (1, 400, 3), (1, 1, 3)):
        assert slot_and_model[0].detect(np.zeros(shape, dtype=np.uint8)) == []


def test_large_pictures_are_seen_at_a_working_size_and_the_points_brought_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client, _ = client_of("mtcnn")
    monkeypatch.setattr(landmark_detectors, "load_detector", lambda name, home: client)
    slot = FivePointSlot("mtcnn", tmp_path)
    sizes: list[tuple[int, ...]] = []
    points = [(point[0] * 1024 / 3000, point[1] * 1024 / 3000) for point in POINTS]

    def look(_: Any, view: Picture) -> Any:
        sizes.append(view.shape)
        box = tuple(1024 / 3000 * side for side in (600.0, 660.0, 600.0, 840.0))
        return [(box, 0.9, Landmarks(*points))]

    monkeypatch.setattr(slot, "_look", look)
    (face,) = slot.detect(np.zeros((2000, 3000, 3), dtype=np.uint8))
    assert sizes == [(683, 1024, 3)]
    assert face.box == Box(600, 660, 600, 840)
    for found, point in zip(face.landmarks, POINTS, strict=True):
        assert found == pytest.approx(point, abs=1.5)  # 2,000 rows become 683, not 682.7


@pytest.mark.parametrize("detector", ["yunet", "centerface", "retinaface"])
def test_a_missing_file_is_named(
    detector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.vision import detectors

    monkeypatch.setattr(detectors, "prepare_tensorflow", lambda: None)
    with pytest.raises(WeightsMissing, match="https://"):
        FivePointSlot(detector, tmp_path)


def test_a_package_that_lacks_another_one_is_no_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.vision import detectors

    def build() -> Any:
        try:
            raise ModuleNotFoundError("No module named 'cloudpickle'")
        except ModuleNotFoundError as error:
            raise ValueError("You must install mtcnn") from error

    monkeypatch.setattr(detectors, "prepare_tensorflow", lambda: None)
    monkeypatch.setattr(detectors, "require", lambda *_: None)
    monkeypatch.setattr(detectors, "find_class", lambda *_: build)
    with pytest.raises(EngineUnavailable, match="No module named 'cloudpickle'"):
        FivePointSlot("mtcnn", tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepface_library, "find_spec", lambda _: None)
    with pytest.raises(EngineUnavailable, match="pip install mtcnn"):
        FivePointSlot("mtcnn", tmp_path)
