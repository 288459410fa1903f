"""What is checked of a weights file when it comes: every engine at hand, and the model's other
file."""

import logging
from pathlib import Path

from service.errors import EngineUnavailable, WeightsInvalid
from service.vision.agreement import SameSpace, compare_files
from service.vision.catalogue import ModelSpec
from service.vision.dlib_agreement import agreeing_network
from service.vision.dlib_engines import ReferenceNetwork
from service.vision.engines import DLIB, GRAPH_ENGINES
from service.vision.model_agreement import agreeing_recogniser, reference_vectors
from service.vision.recognisers import dlib_recogniser
from service.vision.sessions import at_hand
from service.vision.threads import ThreadBudget
from service.vision.weights import Weights, checked_digest, present

log = logging.getLogger(__name__)


def check_engines(
    spec: ModelSpec, engine: str, weights: Weights, *, deepface: Path, home: Path
) -> None:
    """Try the file out, and compare every engine at hand that can run it with the reference.

    `engine` is the one that must agree; of another one that does not, only a warning says so.

    Raises:
        WeightsInvalid: the file is damaged, or not this model's, or the engine does not agree.
        EngineUnavailable: the engine is not installed.
    """
    _check(spec, engine, weights, deepface, home)
    for other in GRAPH_ENGINES:
        if other != engine and at_hand(other):
            try:
                _check(spec, other, weights, deepface, home)
            except (WeightsInvalid, EngineUnavailable) as error:
                log.warning("%s will not run on %s: %s", spec.name, other, error)


def _check(spec: ModelSpec, engine: str, weights: Weights, deepface: Path, home: Path) -> None:
    if not spec.weights_for(DLIB):
        agreeing_recogniser(
            spec, engine, weights, deepface=deepface, home=home, budget=ThreadBudget()
        )
    elif engine == DLIB:
        dlib_recogniser(spec, ReferenceNetwork(weights.path)).try_out()
    else:
        agreeing_network(engine, weights, home=home, budget=ThreadBudget())


def compare_with_others(
    spec: ModelSpec, weights: Weights, *, deepface: Path, others: Path, home: Path
) -> None:
    """Keep that the model's other file is the same embedding space, if that is there and is.

    `weights` lie below the DeepFace home `deepface`, the other file below `others`. Where it is
    not known whether they agree, they are two spaces.
    """
    for file in spec.weights:
        path = present(file, others)
        if file == weights.file or path is None:
            continue
        try:
            other = Weights(file, path, checked_digest(path))
            compare_files(
                SameSpace.of(spec.name, weights.sha256, other.sha256),
                home,
                reference_vectors(spec, weights, deepface=deepface, home=home),
                reference_vectors(spec, other, deepface=others, home=home),
            )
        except (WeightsInvalid, EngineUnavailable) as error:
            log.warning("%s was not compared with %s: %s", weights.path.name, path, error)
