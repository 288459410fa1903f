"""Curves for plots and files: few points, and those on a logarithmic axis kept apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 400

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """An error rate against another, both 0..1, and the thresholds where they were measured, the
    strictest first; all of shape (n,)."""

    x: Values
    y: Values
    thresholds: Values


def thinned(curve: Curve) -> Curve:
    """The corners of a step curve; of many, those nearest to steps of equal ratio in `x`."""
    corners = np.flatnonzero(_corners(curve))
    if len(corners) > MOST_POINTS:
        positive = curve.x[corners][curve.x[corners] > 0]
        wanted = np.geomspace(positive.min(), positive.max(), MOST_POINTS - 1)
        near = np.searchsorted(curve.x[corners], wanted, side="left")
        corners = corners[np.unique(np.concatenate([[0], near]))]
    return Curve(curve.x[corners], curve.y[corners], curve.thresholds[corners])


def _corners(curve: Curve) -> NDArray[np.bool_]:
    """Points at which the curve does not go straight on along one axis."""
    x_moves, y_moves = np.diff(curve.x) != 0, np.diff(curve.y) != 0
    straight = (x_moves[:-1] & x_moves[1:] & ~y_moves[:-1] & ~y_moves[1:]) | (
        ~x_moves[:-1] & ~x_moves[1:] & y_moves[:-1] & y_moves[1:]
    )
    return np.concatenate([[True], ~straight, [True]])
