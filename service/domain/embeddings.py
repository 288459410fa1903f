"""Embeddings, and the spaces they live in."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from service.errors import EmbeddingInvalid

Embedding = NDArray[np.float32]
"""Shape (dimension,), dtype float32, Euclidean length 1."""

SIMILARITY_DIGITS = 6
"""Decimals of a similarity: what float32 embeddings carry."""


class Alignment(StrEnum):
    """How a face is cut out of the photograph before the model sees it."""

    NATIVE = "native"
    """As the model was trained; docs/models.md says how for each."""
    DEEPFACE = "deepface"
    """DeepFace's crop, to compare, for vectors that DeepFace made and for other models."""


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """What makes two embeddings comparable. Embeddings of two spaces are never compared.

    `weights_sha256` is None only for vectors imported where the weights that made them are not
    at hand: they are taken for the published ones, and the digest is filled in at first use.
    """

    model: str
    dimension: int
    weights_sha256: str | None
    detector: str
    alignment: Alignment
    default_threshold: float

    def describe(self) -> str:
        return f"{self.model}, detector {self.detector}, alignment {self.alignment}"

    def serves(self, other: "EmbeddingSpace") -> bool:
        """Whether embeddings of `other` may be compared with this space's."""
        weights = {self.weights_sha256, other.weights_sha256} - {None}
        same = (self.model, self.dimension, self.detector, self.alignment) == (
            other.model,
            other.dimension,
            other.detector,
            other.alignment,
        )
        return same and len(weights) <= 1


def similarity(one: Embedding, other: Embedding) -> float:
    """The cosine of two embeddings of one space, -1..1, to six decimals.

    Computed in double precision and then rounded, so that every replica says, and decides by, the
    same number, wherever its index holds the face; a photograph's similarity to itself is 1.0.
    """
    cosine = float(one.astype(np.float64) @ other.astype(np.float64))
    return round(min(1.0, max(-1.0, cosine)), SIMILARITY_DIGITS) + 0.0  # not -0.0


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


def unit(vector: NDArray[np.floating], dimension: int) -> Embedding:
    """Scale a raw vector, shape (dimension,), to length 1 as float32.

    Raises:
        EmbeddingInvalid: wrong number of values, NaN or infinity in it, or all zeros.
    """
    if vector.shape != (dimension,):
        raise EmbeddingInvalid(
            f"the embedding has {vector.size} values, the gallery's space has {dimension}"
        )
    wide = vector.astype(np.float64)
    if not np.isfinite(wide).all():
        raise EmbeddingInvalid("the embedding contains NaN or infinite values")
    largest = float(np.abs(wide).max())
    if largest == 0.0:
        raise EmbeddingInvalid("the embedding is all zeros")
    wide /= largest  # so that squaring neither overflows nor vanishes
    return (wide / np.linalg.norm(wide)).astype(np.float32)
