"""Run by test_tensorflow.py in a process of its own: FOLDER PICTURE.npy MODEL...

For each model generates weights of its true Keras architecture, adds them as a user would, and
prints as JSON how our embedding on each engine compares with DeepFace's own.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from service.domain.embeddings import Embedding, unit
from service.errors import WeightsInvalid
from service.ports import FaceAnalyser, Picture
from service.vision import add, load_analyser
from service.vision.deepface_library import loading
from service.vision.native_analyser import NativeAnalyser
from service.vision.native_inputs import NATIVE_INPUTS
from tests.vision.keras_networks import generate

ENGINES = ("auto", "tensorflow")


def refused(model: str, path: Path, home: Path) -> bool:
    try:
        add(model, path, home, lambda done, total: None)
    except WeightsInvalid:
        return not any((home / ".deepface" / "weights").iterdir())
    return False


def load(model: str, home: Path, engine: str, detector: str) -> FaceAnalyser:
    return load_analyser(
        model, detector=detector, alignment=None, engine=engine, home=home, workers=2, timeout_s=5
    )


def round_trip(model: str, home: Path, picture: Picture) -> dict[str, Any]:
    home.mkdir()
    generated = home / "generated.h5"
    generate(model, home).save_weights(str(generated))
    damaged = home / "damaged.h5"
    damaged.write_bytes(generated.read_bytes()[: generated.stat().st_size // 2])
    report: dict[str, Any] = {"damaged_refused": refused(model, damaged, home)}
    add(model, generated, home, lambda done, total: None)
    theirs = represent(model, home, picture)
    for engine in ENGINES:
        analyser = load(model, home, engine, "opencv")
        ours = analyser.embed(picture, analyser.detect(picture)[0])
        report[engine] = float(ours @ theirs)
        report[f"{engine} sha256"] = analyser.space.weights_sha256
    if model in NATIVE_INPUTS:
        report |= native(model, home, picture)
    return report


def native(model: str, home: Path, picture: Picture) -> dict[str, float]:
    """How our embeddings compare with the Keras network's own of the chip as it was trained."""
    analysers = {engine: load(model, home, engine, "dlib") for engine in ENGINES}
    keras = analysers["tensorflow"]
    assert isinstance(keras, NativeAnalyser)
    face = keras.detect(picture)[0]
    given = NATIVE_INPUTS[model]
    network = keras._recogniser.network
    vector = network(given.prepare(given.cut(picture, face, "dlib")), training=False).numpy()[0]
    theirs = unit(vector, vector.size)
    return {
        f"{engine} native": float(analyser.embed(picture, analyser.detect(picture)[0]) @ theirs)
        for engine, analyser in analysers.items()
    }


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
