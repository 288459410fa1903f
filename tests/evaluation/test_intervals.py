"""Intervals against their definitions, and when data are called too few."""

import math

import numpy as np
import pytest

from service.evaluation.intervals import (
    Evidence,
    allowed_errors,
    evidence,
    interval,
    people_drawn,
    rule_of_three,
    wilson,
)


@pytest.mark.parametrize(("errors", "trials"), [(0, 10), (1, 10), (5, 10), (10, 10), (30, 3000)])
def test_wilson_solves_its_equation(errors: int, trials: int) -> None:
    """Its ends are the rates from which the measured one is 1.96 of their own deviations away."""
    seen = errors / trials
    found = wilson(seen, trials)
    for end in (found.low, found.high):
        if 0 < end < 1:
            assert abs(seen - end) == pytest.approx(
                1.959964 * math.sqrt(end * (1 - end) / trials), rel=1e-5
            )
    assert found.low <= seen <= found.high


def test_wilson_by_published_values() -> None:
    """5 of 10 and 0 of 10, as in L. D. Brown et al., Statistical Science 16, 2001."""
    assert wilson(0.5, 10).low == pytest.approx(0.2366, abs=1e-4)
    assert wilson(0.5, 10).high == pytest.approx(0.7634, abs=1e-4)
    assert wilson(0.0, 10).low == 0.0
    assert wilson(0.0, 10).high == pytest.approx(0.2775, abs=1e-4)


def test_the_rule_of_three_bounds_the_exact_limit() -> None:
    """The exact one is 1 - 0.05 ** (1 / n)."""
    for trials in (30, 300, 3000):
        exact = 1 - 0.05 ** (1 / trials)
        assert exact <= rule_of_three(trials) <= 1.06 * exact
    assert rule_of_three(1) == 1.0


@pytest.mark.parametrize(
    ("rate", "trials", "known"),
    [
        (0.01, 99, Evidence.NONE),
        (0.01, 100, Evidence.FEW),
        (0.01, 2_999, Evidence.FEW),
        (0.01, 3_000, Evidence.ENOUGH),
        (1e-4, 9_999, Evidence.NONE),
        (1e-4, 300_000, Evidence.ENOUGH),
    ],
)
def test_what_the_data_resolve(rate: float, trials: int, known: Evidence) -> None:
    assert evidence(rate, trials) is known


@pytest.mark.parametrize(("rate", "trials", "errors"), [(0.01, 300, 3), (0.001, 29_000, 29)])
def test_allowed_errors_are_not_lost_to_rounding(rate: float, trials: int, errors: int) -> None:
    assert allowed_errors(rate, trials) == errors


def test_draws_have_as_many_people_each_time() -> None:
    draws = list(people_drawn(5, 100))
    assert len(draws) == 1_000
    assert all(draw.sum() == 5 and draw.shape == (5,) for draw in draws)
    assert np.mean(draws, axis=0) == pytest.approx(np.ones(5), abs=0.15)


def test_there_are_fewer_draws_of_much_but_never_few() -> None:
    assert len(list(people_drawn(3, 2_500_000))) == 400
    assert len(list(people_drawn(3, 10**12))) == 200


def test_the_wider_interval_is_reported_at_each_end() -> None:
    drawn = [0.2] * 500 + [0.99] * 500
    found = interval(0.9, 1_000, drawn)
    assert found.low == 0.2
    assert found.high == 0.99
    narrow = interval(0.9, 10, [0.9] * 1_000)
    assert narrow == wilson(0.9, 10)


def test_without_any_draw_wilson_is_left() -> None:
    assert interval(0.9, 10, []) == wilson(0.9, 10)
