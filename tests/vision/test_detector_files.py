"""Detectors load files of their true signature, and what is in these becomes a face."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from service.domain.embeddings import Alignment
from service.domain.faces import Box
from service.ports import FaceAnalyser, Picture
from service.vision import load_analyser
from service.vision.detectors import load_detector
from service.vision.landmark_detectors import FivePointSlot
from service.vision.landmarks import Landmarks

from .detector_files import POINTS, SIDE, write_centerface, write_ssd, write_yunet

SCRIPT = Path(__file__).with_name("keras_detectors.py")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    write_centerface(folder / "centerface.onnx")
    write_yunet(folder / "face_detection_yunet_2023mar.onnx")
    write_ssd(folder / "deploy.prototxt", folder / "res10_300x300_ssd_iter_140000.caffemodel")
    return tmp_path


def lit(tile: int) -> tuple[Picture, float, float]:
    """A black picture with one white tile, and the middle of that."""
    picture = np.zeros((256, 320, 3), dtype=np.uint8)
    left, top = 17 * tile, 11 * tile
    picture[top : top + tile, left : left + tile] = 255
    return picture, left + tile / 2, top + tile / 2


@pytest.mark.parametrize(("detector", "tile"), [("centerface", 4), ("yunet", 8)])
def test_a_detector_of_five_points_reads_its_file(detector: str, tile: int, weights: Path) -> None:
    picture, x, y = lit(tile)
    (face,) = FivePointSlot(detector, weights).detect(picture)
    left, top = x - SIDE / 2, y - SIDE / 2
    assert face.box == Box(round(left), round(top), round(SIDE), round(SIDE))
    assert face.score == pytest.approx(1, abs=0.01)
    assert isinstance(face.landmarks, Landmarks)
    for found, (across, down) in zip(face.landmarks, POINTS, strict=True):
        assert found == pytest.approx((left + across * SIDE, top + down * SIDE), abs=0.1)


def test_they_serve_the_native_alignment(weights: Path) -> None:
    for detector, tile in (("centerface", 4), ("yunet", 8)):
        analyser = load_analyser(
            "Dlib",
            detector=detector,
            alignment=None,
            engine="auto",
            home=weights,
            workers=1,
            timeout_s=5,
        )
        assert analyser.space.alignment is Alignment.NATIVE
        picture, _, _ = lit(tile)
        (face,) = analyser.detect(picture, thorough=True)
        assert face.quality is not None
        assert face.quality.size == SIDE
        assert np.linalg.norm(analyser.embed(picture, face)) == pytest.approx(1, abs=1e-6)


def test_ssd_reads_its_two_files(weights: Path) -> None:
    client = load_detector("ssd", weights)
    blue = np.full((200, 400, 3), (245, 10, 10), dtype=np.uint8)  # BGR, as DeepFace gives it
    (face,) = client.detect_faces(blue)
    assert (face.x, face.y, face.w, face.h) == (100, 60, 200, 80)
    assert face.confidence == pytest.approx(245 / 255, abs=0.01)
    assert client.detect_faces(blue[:, :, ::-1]) == []


@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="[tensorflow] is not installed")
def test_detectors_on_keras_load_and_find(
    dlib_native: FaceAnalyser, tmp_path: Path, grace: Picture
) -> None:
    """RetinaFace with generated weights of its true architecture, MTCNN with its own."""
    np.save(tmp_path / "picture.npy", grace)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), str(tmp_path / "picture.npy")],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = cast(dict[str, Any], json.loads(done.stdout))
    assert report["retinaface"] == {"loaded": "RetinaFaceClient", "damaged_refused": True}
    (points,) = report["mtcnn"]
    (face,) = dlib_native.detect(grace)
    corners = np.array(face.landmarks)
    assert points["left_eye"] == pytest.approx(tuple(corners[:2].mean(axis=0)), abs=12)
    assert points["right_eye"] == pytest.approx(tuple(corners[2:4].mean(axis=0)), abs=12)
    assert points["mouth_right"][0] < points["mouth_left"][0]
    assert points["mouth_right"][1] > points["nose"][1]
