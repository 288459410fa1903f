"""`load_analyser`: from a model's name to a loaded, warm `FaceAnalyser`."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.ports import FaceAnalyser
from service.vision.catalogue import DLIB, ModelSpec, find_model
from service.vision.deepface_analyser import DeepFaceAnalyser
from service.vision.dlib_agreement import load_networks
from service.vision.dlib_analyser import DlibAnalyser, DlibSlot, FaceFinder
from service.vision.landmark_detectors import FivePointSlot
from service.vision.native_analyser import NativeAnalyser
from service.vision.recognisers import (
    Recogniser,
    choose_engine,
    dlib_recogniser,
    load_recogniser,
)
from service.vision.spaces import chosen_alignment
from service.vision.weights import checked_digest, deepface_home, locate


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
) -> FaceAnalyser:
    """Load everything that the model needs, and run it once, before returning.

    Args:
        model: a name of the catalogue.
        detector: one of `DETECTORS`; None takes the model's default.
        alignment: None takes the model's default, or deepface where the detector does not find
            the five points that a native alignment needs.
        engine: "auto", "onnxruntime", "tensorflow" or "dlib".
        home: folder that holds `.deepface/weights`, unless DEEPFACE_HOME is set, and what is
            known of the engines' agreement.
        workers: photographs processed at once.
        timeout_s: longest wait for a worker, in seconds; then Overloaded.
        cores: CPU cores that its threads may fill; None: those of this process.

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
    root = deepface_home(home)
    chosen_engine = choose_engine(spec, engine, root)
    weights = locate(spec, chosen_engine, root)
    digest = checked_digest(weights)
    space = EmbeddingSpace(
        model=spec.name,
        dimension=spec.dimension,
        weights_sha256=digest,
        detector=chosen_detector,
        alignment=alignment,
        default_threshold=threshold,
    )
    threads = _bounded_threads(workers, cores or len(os.sched_getaffinity(0)))
    if not spec.weights_for(DLIB):
        shared = load_recogniser(spec, chosen_engine, weights, root, threads)
        if alignment is Alignment.NATIVE:
            finder = _finder(chosen_detector, root)
            return NativeAnalyser(space, shared, finder, workers=workers, timeout_s=timeout_s)
        return _deepface_analyser(space, spec, lambda: shared, root, workers, timeout_s)
    networks = load_networks(chosen_engine, weights, digest, home=home, threads=threads)
    if alignment is Alignment.NATIVE:
        finder = _finder(chosen_detector, root)
        return DlibAnalyser(space, networks, finder, workers=workers, timeout_s=timeout_s)
    return _deepface_analyser(
        space, spec, lambda: dlib_recogniser(spec, networks()), root, workers, timeout_s
    )


def _finder(detector: str, root: Path) -> Callable[[], FaceFinder]:
    return DlibSlot if detector == "dlib" else partial(FivePointSlot, detector, root)


def _deepface_analyser(
    space: EmbeddingSpace,
    spec: ModelSpec,
    recogniser: Callable[[], Recogniser],
    root: Path,
    workers: int,
    timeout_s: float,
) -> DeepFaceAnalyser:
    return DeepFaceAnalyser(
        space, spec.input_size, recogniser, home=root, workers=workers, timeout_s=timeout_s
    )


def _bounded_threads(workers: int, cores: int) -> int:
    """Threads for one run of an engine, so that those of all workers are the cores at hand.

    OpenCV gets as many: it has one number for the whole process, and takes every core otherwise.
    """
    import cv2

    threads = max(1, cores // workers)
    cv2.setNumThreads(threads)
    return threads
