"""A face analyser without a model: every picture is a face, its pixels say whose."""

import io
from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from PIL import Image

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace, unit
from service.domain.faces import Box, DetectedFace
from service.ports import Picture

SIDE = 4
SEED_BYTES = 8
SPACE = EmbeddingSpace(
    model="Dlib",
    dimension=32,
    weights_sha256="fa" * 32,
    detector="dlib",
    alignment=Alignment.NATIVE,
    default_threshold=0.922,
)
"""Of so few values, that the digests of a gallery cost next to nothing."""


def photograph(seed: int) -> bytes:
    """A PNG file; two seeds are two people. 0 <= seed < 2**64."""
    pixels = np.zeros(SIDE * SIDE * 3, dtype=np.uint8)
    pixels[:SEED_BYTES] = np.frombuffer(seed.to_bytes(SEED_BYTES, "big"), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.reshape(SIDE, SIDE, 3)).save(file, "png")
    return file.getvalue()


@dataclass(eq=False)
class FakeAnalyser:
    """See `ports.FaceAnalyser`. `blind_to`: seeds of people whom it does not see."""

    space: EmbeddingSpace = SPACE
    blind_to: Set[int] = frozenset()

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        if _seed(picture) in self.blind_to:
            return ()
        height, width = picture.shape[:2]
        return (DetectedFace(Box(0, 0, width, height), score=1.0),)

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        size = self.space.dimension
        return unit(np.random.default_rng(_seed(picture)).normal(size=size), size)

    def close(self) -> None:
        pass


def _seed(picture: Picture) -> int:
    return int.from_bytes(picture.reshape(-1)[:SEED_BYTES].tobytes(), "big")
