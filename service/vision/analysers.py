"""`load_analyser`: from a model's name to a loaded, warm `FaceAnalyser`."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.ports import FaceAnalyser
from service.vision.agreement import SameSpace, agreed_before
from service.vision.catalogue import ModelSpec, find_model
from service.vision.deepface_analyser import DeepFaceAnalyser
from service.vision.dlib_agreement import load_networks
from service.vision.dlib_analyser import DlibAnalyser, DlibSlot, FaceFinder
from service.vision.engines import DLIB, resolve_engine
from service.vision.landmark_detectors import FivePointSlot
from service.vision.model_agreement import agreeing_recogniser
from service.vision.native_analyser import NativeAnalyser
from service.vision.recognisers import dlib_recogniser
from service.vision.spaces import chosen_alignment
from service.vision.threads import ThreadBudget
from service.vision.weights import Weights, deepface_home, locate


def load_analyser(
    model: str,
    *,
    detector: str | None,
    alignment: Alignment | None,
    engine: str,
    home: Path,
    workers: int,
    timeout_s: float,
    cores: int | None = None,
    weights_sha256: str | None = None,
) -> FaceAnalyser:
    """Load everything that the model needs, and run it once, before returning.

    Args:
        model: a name of the catalogue.
        detector: one of `DETECTORS`; None takes the model's default.
        alignment: None takes the model's default, or deepface where the detector does not find
            the five points that a native alignment needs.
        engine: "auto" or one of `ENGINES`; auto is onnxruntime.
        home: folder that holds `.deepface/weights`, unless DEEPFACE_HOME is set, and what is
            known of the engines' agreement.
        workers: photographs processed at once.
        timeout_s: longest wait for a worker, in seconds; then Overloaded.
        cores: CPU cores that its threads may fill; None: those of this process.
        weights_sha256: of the weights that are wanted, in hex, if others are at hand too. The
            space gets it if the weights taken are those, or were seen to agree with them.

    Raises:
        ModelUnknown: no such model.
        SettingsInvalid: detector or alignment do not exist, or not for this model.
        WeightsMissing: a file is not there; the message says which, and where to put it.
        WeightsInvalid: a file is damaged, not the model's, or not the one checked before, or
            the engine does not give the reference's vectors with it.
        EngineUnavailable: the model cannot run on that engine, or the engine, or a package that
            the model needs, is not installed.
    """
    spec = find_model(model)
    chosen_detector = detector or spec.default_detector
    alignment = chosen_alignment(spec, chosen_detector, alignment)
    threshold = spec.default_threshold(alignment)
    chosen_engine = resolve_engine(engine)
    weights = locate(spec, chosen_engine, deepface_home(home), weights_sha256)
    space = EmbeddingSpace(
        model=spec.name,
        dimension=spec.dimension,
        weights_sha256=_identity(spec, weights, weights_sha256, home),
        detector=chosen_detector,
        alignment=alignment,
        default_threshold=threshold,
    )
    budget = ThreadBudget.of(workers, cores or len(os.sched_getaffinity(0)))
    budget.bind_process()
    load = _load_dlib if spec.weights_for(DLIB) else _load_deepface
    return load(space, spec, chosen_engine, weights, home, budget, timeout_s)


def _load_dlib(
    space: EmbeddingSpace,
    spec: ModelSpec,
    engine: str,
    weights: Weights,
    home: Path,
    budget: ThreadBudget,
    timeout_s: float,
) -> FaceAnalyser:
    networks = load_networks(engine, weights, home=home, budget=budget)
    root = deepface_home(home)
    if space.alignment is Alignment.NATIVE:
        finder = _finder(space.detector, root)
        return DlibAnalyser(space, networks, finder, workers=budget.runs, timeout_s=timeout_s)
    return DeepFaceAnalyser(
        space,
        spec.input_size,
        lambda: dlib_recogniser(spec, networks()),
        home=root,
        workers=budget.runs,
        timeout_s=timeout_s,
    )


def _load_deepface(
    space: EmbeddingSpace,
    spec: ModelSpec,
    engine: str,
    weights: Weights,
    home: Path,
    budget: ThreadBudget,
    timeout_s: float,
) -> FaceAnalyser:
    root = deepface_home(home)
    shared = agreeing_recogniser(spec, engine, weights, deepface=root, home=home, budget=budget)
    if space.alignment is Alignment.NATIVE:
        finder = _finder(space.detector, root)
        return NativeAnalyser(space, shared, finder, workers=budget.runs, timeout_s=timeout_s)
    return DeepFaceAnalyser(
        space,
        spec.input_size,
        lambda: shared,
        home=root,
        workers=budget.runs,
        timeout_s=timeout_s,
    )


def _identity(spec: ModelSpec, weights: Weights, wanted: str | None, home: Path) -> str:
    """The wanted digest where these weights were seen to give the same vectors, else their own."""
    if wanted and agreed_before(SameSpace.of(spec.name, weights.sha256, wanted), home):
        return wanted
    return weights.sha256


def _finder(detector: str, root: Path) -> Callable[[], FaceFinder]:
    return DlibSlot if detector == "dlib" else partial(FivePointSlot, detector, root)
