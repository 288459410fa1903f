"""Run by test_detector_files.py in a process of its own: FOLDER PICTURE.npy

Loads RetinaFace from a generated file, and MTCNN, whose package brings its weights; prints as JSON
what came of it.
"""

import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from service.errors import WeightsInvalid
from service.vision.deepface_library import loading, prepare_tensorflow
from service.vision.detectors import load_detector
from service.vision.landmark_detectors import FivePointSlot
from service.vision.landmarks import Landmarks


def generate(path: Path, home: Path) -> None:
    """The package's own function builds the network; only the load is left out."""
    prepare_tensorflow()
    with loading(home):
        import tensorflow
        from retinaface.model import retinaface_model

        tensorflow.keras.utils.set_random_seed(7)
        with patch.object(retinaface_model, "load_weights", lambda model: model):
            network = retinaface_model.build_model()
    network.save_weights(str(path))


def retinaface(home: Path) -> dict[str, Any]:
    path = home / ".deepface" / "weights" / "retinaface.h5"
    path.parent.mkdir(parents=True)
    generate(path, home)
    whole = path.read_bytes()
    path.write_bytes(whole[:100_000])
    refused = False
    try:
        load_detector("retinaface", home)
    except WeightsInvalid:
        refused = True
    path.write_bytes(whole)
    loaded = type(load_detector("retinaface", home)).__name__
    return {"loaded": loaded, "damaged_refused": refused}


def mtcnn(home: Path, picture: Path) -> list[dict[str, Any]]:
    faces = FivePointSlot("mtcnn", home).detect(np.load(picture))
    return [face.landmarks._asdict() for face in faces if isinstance(face.landmarks, Landmarks)]


if __name__ == "__main__":
    folder, picture = map(Path, sys.argv[1:3])
    print(json.dumps({"retinaface": retinaface(folder), "mtcnn": mtcnn(folder, picture)}))  # noqa: T201  # the report
