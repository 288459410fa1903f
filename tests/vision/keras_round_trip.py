"""Run by test_tensorflow.py in a process of its own: FOLDER PICTURE.npy MODEL...

For each model generates weights of its true Keras architecture, adds them as a user would, and
prints as JSON how our embedding compares with DeepFace's own.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from service.domain.embeddings import Embedding, unit
from service.errors import WeightsInvalid
from service.ports import Picture
from service.vision import add, find_model, load_analyser
from service.vision.deepface_library import loading, prepare_tensorflow
from service.vision.native_analyser import NativeAnalyser
from service.vision.native_inputs import NATIVE_INPUTS

BUILDERS = {"DeepID": "load_model", "Facenet": "load_facenet128d_model", "ArcFace": "load_model"}


def generate(model: str, path: Path, home: Path) -> None:
    """DeepFace's own function builds the network; only the download and the load are left out."""
    prepare_tensorflow()
    file = find_model(model).weights_for("tensorflow")
    assert file is not None
    with loading(home):
        import tensorflow
        from deepface.commons import weight_utils

        tensorflow.keras.utils.set_random_seed(7)
        with (
            patch.object(weight_utils, "download_weights_if_necessary", return_value=""),
            patch.object(weight_utils, "load_model_weights", lambda model, weight_file: model),
        ):
            network = getattr(import_module(file.source), BUILDERS[model])()
    network.save_weights(str(path))


def refused(model: str, path: Path, home: Path) -> bool:
    try:
        add(model, path, home, lambda done, total: None)
    except WeightsInvalid:
        return not any((home / ".deepface" / "weights").iterdir())
    return False


def round_trip(model: str, home: Path, picture: Picture) -> dict[str, Any]:
    home.mkdir()
    generated = home / "generated.h5"
    generate(model, generated, home)
    damaged = home / "damaged.h5"
    damaged.write_bytes(generated.read_bytes()[: generated.stat().st_size // 2])
    report: dict[str, Any] = {"damaged_refused": refused(model, damaged, home)}
    add(model, generated, home, lambda done, total: None)
    analyser = load_analyser(
        model, detector="opencv", alignment=None, engine="auto", home=home, workers=2, timeout_s=5
    )
    ours = analyser.embed(picture, analyser.detect(picture)[0])
    report["cosine"] = float(ours @ represent(model, home, picture))
    report["sha256"] = analyser.space.weights_sha256
    if model in NATIVE_INPUTS:
        report["native"] = native(model, home, picture)
    return report


def native(model: str, home: Path, picture: Picture) -> float:
    """How our embedding compares with the Keras network's own of the chip as it was trained."""
    analyser = load_analyser(
        model, detector="dlib", alignment=None, engine="auto", home=home, workers=1, timeout_s=5
    )
    assert isinstance(analyser, NativeAnalyser)
    face = analyser.detect(picture)[0]
    given = NATIVE_INPUTS[model]
    network = analyser._recogniser._client.model
    vector = network(given.prepare(given.cut(picture, face, "dlib")), training=False).numpy()[0]
    return float(analyser.embed(picture, face) @ unit(vector, vector.size))


def represent(model: str, home: Path, picture: Picture) -> Embedding:
    os.environ["DEEPFACE_BACKEND_ENGINE"] = "tensorflow"
    with loading(home):
        from deepface import DeepFace

        (found,) = DeepFace.represent(np.ascontiguousarray(picture[:, :, ::-1]), model_name=model)
    vector = np.asarray(found["embedding"])
    return unit(vector, vector.size)


if __name__ == "__main__":
    folder, picture_file, *models = sys.argv[1:]
    reports = {
        model: round_trip(model, Path(folder) / model, np.load(picture_file)) for model in models
    }
    sys.stdout.write(json.dumps(reports))
