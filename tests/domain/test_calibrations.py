"""The tail's two directions agree, and a gallery outgrows its calibration."""

from dataclasses import replace

import pytest

from service.domain.calibrations import Tail
from service.domain.decisions import Confidence, confidence
from tests.store.test_calibrations import CALIBRATION

TAIL = Tail(start=0.8, share=0.1, power=2.0)


@pytest.mark.parametrize(
    ("similarity", "fpir"),
    [(0.8, 0.1), (0.9, 0.025), (0.98, 0.001), (1.0, 0.0), (1.0000001, 0.0), (0.79, 1.0)],
)
def test_the_share_of_strangers_that_reach_a_similarity(similarity: float, fpir: float) -> None:
    assert TAIL.exceedance(similarity) == pytest.approx(fpir)


@pytest.mark.parametrize("fpir", [0.1, 0.01, 0.001, 1e-9])
def test_the_threshold_of_an_fpir_has_that_fpir_and_is_below_one(fpir: float) -> None:
    assert 0.8 <= TAIL.threshold(fpir) < 1
    assert TAIL.exceedance(TAIL.threshold(fpir)) == pytest.approx(fpir)


def test_a_quarter_more_faces_are_not_too_many_yet() -> None:
    calibration = replace(CALIBRATION, faces=100)
    assert not calibration.outgrown(125)
    assert calibration.outgrown(126)


@pytest.mark.parametrize(
    ("share", "label"),
    [
        (1.0, Confidence.LOW),
        (0.11, Confidence.LOW),
        (0.09, Confidence.MEDIUM),
        (0.009, Confidence.HIGH),
        (0.0009, Confidence.VERY_HIGH),
    ],
)
def test_labels_of_a_calibrated_gallery_say_how_seldom_a_stranger_comes_so_far(
    share: float, label: Confidence
) -> None:
    calibration = replace(CALIBRATION, fpir=0.01, tail=TAIL)
    similarity = TAIL.threshold(share * 0.01)
    assert confidence(similarity, calibration.threshold, calibration) is label


def test_below_the_tail_nothing_is_known_and_the_label_is_low() -> None:
    """A threshold that was set lower by hand."""
    calibration = replace(CALIBRATION, fpir=0.01, tail=TAIL)
    assert confidence(0.5, 0.3, calibration) is Confidence.LOW
