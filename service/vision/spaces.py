"""What an embedding space may be made of, and those of vectors that were made elsewhere."""

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.errors import SettingsInvalid
from service.vision.catalogue import DETECTORS, ModelSpec, find_model
from service.vision.landmarks import FIVE_POINT_DETECTORS


def check_detector(detector: str | None) -> None:
    """Raises SettingsInvalid unless it is one that there is; None stands for the default."""
    if detector is not None and detector not in DETECTORS:
        raise SettingsInvalid(
            f"DETECTOR: there is no '{detector}'; use one of {', '.join(DETECTORS)}"
        )


def published_space(model: str, detector: str) -> EmbeddingSpace:
    """The space of vectors that DeepFace made of a model's published weights, with its own crop.

    Which file those were is not known here, so the digest is None. Loads nothing.

    Raises:
        ModelUnknown: no such model.
        SettingsInvalid: no such detector.
    """
    spec = find_model(model)
    check_detector(detector)
    threshold = spec.default_threshold(Alignment.DEEPFACE)
    return EmbeddingSpace(spec.name, spec.dimension, None, detector, Alignment.DEEPFACE, threshold)


def chosen_alignment(spec: ModelSpec, detector: str, wanted: Alignment | None) -> Alignment:
    """What was asked for, or the model's default as far as the detector allows that.

    Raises:
        SettingsInvalid: no such detector, or it does not find what the alignment needs.
    """
    check_detector(detector)
    five_points = detector in FIVE_POINT_DETECTORS
    if wanted is None:
        return spec.default_alignment if five_points else Alignment.DEEPFACE
    if Alignment(wanted) is Alignment.NATIVE and not five_points:
        raise SettingsInvalid(
            f"DETECTOR: a native alignment needs the five points of a face, which {detector} does "
            f"not find; use {', '.join(FIVE_POINT_DETECTORS)}, or ALIGNMENT=deepface"
        )
    return Alignment(wanted)
