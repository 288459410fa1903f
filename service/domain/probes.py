"""Probes: what is searched for, or compared with a subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from service.domain.embeddings import Alignment, EmbeddingSpace


@dataclass(frozen=True, slots=True)
class PhotographProbe:
    """The bytes of an uploaded file. `every_face`: all faces on it, else the largest."""

    data: bytes
    every_face: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedSpace:
    """The space that a caller says an embedding is of; `weights_sha256` None where it says none."""

    model: str
    detector: str
    alignment: Alignment
    weights_sha256: str | None = None

    def is_of(self, space: EmbeddingSpace) -> bool:
        claimed = EmbeddingSpace(
            model=self.model,
            dimension=space.dimension,
            weights_sha256=self.weights_sha256,
            detector=self.detector,
            alignment=self.alignment,
            default_threshold=space.default_threshold,
        )
        return space.serves(claimed)


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
