"""Enrolled galleries made by hand or by chance, and strangers to search for in them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import Gallery, GalleryVersion
from service.evaluation.enrolled import Enrolled

Vectors = NDArray[np.float32]

SPACE = EmbeddingSpace("Synthetic", 64, "0" * 64, "skip", Alignment.NATIVE, 0.5)
VERSION = GalleryVersion(7, UUID(int=1))


def enrolled(vectors: Vectors, subjects: Sequence[int], threshold: float = 0.5) -> Enrolled:
    """A gallery of these faces; subjects are numbered from 0, ascending."""
    count = max(subjects) + 1
    return Enrolled(
        Gallery(
            UUID(int=2),
            "people",
            UUID(int=3),
            SPACE,
            threshold,
            None,
            VERSION,
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, tzinfo=UTC),
        ),
        VERSION,
        unit(vectors),
        np.array(subjects, dtype=np.int64),
        ids(len(subjects), 1_000_000),
        ids(count, 2_000_000),
    )


def ids(count: int, first: int) -> NDArray[np.bytes_]:
    data = b"".join(UUID(int=first + number).bytes for number in range(count))
    return np.frombuffer(data, dtype="S16")


def unit(vectors: Vectors) -> Vectors:
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


class Population:
    """People whose mean faces lie around a few common ones, in directions of unequal weight: not
    the uniform cloud that theory likes best."""

    def __init__(self, seed: int, *, groups: int = 6) -> None:
        self._random = np.random.default_rng(seed)
        self._centres = 0.5 * self._random.normal(size=(groups, SPACE.dimension))
        self._weights = np.linspace(1, 0.4, SPACE.dimension)

    def people(self, count: int) -> Vectors:
        """The mean face of each, shape (count, dimension)."""
        own = self._random.normal(size=(count, SPACE.dimension))
        groups = self._random.integers(len(self._centres), size=count)
        return ((own + self._centres[groups]) * self._weights).astype(np.float32)

    def photographs(self, people: Vectors, each: int, blur: float = 0.3) -> Vectors:
        """So many of each, one person after the other, shape (people * each, dimension)."""
        faces = np.repeat(people, each, axis=0)
        return (faces + blur * self._random.normal(size=faces.shape)).astype(np.float32)

    def gallery(self, people: int, each: int = 1) -> Enrolled:
        faces = self.photographs(self.people(people), each)
        return enrolled(faces, [number for number in range(people) for _ in range(each)])


def share_accepted(gallery: Enrolled, probes: Vectors, threshold: float) -> float:
    """The FPIR of strangers, brute force."""
    best = (unit(probes) @ gallery.embeddings.T).max(axis=1)
    return float((best >= threshold).mean())
