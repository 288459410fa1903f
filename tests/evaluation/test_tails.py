"""Tails fitted to scores of known distribution."""

import numpy as np
import pytest

from service.evaluation.tails import Strangers, Values, strangers, suspect_limit


def drawn(people: int, power: float, seed: int = 0) -> Values:
    """Scores of which a share of ((1 - s) / 1) ** power lies at s or above."""
    uniform = np.random.default_rng(seed).uniform(size=people)
    return 1 - uniform ** (1 / power)


def searches(scores: Values, subjects: list[int] | None = None) -> Strangers:
    """Nobody is one another's nearest: each points to the next."""
    people = np.arange(len(scores)) if subjects is None else np.array(subjects)
    return strangers(scores, people, (people + 1) % (people.max() + 1))


@pytest.mark.parametrize("power", [3.0, 20.0])
def test_the_exponent_and_the_thresholds_are_found(power: float) -> None:
    found = searches(drawn(20_000, power))
    tail = found.tail()
    assert tail is not None
    # 2,000 scores: standard error 2.2 %
    assert tail.power == pytest.approx(power, rel=0.08)
    assert tail.share == pytest.approx(0.1, rel=0.01)
    for fpir in (0.1, 0.01, 0.0001):
        true = fpir ** (1 / power)
        assert 1 - found.threshold(tail, fpir) == pytest.approx(true, rel=0.2)


def test_above_the_tail_the_threshold_is_a_quantile_of_the_scores() -> None:
    found = searches(drawn(1_000, 5.0))
    tail = found.tail()
    assert tail is not None
    threshold = found.threshold(tail, 0.5)
    assert (found.scores >= threshold).sum() == 500


def test_a_person_with_many_faces_counts_once() -> None:
    scores = drawn(1_000, 5.0)
    once = searches(scores).tail()
    # the first hundred people have their face ten times
    often = np.repeat(np.arange(1_000), np.where(np.arange(1_000) < 100, 10, 1))
    many = searches(scores[often], often.tolist()).tail()
    assert once is not None
    assert many is not None
    assert many.power == pytest.approx(once.power, rel=1e-6)
    assert many.share == pytest.approx(once.share, abs=0.002)


def test_small_galleries_take_more_than_a_tenth_for_the_tail() -> None:
    tail = searches(drawn(50, 5.0)).tail()
    assert tail is not None
    assert tail.share == pytest.approx(0.4, abs=0.021)


def test_scores_that_do_not_differ_have_no_tail() -> None:
    assert searches(np.full(100, 0.5)).tail() is None
    assert searches(np.ones(100)).tail() is None


def test_the_interval_holds_the_true_threshold_about_nineteen_times_in_twenty() -> None:
    true, held = 1 - 0.01 ** (1 / 5.0), 0
    for seed in range(60):
        found = searches(drawn(200, 5.0, seed))
        tail = found.tail()
        assert tail is not None
        interval = found.interval(found.threshold(tail, 0.01), 0.01)
        held += interval.low <= true <= interval.high
    # 50 or fewer of 60 would come once in 200 tries
    assert held > 50


def test_two_who_are_each_others_nearest_are_one_independent_score() -> None:
    scores, people = np.repeat(drawn(100, 5.0), 2), np.arange(200)
    pairs, alone = strangers(scores, people, people ^ 1), searches(scores)
    assert (len(np.unique(pairs.units)), len(np.unique(alone.units))) == (100, 200)
    tail = alone.tail()
    assert tail is not None
    threshold = alone.threshold(tail, 0.01)
    one, two = alone.interval(threshold, 0.01), pairs.interval(threshold, 0.01)
    assert two.high - two.low > one.high - one.low


def gumbel(people: int, seed: int) -> Values:
    """Best similarities whose way to 1 is as that of nearest neighbours."""
    drawn: Values = 1 - np.exp(-np.random.default_rng(seed).gumbel(1.0, 0.1, size=people))
    return drawn


def test_the_limit_of_suspects_is_seldom_passed() -> None:
    galleries = [gumbel(300, seed) for seed in range(100)]
    assert sum(bool((scores > suspect_limit(scores)).any()) for scores in galleries) <= 5


def test_duplicates_hardly_move_the_limit_of_suspects() -> None:
    scores = gumbel(300, 0)
    before = suspect_limit(scores)
    scores[:20] = 0.9999
    assert before < suspect_limit(scores) < before + 0.1
