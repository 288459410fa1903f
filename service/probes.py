"""Probes: from what a caller sends to the embedding that is compared."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from service.domain.embeddings import Embedding, EmbeddingSpace, unit
from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery
from service.domain.matches import EnrolledFace
from service.domain.probes import EmbeddingProbe, FaceProbe, PhotographProbe, Probe
from service.domain.quality import Flaw, QualityRules, check, flaws
from service.errors import FaceNotDetected, FaceNotFound, SpaceMismatch
from service.images import ImageLimits, decode
from service.ports import Analysers, FaceAnalyser, Picture, Transaction


@dataclass(frozen=True, slots=True)
class Probed:
    """An embedding to compare. `face`: where the photograph shows it, None where there is none;
    `enrolled`: the enrolled face that it is, if it is one."""

    embedding: Embedding
    face: DetectedFace | None = None
    enrolled: EnrolledFace | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A face that cannot be seen well enough to be compared, and why."""

    face: DetectedFace
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a photograph, or a caller's embedding, gives to compare.

    `faces`: largest first; `found`: how many were seen, of which these and the `unfit` are the
    largest; `space`: what their embeddings may be compared with.
    """

    faces: tuple[Probed, ...]
    found: int
    space: EmbeddingSpace
    unfit: tuple[Unfit, ...] = ()


@dataclass(frozen=True, slots=True)
class Probes:
    analysers: Analysers
    limits: ImageLimits
    rules: QualityRules

    def look(self, probe: Probe, space: EmbeddingSpace) -> Looked | None:
        """Everything about a probe that takes time, outside a transaction; None for an enrolled
        face, which only a transaction knows: see `probed`.

        Raises:
            SpaceMismatch: the embedding is not of `space`.
            EmbeddingInvalid: it has another number of values, or is no direction.
            ModelUnavailable: see `Analysers.of`.
            and what `look_at` raises.
        """
        if isinstance(probe, PhotographProbe):
            return look_at(self.analysers.of(space), self.limits, probe, self.rules)
        if isinstance(probe, EmbeddingProbe):
            return Looked((Probed(_embedding(probe, space)),), 1, space)
        return None


def look_at(
    analyser: FaceAnalyser, limits: ImageLimits, probe: PhotographProbe, rules: QualityRules
) -> Looked:
    """The largest face of a photograph, or its `limits.max_faces` largest, with their embeddings:
    all of them in one place of the gate.

    Raises:
        FaceNotDetected: there is none, or too little of it is in the picture.
        FaceUnfit: only the largest is looked at, and it breaks one of the rules; where all are,
            such faces are `unfit`.
        ImageTooLarge, ImageTypeUnsupported, ImageDamaged: see `images.decode`.
        Overloaded: too many photographs at once.
    """
    with limits.gate.place():
        picture = decode(probe.data, limits)
        found = analyser.detect(picture, thorough=probe.every_face)
        wanted = found[: limits.max_faces if probe.every_face else 1]
        if wanted and not probe.every_face:
            check(wanted[0].quality, rules)
        unfit = tuple(Unfit(face, broken) for face in wanted if (broken := _flaws(face, rules)))
        fit = [face for face in wanted if not _flaws(face, rules)]
        faces = tuple(each for face in fit for each in _embedded(analyser, picture, face))
    if not faces and not unfit:
        raise FaceNotDetected
    return Looked(faces, len(found), analyser.space, unfit)


def _flaws(face: DetectedFace, rules: QualityRules) -> tuple[Flaw, ...]:
    return flaws(face.quality, rules) if face.quality else ()


def _embedded(analyser: FaceAnalyser, picture: Picture, face: DetectedFace) -> Iterator[Probed]:
    """Nothing for a face of which too little is in the picture."""
    with suppress(FaceNotDetected):
        yield Probed(analyser.embed(picture, face), face)


def _embedding(probe: EmbeddingProbe, space: EmbeddingSpace) -> Embedding:
    if not probe.space.is_of(space):
        raise SpaceMismatch(
            f"The embedding is said to be of another space than {space.describe()}, and cannot be "
            "compared: send one of that space, or search a gallery of the embedding's."
        )
    return unit(np.asarray(probe.values, dtype=np.float64), space.dimension)


def probed(
    tx: Transaction, galleries: Sequence[Gallery], probe: Probe, looked: Looked | None
) -> tuple[Probed, ...]:
    """What `look` gave, or the enrolled face.

    Raises:
        FaceNotFound: it is in none of the galleries, or its subject has expired.
    """
    if isinstance(probe, FaceProbe):
        return (_enrolled(tx, galleries, probe.face_id),)
    assert looked is not None
    return looked.faces


def _enrolled(tx: Transaction, galleries: Sequence[Gallery], face_id: UUID) -> Probed:
    for gallery in galleries:
        for face in tx.enrolled_faces(gallery, [face_id]):
            if face.permitted:
                return Probed(face.embedding, None, face)
    raise FaceNotFound(face_id)
