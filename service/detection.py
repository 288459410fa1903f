"""Detection: which faces does a photograph show, and how well can they be seen?"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace, Point
from service.domain.keys import Caller, Scope
from service.domain.probes import PhotographProbe
from service.domain.quality import Flaw, QualityRules, flaws
from service.errors import FaceNotDetected, ScopeMissing
from service.images import ImageLimits, decode
from service.ports import Analysers, FaceAnalyser, Picture, Store
from service.vision.landmarks import named


@dataclass(frozen=True, slots=True)
class SeenFace:
    """`landmarks` by name, see `vision.landmarks`. `flaws`: why it would not be enrolled.
    `embedding` is None unless it was asked for, or too little of the face is in the picture."""

    face: DetectedFace
    landmarks: Mapping[str, Point]
    flaws: tuple[Flaw, ...]
    embedding: Embedding | None


@dataclass(frozen=True, slots=True)
class Detected:
    """`faces`: largest first, of `faces_found` that were seen; `width` and `height`: of the upright
    picture, in pixels; `space`: what detected, and embedded."""

    width: int
    height: int
    space: EmbeddingSpace
    faces: tuple[SeenFace, ...]
    faces_found: int


@dataclass(frozen=True, slots=True)
class Detection:
    """`rules`: what is asked of a face to be enrolled."""

    analysers: Analysers
    limits: ImageLimits
    rules: QualityRules
    store: Store

    def detect(
        self,
        caller: Caller,
        photograph: PhotographProbe,
        model: str | None = None,
        *,
        with_embeddings: bool = False,
    ) -> Detected:
        """The faces of a photograph; none is an answer. Embeddings that are given out are in the
        record first.

        Args:
            model: None takes the default gallery's detector, else the model's own.

        Raises:
            ScopeMissing: embeddings are for those who may export.
            RequestInvalid, ModelUnavailable: see `Analysers.usual`.
            ImageTooLarge, ImageTypeUnsupported, ImageDamaged: see `images.decode`.
            Overloaded: too many photographs at once.
        """
        if with_embeddings and not caller.may(Scope.EXPORT):
            raise ScopeMissing(Scope.EXPORT)
        analyser = self.analysers.usual(model)
        with self.limits.gate.place():
            picture = decode(photograph.data, self.limits)
            found = analyser.detect(picture, thorough=photograph.every_face)
            wanted = found[: self.limits.max_faces if photograph.every_face else 1]
            embeddings = [
                _embedding(analyser, picture, face) if with_embeddings else None for face in wanted
            ]
        given = sum(each is not None for each in embeddings)
        if given:
            self.store.write(lambda tx: tx.note("export", None, of="probe", faces=given), by=caller)
        height, width = picture.shape[:2]
        faces = tuple(
            SeenFace(
                face=face,
                landmarks=named(face.landmarks, analyser.space.detector),
                flaws=flaws(face.quality, self.rules) if face.quality else (),
                embedding=embedding,
            )
            for face, embedding in zip(wanted, embeddings, strict=True)
        )
        return Detected(width, height, analyser.space, faces, len(found))


def _embedding(analyser: FaceAnalyser, picture: Picture, face: DetectedFace) -> Embedding | None:
    try:
        return analyser.embed(picture, face)
    except FaceNotDetected:
        return None
