"""`load_analyser`: from a model's name to a loaded, warm `FaceAnalyser`."""

from collections.abc import Callable
from pathlib import Path

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.errors import SettingsInvalid
from service.ports import FaceAnalyser
from service.vision.catalogue import DLIB, ModelSpec, find_model
from service.vision.deepface_analyser import DeepFaceAnalyser
from service.vision.dlib_analyser import DlibAnalyser
from service.vision.recognisers import Recogniser, choose_engine, load_recogniser
from service.vision.spaces import check_detector
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
) -> FaceAnalyser:
    """Load everything that the model needs, and run it once, before returning.

    Args:
        model: a name of the catalogue.
        detector: one of `DETECTORS`; None takes the model's default.
        alignment: None takes the model's default.
        engine: "auto", "onnxruntime" or "tensorflow"; Dlib runs on dlib whatever this says.
        home: folder that holds `.deepface/weights`, unless DEEPFACE_HOME is set.
        workers: photographs processed at once.
        timeout_s: longest wait for a worker, in seconds; then Overloaded.

    Raises:
        ModelUnknown: no such model.
        SettingsInvalid: detector or alignment do not exist, or not for this model.
        WeightsMissing: a file is not there; the message says which, and where to put it.
        WeightsInvalid: a file is damaged, not the model's, or not the one checked before.
        EngineUnavailable: the engine, or a package that the model needs, is not installed.
    """
    spec = find_model(model)
    chosen_detector = detector or spec.default_detector
    chosen_alignment = spec.default_alignment if alignment is None else Alignment(alignment)
    threshold = spec.default_threshold(chosen_alignment)
    _check_detector(spec, chosen_detector, chosen_alignment)
    root = deepface_home(home)
    chosen_engine = choose_engine(spec, engine, root)
    weights = locate(spec, chosen_engine, root)
    space = EmbeddingSpace(
        model=spec.name,
        dimension=spec.dimension,
        weights_sha256=checked_digest(weights),
        detector=chosen_detector,
        alignment=chosen_alignment,
        default_threshold=threshold,
    )
    if chosen_alignment is Alignment.NATIVE:
        return DlibAnalyser(space, weights, workers=workers, timeout_s=timeout_s)
    return DeepFaceAnalyser(
        space,
        spec.input_size,
        _recogniser_source(spec, chosen_engine, weights, root),
        home=root,
        workers=workers,
        timeout_s=timeout_s,
    )


def _recogniser_source(
    spec: ModelSpec, engine: str, weights: Path, home: Path
) -> Callable[[], Recogniser]:
    """Gives each worker its recogniser: one for all where the engine is safe to share."""
    if engine == DLIB:
        return lambda: load_recogniser(spec, engine, weights, home)
    shared = load_recogniser(spec, engine, weights, home)
    return lambda: shared


def _check_detector(spec: ModelSpec, detector: str, alignment: Alignment) -> None:
    check_detector(detector)
    if alignment is Alignment.NATIVE and detector != "dlib":
        raise SettingsInvalid(
            f"DETECTOR: {spec.name} with its native alignment needs dlib, not {detector}; "
            "other detectors go with ALIGNMENT=deepface"
        )
