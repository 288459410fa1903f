"""DeepFace's face detectors, with their weights found before DeepFace would download them."""

from importlib import import_module
from pathlib import Path
from typing import Any

from service.errors import EngineUnavailable, WeightsInvalid, WeightsMissing
from service.vision.deepface_library import find_class, loading, prepare_tensorflow, require
from service.vision.dlib_files import LANDMARKS_FILE, frontal_detector, packaged, read_landmarks
from service.vision.engines import DLIB
from service.vision.sources import constant_addresses

_DETECTION = "deepface.models.face_detection"

SMALLEST_SIDE = 16
"""Pixels. No detector finds a face in less, and some of them fail on a picture of one pixel."""

# file in DeepFace's weights folder, module and constant that name its address
FILES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "yunet": (("face_detection_yunet_2023mar.onnx", f"{_DETECTION}.YuNet", "WEIGHTS_URL"),),
    "centerface": (("centerface.onnx", f"{_DETECTION}.CenterFace", "WEIGHTS_URL"),),
    "ssd": (
        ("deploy.prototxt", f"{_DETECTION}.Ssd", "MODEL_URL"),
        ("res10_300x300_ssd_iter_140000.caffemodel", f"{_DETECTION}.Ssd", "WEIGHTS_URL"),
    ),
    "retinaface": (("retinaface.h5", "retinaface.model.retinaface_model", "WEIGHTS_URLS"),),
}


def load_detector(name: str, home: Path) -> Any:
    """One of DeepFace's detectors. Not safe to share between threads.

    Raises:
        WeightsMissing: a file of it is not there; the message says where to get and put it.
        WeightsInvalid: a file of it is damaged.
        EngineUnavailable: a package that it needs is not installed.
    """
    _require_packages(name)
    for file in FILES.get(name, ()):
        _require_file(name, *file, home)
    with loading(home):
        build = find_class("face_detector", name, DLIB)
        if name == "dlib":
            return _dlib_client(build)
        try:
            return _centerface_client(build, home) if name == "centerface" else build()
        except Exception as error:  # OpenCV, Keras and onnxruntime each have errors of their own
            raise _refusal(name, error) from error


def _refusal(name: str, error: Exception) -> EngineUnavailable | WeightsInvalid:
    """DeepFace's own errors guess at the reason; what caused them tells it."""
    cause = error.__cause__ or error
    kind = EngineUnavailable if isinstance(cause, ImportError) else WeightsInvalid
    return kind(f"Detector {name} cannot be loaded: {cause}")


def _require_packages(name: str) -> None:
    if name == "mtcnn":
        require("mtcnn", "pip install mtcnn 'facematch[tensorflow]'")
    if name in ("mtcnn", "retinaface"):
        prepare_tensorflow()


def _require_file(detector: str, file: str, module: str, constant: str, home: Path) -> None:
    path = _path_of(file, home)
    if not path.is_file():
        urls = " or ".join(constant_addresses(module, constant))
        raise WeightsMissing(
            f"A file of detector {detector} is missing: {path}. Get it from {urls} "
            "and put it there, or use the detector dlib, which needs no download."
        )


def _centerface_client(build: Any, home: Path) -> Any:
    """DeepFace's CenterFace around our file: it reads the file anew for every picture."""
    client = build()
    network = import_module(build.__module__).CenterFace
    path = _path_of(FILES["centerface"][0][0], home)
    client.build_model = lambda: network(weight_path=str(path))
    client.build_model()
    return client


def _path_of(file: str, home: Path) -> Path:
    return home / ".deepface" / "weights" / file


def _dlib_client(build: Any) -> Any:
    """DeepFace's dlib detector around our files: its own constructor would download one."""
    client = object.__new__(build)
    client.model = {
        "face_detector": frontal_detector(),
        "sp": read_landmarks(packaged(LANDMARKS_FILE)),
    }
    return client
