"""`python -m service.vision.keras_export MODEL DEEPFACE_HOME FACEMATCH_HOME FOLDER`.

A process of its own, so that one which serves never loads TensorFlow: DeepFace's Keras network
with its weights becomes FOLDER/graph.onnx, and what DeepFace itself says to `check_chips`
FOLDER/reference.npy. Whether the network agrees when it is compiled is kept on the way. Exits with
`EXIT_WEIGHTS` and one line on stderr if the weights do not fit.
"""

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from service.errors import WeightsInvalid
from service.vision.agreement import Candidate, lowest_cosine, require_agreement
from service.vision.catalogue import find_model
from service.vision.conversion import EXIT_WEIGHTS, GRAPH, REFERENCE
from service.vision.engines import TENSORFLOW
from service.vision.keras_client import CompiledClient
from service.vision.keras_graph import build_graph
from service.vision.keras_layers import read_layers
from service.vision.recognisers import Recogniser, load_reference
from service.vision.weights import file_digest, path_of, weights_for


def export(model: str, deepface: Path, home: Path, folder: Path) -> None:
    """Raises WeightsInvalid when the weights at DeepFace's place below `deepface` do not fit."""
    spec = find_model(model)
    path = path_of(weights_for(spec, TENSORFLOW), deepface)
    reference = load_reference(spec, TENSORFLOW, path, deepface)
    reference.try_out()
    vectors = reference.describe_checks()
    np.save(folder / REFERENCE, vectors)
    (folder / GRAPH).write_bytes(build_graph(read_layers(reference.network)))
    compiled = Recogniser(spec, CompiledClient(reference.network))
    with suppress(WeightsInvalid):  # then TensorFlow says so when it is asked to serve
        require_agreement(
            Candidate.of(spec.name, TENSORFLOW, file_digest(path)),
            home,
            lambda: lowest_cosine(compiled.describe_checks(), vectors),
        )


def main(arguments: list[str]) -> int:
    model, *folders = arguments
    try:
        export(model, *map(Path, folders))
    except WeightsInvalid as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_WEIGHTS
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
