"""Companions: while a gallery has two embedding spaces, a new face is embedded in both."""

import logging
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from service.domain.faces import Beside, DetectedFace
from service.domain.galleries import Gallery
from service.domain.reembedding import same_face
from service.errors import FaceNotDetected, ModelUnavailable
from service.ports import Analysers, FaceAnalyser, Picture

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Companion:
    """The model of a gallery's other space. What it cannot see is enrolled all the same, and then
    missing there: see `ReembeddingRows.missing`."""

    space_id: UUID
    analyser: FaceAnalyser

    @classmethod
    def of(cls, gallery: Gallery, analysers: Analysers) -> Self | None:
        """None where the gallery has one space only, or this process lacks the other's model."""
        if gallery.other is None:
            return None
        try:
            return cls(gallery.other.space_id, analysers.of(gallery.other.space))
        except ModelUnavailable as error:
            log.warning("gallery '%s': not embedded in its other space: %s", gallery.name, error)
            return None

    def beside(self, picture: Picture, face: DetectedFace) -> Beside | None:
        """The other embedding of a face that the gallery's own detector found in that picture.

        Raises:
            Overloaded: no worker became free in time.
        """
        seen = same_face(face.box, self.analyser.detect(picture, thorough=True))
        if seen is None:
            return None
        try:
            return Beside(self.space_id, self.analyser.embed(picture, seen))
        except FaceNotDetected:
            return None
