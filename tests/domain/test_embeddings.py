"""Raw vectors become unit embeddings or are refused by name."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.embeddings import Alignment, ClaimedSpace, EmbeddingSpace, similarity, unit
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


@pytest.mark.parametrize("dimension", [2, 128, 512, 4096])
def test_a_similarity_has_six_decimals_and_is_one_for_the_same(dimension: int) -> None:
    random = np.random.default_rng(dimension)
    for _ in range(50):
        one, other = (unit(random.normal(size=dimension), dimension) for _ in range(2))
        found = similarity(one, other)
        assert found == round(found, 6) == similarity(other, one)
        assert found == pytest.approx(float(one @ other), abs=5e-6)
        assert similarity(one, one) == 1.0
        assert similarity(one, -one) == -1.0


def test_nothing_in_common_is_zero_and_not_minus_zero() -> None:
    one, other = unit(np.array([1.0, 0.0]), 2), unit(np.array([-1e-9, 1.0]), 2)
    assert str(similarity(one, other)) == "0.0"


@pytest.mark.parametrize(
    ("claim", "of_it"),
    [
        (ClaimedSpace("Dlib", "dlib", Alignment.NATIVE), True),
        (ClaimedSpace("Dlib", "dlib", Alignment.NATIVE, "a" * 64), True),
        (ClaimedSpace("Dlib", "dlib", Alignment.NATIVE, "b" * 64), False),
        (ClaimedSpace("Dlib", "dlib", Alignment.DEEPFACE), False),
        (ClaimedSpace("Dlib", "opencv", Alignment.NATIVE), False),
        (ClaimedSpace("Facenet", "dlib", Alignment.NATIVE), False),
    ],
)
def test_a_claimed_space_must_be_that_one(claim: ClaimedSpace, of_it: bool) -> None:
    assert claim.is_of(space()) is of_it
