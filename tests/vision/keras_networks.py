"""DeepFace's own Keras networks with generated weights; needs TensorFlow.

Run by test_tensorflow.py in a process of its own: MODEL... For each model prints as JSON how the
vectors of the graph that is made of it compare with the network's own.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from service.vision import find_model
from service.vision.agreement import lowest_cosine
from service.vision.deepface_library import loading, prepare_tensorflow
from service.vision.engines import ONNXRUNTIME, TENSORFLOW
from service.vision.keras_client import CompiledClient
from service.vision.keras_graph import INPUT, build_graph
from service.vision.keras_layers import read_layers
from service.vision.sessions import open_session
from service.vision.threads import ThreadBudget

BUILDERS = {"Facenet": "load_facenet128d_model", "Facenet512": "load_facenet512d_model"}


def generate(model: str, home: Path) -> Any:
    """DeepFace's own function builds the network; only the download and the load are left out.

    No weight is left at 0 or 1, where a mistake would not show.
    """
    prepare_tensorflow()
    file = find_model(model).weights_for(TENSORFLOW)
    assert file is not None
    with loading(home):
        import tensorflow
        from deepface.commons import weight_utils

        tensorflow.keras.utils.set_random_seed(7)
        with (
            patch.object(weight_utils, "download_weights_if_necessary", return_value=""),
            patch.object(weight_utils, "load_model_weights", lambda model, weight_file: model),
        ):
            network = getattr(import_module(file.source), BUILDERS.get(model, "load_model"))()
    random = np.random.default_rng(7)
    for layer in network.layers:
        layer.set_weights([_generated(weight, layer, random) for weight in layer.get_weights()])
    return network


def _generated(weight: Any, layer: Any, random: np.random.Generator) -> Any:
    if type(layer).__name__ == "BatchNormalization":
        return random.uniform(0.8, 1.2, weight.shape)
    if weight.ndim == 1 or weight.shape[:2] == (1, 1) == weight.shape[:-1]:  # bias, or PReLU's
        return random.uniform(0.05, 0.3, weight.shape)
    return weight


def compared(model: str, home: Path) -> dict[str, Any]:
    network = generate(model, home)
    session = open_session(ONNXRUNTIME, build_graph(read_layers(network)), ThreadBudget())
    compiled = CompiledClient(network)
    random = np.random.default_rng(1)
    shape = (1, *network.input_shape[1:])
    faces = [random.random(shape, dtype=np.float32) * 2 - 1, random.random(shape, dtype=np.float32)]
    own = np.stack([network(face, training=False).numpy()[0] for face in faces]).astype(float)
    graph = np.stack([session.run(None, {INPUT: face})[0][0] for face in faces]).astype(float)
    called = np.stack([compiled.forward(face) for face in faces]).astype(float)
    return {
        "graph": lowest_cosine(graph, own),
        "lengths": float(
            np.abs(np.linalg.norm(graph, axis=1) / np.linalg.norm(own, axis=1) - 1).max()
        ),
        "compiled": lowest_cosine(called, own),
        "apart": 1 - lowest_cosine(own[:1], own[1:]),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: compared(name, Path.cwd()) for name in sys.argv[1:]}))
