"""Faces from pictures: the models of this process."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace
from service.domain.models import Model

Picture = NDArray[np.uint8]
"""A decoded, upright photograph: shape (height, width, 3), RGB, 0..255."""


class FaceAnalyser(Protocol):
    """Finds faces and embeds them in one embedding space. Safe to call from many threads."""

    @property
    def space(self) -> EmbeddingSpace: ...

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """Faces in the picture, largest box first; empty when there is none.

        The first one is certain to be the largest; of the others there may be only those of about
        its size. `thorough`, for enrolment and for all faces of a group: look for much smaller
        faces too, as long as there are more, and leave out doubtful ones.

        Raises:
            Overloaded: no worker became free in time.
        """
        ...

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The embedding of one face that `detect` found in this very picture.

        Raises:
            FaceNotDetected: nothing is left of the face once it is cut out.
            Overloaded: no worker became free in time.
        """
        ...

    def close(self) -> None: ...


class Analysers(Protocol):
    """The models of this process, one for each embedding space, loaded when first needed."""

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        """The analyser that makes embeddings of that space.

        Raises:
            ModelUnavailable: it cannot be loaded here, or its weights are others.
        """
        ...

    def like(self, model: str, detector: str | None, alignment: Alignment | None) -> FaceAnalyser:
        """The analyser of a new gallery; None takes the model's default.

        Raises:
            RequestInvalid: no such model or detector, or an alignment that it does not allow.
            ModelUnavailable: its weights are not here.
        """
        ...

    def usual(self, model: str | None) -> FaceAnalyser:
        """The default gallery's analyser, or a model's own with its default detector and alignment.

        Raises:
            RequestInvalid, ModelUnavailable: as `like`.
        """
        ...


class Models(Protocol):
    """The recognition models that there are."""

    def all(self) -> tuple[Model, ...]: ...

    def named(self, name: str) -> Model:
        """Raises ModelNotFound; letter case matters."""
        ...
