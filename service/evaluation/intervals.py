"""What a measured rate is worth: intervals that count people, and when data are too few.

Comparisons that share a person are not independent, so neither pairs nor photographs are counted
as trials here. Two intervals are made, and the wider one at each end is reported:

- the percentiles of a bootstrap over people (R. M. Bolle, N. K. Ratha, S. Pankanti, "Error
  analysis of pattern recognition systems: the subsets bootstrap", Computer Vision and Image
  Understanding 93, 2004): people are drawn with replacement, with all that is theirs;
- Wilson's score interval (E. B. Wilson, Journal of the American Statistical Association 22, 1927)
  with each person, or each pair of two people, counted as one trial. It keeps its width where no
  error was seen, and every draw of the bootstrap says the same.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 1_000
FEWEST_DRAWS = 200
WORK = 1_000_000_000
"""Weights looked at over all draws, about ten seconds."""
SEED = 0

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Of a rate, 0..1, at the level `LEVEL`."""

    low: float
    high: float


class Evidence(StrEnum):
    """How far the data resolve a wanted error rate.

    The rule of 30 (G. Doddington et al., "The NIST speaker recognition evaluation", Speech
    Communication 31, 2000): with 30 errors seen, the true rate lies within 30 % of the measured
    one with a confidence of 90 %, if trials are independent.
    """

    ENOUGH = "enough"
    """At this rate 30 errors or more are among the trials."""
    FEW = "few"
    """At least one is, but not 30: the figure is rough."""
    NONE = "none"
    """The rate would need more trials for a single error: it cannot be measured here."""


def evidence(rate: float, trials: int) -> Evidence:
    if allowed_errors(rate, trials) < 1:
        return Evidence.NONE
    return Evidence.FEW if allowed_errors(rate, trials) < 30 else Evidence.ENOUGH


def allowed_errors(rate: float, trials: int) -> int:
    """The most errors among the trials at which their share does not exceed the rate."""
    return math.floor(rate * trials + 1e-9)  # 0.01 * 300 is a little less than 3


def rule_of_three(trials: int) -> float:
    """The highest rate, at 95 %, that agrees with no error in so many independent trials: 3 / n
    (J. A. Hanley, A. Lippman-Hand, JAMA 249, 1983; ISO/IEC 19795-1)."""
    return min(1.0, 3 / trials)


def wilson(rate: float, trials: int) -> Interval:
    """Wilson's score interval of a rate, 0..1, seen in so many trials, at least 1."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    centre = rate + z * z / (2 * trials)
    scale = 1 + z * z / trials
    # these two ends are exact, and rounding would miss them
    low = (centre - spread) / scale if rate > 0 else 0.0
    high = (centre + spread) / scale if rate < 1 else 1.0
    return Interval(low, high)


def people_drawn(people: int, comparisons: int) -> Iterator[Weights]:
    """How often each of the people is in a draw with replacement, shape (people,), draw by draw.

    There are fewer draws, never below `FEWEST_DRAWS`, the more comparisons each has to weigh.
    """
    random = np.random.default_rng(SEED)
    for _ in range(min(DRAWS, max(FEWEST_DRAWS, WORK // max(1, comparisons)))):
        chosen = random.integers(people, size=people)
        yield np.bincount(chosen, minlength=people).astype(np.float64)


def interval(rate: float, trials: int, drawn: list[float]) -> Interval:
    """The wider, at each end, of Wilson's interval and the percentiles of the bootstrap.

    Args:
        rate: as measured, 0..1.
        trials: people, or pairs of two people, at least 1.
        drawn: the rate in each draw; may be empty.
    """
    wide = wilson(rate, trials)
    if not drawn:
        return wide
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Interval(min(wide.low, float(low)), max(wide.high, float(high)))
