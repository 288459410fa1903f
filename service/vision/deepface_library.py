"""The installed DeepFace: its classes found, kept quiet, and pointed at our weights folder.

`deepface.DeepFace` is never imported: it picks one engine for the whole process, imports
TensorFlow when that is installed, and switches every Python warning off. The classes that it
would use are imported by name instead.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Any

from service.errors import EngineUnavailable
from service.vision.engines import ONNXRUNTIME, TENSORFLOW

_ENGINE_KEYS = {ONNXRUNTIME: "onnx", TENSORFLOW: "tensorflow"}
_loading = RLock()


@contextmanager
def loading(home: Path) -> Iterator[None]:
    """DeepFace finds its weights below `home` inside this block; one thread at a time.

    DeepFace knows its folder only from the environment of the whole process.
    """
    with _loading:
        before = os.environ.get("DEEPFACE_HOME")
        os.environ["DEEPFACE_HOME"] = str(home)
        # its logger prints to stdout; 100 lies above every level
        os.environ.setdefault("DEEPFACE_LOG_LEVEL", "100")
        try:
            yield
        finally:
            if before is None:
                del os.environ["DEEPFACE_HOME"]
            else:
                os.environ["DEEPFACE_HOME"] = before


def find_class(task: str, name: str, engine: str) -> Any:
    """DeepFace's class for a model ("facial_recognition") or a detector ("face_detector").

    Raises:
        EngineUnavailable: DeepFace has no such class for this engine, or a package is missing.
    """
    from deepface.modules.modeling import ANY, AVAILABLE_MODELS

    sources = AVAILABLE_MODELS[task][name]
    source = sources.get(_ENGINE_KEYS.get(engine, ANY)) or sources.get(ANY)
    if source is None:
        raise EngineUnavailable(f"DeepFace cannot run {name} on {engine}.")
    module, _, class_name = source.rpartition(".")
    if engine == TENSORFLOW:
        prepare_tensorflow()
    return getattr(import_module(module), class_name)


def prepare_tensorflow() -> None:
    """Settings that TensorFlow reads once, when it is imported. Raises as `require_tensorflow`."""
    require_tensorflow()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def require_tensorflow() -> None:
    """Raises EngineUnavailable when TensorFlow, or the Keras 2 that DeepFace needs on it, is not
    installed; imports nothing."""
    for package in ("tensorflow", "tf_keras"):
        require(package, "pip install 'facematch[tensorflow]'")


def require(package: str, remedy: str) -> None:
    """Raises EngineUnavailable when the package is not installed; imports nothing."""
    if find_spec(package) is None:
        raise EngineUnavailable(f"{package} is not installed: {remedy}")
