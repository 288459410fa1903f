"""Thinned curves keep their corners."""

import numpy as np

from service.evaluation.curves import MOST_POINTS, Curve, thinned


def test_points_on_a_straight_line_are_dropped() -> None:
    x = np.array([0, 0, 0, 0.25, 0.5, 0.5, 1])
    y = np.array([0, 0.3, 0.6, 0.6, 0.6, 1, 1])
    found = thinned(Curve(x, y, np.arange(7.0)))
    assert found.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert found.y.tolist() == [0, 0.6, 0.6, 1, 1]
    assert found.thresholds.tolist() == [0, 2, 4, 5, 6]


def test_many_corners_are_thinned_evenly_on_a_logarithmic_axis() -> None:
    steps = np.repeat(np.linspace(0, 1, 50_001), 2)
    curve = Curve(steps[:-1], steps[1:], np.linspace(1, 0, 100_001))
    found = thinned(curve)
    assert len(found.x) <= MOST_POINTS
    assert found.x[0] == 0
    assert found.x[-1] == 1
    for decade in (1e-4, 1e-3, 1e-2, 1e-1):
        assert ((found.x >= decade) & (found.x < 10 * decade)).sum() > 30
