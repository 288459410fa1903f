"""DeepFace's models loaded for an engine, once that agrees with DeepFace's own call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.vision.agreement import Candidate, Vectors, lowest_cosine, require_agreement
from service.vision.catalogue import ModelSpec
from service.vision.conversion import convert
from service.vision.engines import TENSORFLOW
from service.vision.recognisers import Recogniser, load_recogniser, load_reference
from service.vision.threads import ThreadBudget
from service.vision.weights import Weights


def agreeing_recogniser(
    spec: ModelSpec,
    engine: str,
    weights: Weights,
    *,
    deepface: Path,
    home: Path,
    budget: ThreadBudget,
) -> Recogniser:
    """The model on that engine, tried out, and checked now or before.

    Args:
        weights: lie at their place below `deepface`, a DeepFace home.
        home: FACEMATCH_HOME, where the agreement is kept.

    Raises:
        WeightsInvalid: the file is damaged, or not this model's, or the engine does not agree.
        EngineUnavailable: the engine, or a package that the model needs, is not installed.
    """
    program = _program(spec, engine, weights, deepface, home)
    recogniser = load_recogniser(spec, engine, program.path, deepface, budget)
    recogniser.try_out()
    candidate = Candidate.of(spec.name, engine, weights.sha256, program.sha256)

    def measure() -> float:
        return lowest_cosine(recogniser.describe_checks(), program.reference())

    require_agreement(candidate, home, measure)
    return recogniser


def reference_vectors(spec: ModelSpec, weights: Weights, *, deepface: Path, home: Path) -> Vectors:
    """What DeepFace's own call gives with these weights; Keras weights are converted for it.

    Raises:
        WeightsInvalid, EngineUnavailable: see `agreeing_recogniser`.
    """
    if weights.file.engine == TENSORFLOW:
        return convert(spec, weights, deepface=deepface, home=home)[0].vectors()
    return _own_vectors(spec, weights, deepface)


@dataclass(frozen=True, slots=True)
class _Program:
    """What an engine is given to run: the weights, or a graph made of them."""

    path: Path
    sha256: str
    reference: Callable[[], Vectors]


def _program(
    spec: ModelSpec, engine: str, weights: Weights, deepface: Path, home: Path
) -> _Program:
    if weights.file.engine == TENSORFLOW != engine:
        conversion, digest = convert(spec, weights, deepface=deepface, home=home)
        return _Program(conversion.graph, digest, conversion.vectors)
    return _Program(weights.path, weights.sha256, lambda: _own_vectors(spec, weights, deepface))


def _own_vectors(spec: ModelSpec, weights: Weights, deepface: Path) -> Vectors:
    return load_reference(spec, weights.file.engine, weights.path, deepface).describe_checks()
