"""Verification figures against cases worked out by hand, and against brute force."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.evaluation.intervals import Evidence, wilson
from service.evaluation.scores import Scores, histogram, score_pairs
from service.evaluation.verification import Verification, verify
from tests.evaluation.values import numbers, pairs, scores, side, templates


def test_a_case_by_hand() -> None:
    """Five of one person and five of two; 0.5 accepts one impostor and refuses one genuine."""
    found = verify(scores([0.9, 0.8, 0.7, 0.6, 0.3], [0.5, 0.4, 0.2, 0.1, 0.0]), 0.5)
    assert (found.pairs, found.genuine, found.impostors) == (10, 5, 5)
    assert found.fmr.rate == pytest.approx(0.2)
    assert found.fnmr.rate == pytest.approx(0.2)
    assert found.correct_at_default_threshold == 8
    assert found.best_accuracy == pytest.approx(0.9)
    assert found.best_threshold == pytest.approx(0.55)
    assert found.margin == pytest.approx(0.3 - 0.5)
    # at 0.5 both rates are 1 in 5
    assert found.equal_error_rate == pytest.approx(0.2)
    assert found.tar_without_false_match == pytest.approx(0.8)


def test_a_score_equal_to_the_threshold_matches() -> None:
    found = verify(scores([0.5], [0.5]), 0.5)
    assert found.fmr.errors == 1
    assert found.fnmr.errors == 0


def test_separated_kinds_are_told_apart_midway() -> None:
    found = verify(scores([0.9, 0.8], [0.2, 0.1]), 0.5)
    assert found.best_accuracy == 1.0
    assert found.best_threshold == pytest.approx(0.5)
    assert found.equal_error_rate == 0.0
    assert found.margin == pytest.approx(0.6)


def test_where_refusing_everything_is_best_the_threshold_refuses_everything() -> None:
    found = verify(scores([0.1], [0.2, 0.3, 0.4]), 0.5)
    assert found.best_accuracy == pytest.approx(0.75)
    assert found.best_threshold > 0.4


def test_where_accepting_everything_is_best_the_threshold_accepts_everything() -> None:
    found = verify(scores([0.2, 0.3, 0.4], [0.9]), 0.5)
    assert found.best_accuracy == pytest.approx(0.75)
    assert found.best_threshold <= 0.2


def test_skipped_pairs_count_as_not_right() -> None:
    found = verify(scores([0.9], [0.1], skipped=2), 0.5)
    assert (found.pairs, found.skipped, found.correct_at_default_threshold) == (4, 2, 2)


def random_scores(seed: int, genuine: int, impostors: int) -> Scores:
    random = np.random.default_rng(seed)
    # rounded, so that many are equal
    same = np.round(random.normal(0.6, 0.15, genuine), 2)
    return scores(same.tolist(), np.round(random.normal(0.2, 0.12, impostors), 2).tolist())


def brute_tar(genuine: NDArray[np.float64], impostors: NDArray[np.float64], fmr: float) -> float:
    """The best TAR over every threshold there is whose FMR is not above the wanted one."""
    thresholds = [*np.unique([*genuine, *impostors]), 2.0]
    return max(
        float((genuine >= threshold).mean())
        for threshold in thresholds
        if (impostors >= threshold).mean() <= fmr + 1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_rates_agree_with_brute_force(seed: int) -> None:
    made = random_scores(seed, 300, 1_500)
    genuine, impostors = made.genuine.scores, made.impostors.scores
    found = verify(made, 0.4)
    assert found.fmr.rate == pytest.approx((impostors >= 0.4).mean())
    assert found.fnmr.rate == pytest.approx((genuine < 0.4).mean())
    for point in found.points[:2]:
        assert point.tar == pytest.approx(brute_tar(genuine, impostors, point.fmr))
        assert (impostors >= point.threshold).sum() == point.false_matches
        assert point.false_matches <= point.fmr * len(impostors)
    accuracies = [
        ((genuine >= t).sum() + (impostors < t).sum()) / 1_800
        for t in [*np.unique([*genuine, *impostors]), 2.0]
    ]
    assert found.best_accuracy == pytest.approx(max(accuracies))
    t = found.best_threshold
    assert ((genuine >= t).sum() + (impostors < t).sum()) / 1_800 == pytest.approx(
        found.best_accuracy
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_roc_holds_at_each_of_its_thresholds(seed: int) -> None:
    made = random_scores(seed, 50, 80)
    roc = verify(made, 0.4).roc
    for fmr, tar, threshold in zip(roc.x, roc.y, roc.thresholds, strict=True):
        assert fmr == pytest.approx((made.impostors.scores >= threshold).mean())
        assert tar == pytest.approx((made.genuine.scores >= threshold).mean())
    assert (roc.x[0], roc.y[0]) == (0.0, 0.0)
    assert (roc.x[-1], roc.y[-1]) == (1.0, 1.0)


def test_the_equal_error_rate_of_two_normal_distributions() -> None:
    """Means 2 apart with deviation 1 cross at 1 - Phi(1) = 0.1587."""
    random = np.random.default_rng(1)
    made = scores(random.normal(2, 1, 50_000).tolist(), random.normal(0, 1, 20_000).tolist())
    assert verify(made, 1.0).equal_error_rate == pytest.approx(0.1587, abs=0.004)


def point_at(found: Verification, fmr: float) -> tuple[Evidence, float | None, int]:
    (point,) = (each for each in found.points if each.fmr == fmr)
    return point.evidence, point.tar, point.false_matches


def test_too_few_impostors_give_no_figure() -> None:
    found = verify(random_scores(0, 50, 262), 0.4)
    assert point_at(found, 1e-2)[0] is Evidence.FEW
    for fmr in (1e-3, 1e-4):
        assert point_at(found, fmr) == (Evidence.NONE, None, 0)
        assert all(each.interval is None for each in found.points if each.fmr == fmr)


def test_no_error_seen_is_no_proof_of_none() -> None:
    """Every draw of the bootstrap says 100 %; the interval still counts the nine people."""
    people = [(0, 0)] * 28 + [(number, number) for number in range(1, 9)]
    impostors = [(number % 9, (number + 1) % 9) for number in range(200)]
    made = Scores(side([0.9] * 36, people), side([0.1] * 200, impostors), 0, 9)
    found = verify(made, 0.5)
    interval = found.points[0].interval
    assert interval is not None
    assert interval.low == pytest.approx(wilson(1.0, 9).low)
    # nine pairs of two people, however many photographs of them
    assert found.fmr.interval.high == pytest.approx(wilson(0.0, 9).high)


def test_errors_of_one_person_widen_the_interval() -> None:
    """Ten errors of ten people say more than ten errors of a single one among them."""
    spread = [(number, number) for number in range(10) for _ in range(10)]
    impostors = [(number % 10, (number + 3) % 10) for number in range(100)]
    other = side([0.1] * 100, impostors)

    def width(errors: list[int]) -> float:
        values = [0.2 if number in errors else 0.9 for number in range(100)]
        interval = verify(Scores(side(values, spread), other, 0, 10), 0.5).fnmr.interval
        return interval.high - interval.low

    assert width(list(range(10))) > width(list(range(0, 100, 10)))


def test_pairs_are_scored_by_their_cosine() -> None:
    made = score_pairs(
        templates([(1, 0), (1, 1), (0, 2), (-1, 0)]),
        pairs((0, 1, True), (0, 2, False), (1, 2, True), (0, 3, False)),
        numbers(0, 0, 0, 1),
    )
    assert made.genuine.scores == pytest.approx([0.5**0.5, 0.5**0.5])
    assert made.impostors.scores == pytest.approx([0.0, -1.0])
    assert made.impostors.one.tolist() == [0, 0]
    assert made.impostors.other.tolist() == [2, 3]
    assert made.people == 2


def test_pairs_without_a_template_are_skipped() -> None:
    whole = templates([(1, 0), (1, 1), (0, 1)])
    whole.rows[1] = -1
    made = score_pairs(whole, pairs((0, 1, True), (0, 2, False)), numbers(0, 0, 1))
    assert made.skipped == 1
    assert len(made.genuine) == 0


def test_a_histogram_holds_every_score() -> None:
    made = histogram(scores([0.9, 0.9, 0.3], [0.1, 0.2]))
    assert made.genuine.sum() == pytest.approx(1)
    assert made.impostors.sum() == pytest.approx(1)
    assert (made.edges[0], made.edges[-1]) == (0.1, 0.9)
    assert made.genuine[-1] == pytest.approx(2 / 3)


def test_a_histogram_of_one_value_has_a_width() -> None:
    made = histogram(scores([0.5], [0.5]))
    assert made.edges[-1] > made.edges[0]
    assert made.genuine.sum() == 1
