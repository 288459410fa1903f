"""The decision at and around the threshold, and the labels above it."""

import pytest

from service.domain.decisions import Confidence, accepted, confidence


@pytest.mark.parametrize(
    ("similarity", "match"), [(0.9219, False), (0.922, True), (0.9221, True), (-1.0, False)]
)
def test_the_threshold_itself_is_a_match(similarity: float, match: bool) -> None:
    assert accepted(similarity, 0.922) is match


@pytest.mark.parametrize(
    ("similarity", "label"),
    [
        (0.60, Confidence.LOW),
        (0.69, Confidence.LOW),
        (0.70, Confidence.MEDIUM),
        (0.80, Confidence.HIGH),
        (0.90, Confidence.VERY_HIGH),
        (1.00, Confidence.VERY_HIGH),
    ],
)
def test_labels_are_quarters_of_the_way_to_identity(similarity: float, label: Confidence) -> None:
    assert confidence(similarity + 1e-9, 0.6) is label


def test_a_threshold_of_one_accepts_only_identity() -> None:
    assert confidence(1.0, 1.0) is Confidence.VERY_HIGH
