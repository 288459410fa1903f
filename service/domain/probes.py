"""Probes: what is searched for, or compared with a subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from service.domain.embeddings import ClaimedSpace


@dataclass(frozen=True, slots=True)
class PhotographProbe:
    """The bytes of an uploaded file. `every_face`: all faces on it, else the largest."""

    data: bytes
    every_face: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingProbe:
    """A vector of any length that its caller made, and the space that it is said to be of."""

    values: Sequence[float]
    space: ClaimedSpace


@dataclass(frozen=True, slots=True)
class FaceProbe:
    """An enrolled face, by its id."""

    face_id: UUID


Probe = PhotographProbe | EmbeddingProbe | FaceProbe
