"""Embedding spaces of vectors that were made elsewhere."""

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.errors import SettingsInvalid
from service.vision.catalogue import DETECTORS, find_model


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
