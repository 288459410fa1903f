"""Raw vectors become unit embeddings or are refused by name."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.embeddings import Alignment, EmbeddingSpace, unit
from service.errors import EmbeddingInvalid


def test_a_raw_vector_becomes_unit_float32() -> None:
    embedding = unit(np.array([3.0, 4.0]), 2)
    assert embedding.dtype == np.float32
    assert embedding.tolist() == pytest.approx([0.6, 0.8])


def test_huge_and_tiny_values_do_not_overflow() -> None:
    assert np.linalg.norm(unit(np.array([1e300, 1e-300, 1e299]), 3)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        (np.ones(3), "has 3 values"),
        (np.ones((2, 2)), "has 4 values"),
        (np.array([np.nan, 1.0]), "NaN"),
        (np.array([np.inf, 1.0]), "NaN or infinite"),
        (np.zeros(2), "all zeros"),
    ],
)
def test_other_vectors_are_refused(vector: NDArray[np.float64], words: str) -> None:
    with pytest.raises(EmbeddingInvalid, match=words):
        unit(vector, 2)


def space(digest: str | None = "a" * 64, detector: str = "dlib") -> EmbeddingSpace:
    return EmbeddingSpace("Dlib", 128, digest, detector, Alignment.NATIVE, 0.9)


def test_spaces_differ_by_weights_and_detector() -> None:
    assert space().serves(space())
    assert not space().serves(space(digest="b" * 64))
    assert not space().serves(space(detector="opencv"))


def test_a_space_without_a_digest_takes_the_weights_at_hand() -> None:
    assert space(digest=None).serves(space())
