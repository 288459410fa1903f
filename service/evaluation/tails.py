"""Tails: the highest impostor scores, and what they say about still higher ones.

A subject searched for in the gallery without its own faces is a stranger, and the best similarity
it meets is one score of a non-mated search. How often a higher one comes is extrapolated from the
highest of them, peaks over a threshold (S. Coles, "An Introduction to Statistical Modeling of
Extreme Values", Springer, 2001, chapter 4; for scores of recognition W. J. Scheirer et al.,
"Meta-Recognition: The Theory and Practice of Recognition Score Analysis", IEEE TPAMI 33, 2011).

Of the generalised Pareto distribution only the end is known, similarity 1, and only the exponent
is fitted, by maximum likelihood: the mean of ln((1 - start) / (1 - score)) over the scores above
the start (B. M. Hill, Annals of Statistics 3, 1975). On unit vectors 1 - similarity is half the
squared distance, so this is the distribution of nearest distances, with half the dimension that
the vectors fill as its exponent (E. Levina, P. J. Bickel, "Maximum Likelihood Estimation of
Intrinsic Dimension", NIPS 17, 2004). Fitting the end as well was tried (probability-weighted
moments, J. R. M. Hosking, J. R. Wallis, Technometrics 29, 1987) and erred by more: figures of both
are in docs/evaluation.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.domain.calibrations import Tail
from service.evaluation.intervals import LEVEL, Interval, people_drawn
from service.evaluation.pairs import Numbers

Values = NDArray[np.float64]

SHARE = 0.1
"""The tail is a tenth of the subjects (W. DuMouchel, Annals of Statistics 11, 1983)..."""
FEWEST = 20
"""...but at least so many."""
NEAREST = 1e-6
"""1 - similarity of two copies of one vector: float32 tells no smaller differences."""
ONE_IN = 100
"""A gallery in so many has one pair of two people beyond `suspect_limit`."""


@dataclass(frozen=True, slots=True)
class Strangers:
    """Non-mated searches, the highest score first; all arrays have shape (faces,).

    `weights` add up to 1 for each subject, however many faces it has. `units` numbers what is
    independent from 0: two subjects who are one another's nearest bring one score, not two.
    """

    scores: Values
    weights: Values
    units: Numbers
    subjects: int

    def tail(self, weights: Values | None = None) -> Tail | None:
        """Fit the tail; None where its scores are all the same, so that there is none.

        Args:
            weights: shape (faces,), instead of this object's own.
        """
        given = self.weights if weights is None else weights
        # who was not drawn does not stand in the order either
        scores, given = self.scores[given > 0], given[given > 0]
        total, above = float(given.sum()), np.cumsum(given)
        wanted = max(min(FEWEST, total / 2), SHARE * total)
        # ten times a tenth is a little less than 1
        place = int(np.searchsorted(above, wanted - 1e-9))
        if place + 1 >= len(given):
            return None
        start = float(scores[place + 1])
        # ties with the start are below it
        count = int(np.searchsorted(-scores, -start, side="left"))
        if count == 0 or start >= 1:
            return None
        gaps = np.maximum(1 - scores[:count], NEAREST)
        weight = float(above[count - 1])
        excess = float(given[:count] @ np.log((1 - start) / gaps))
        return Tail(start, weight / total, weight / excess) if excess > 0 else None

    def threshold(self, tail: Tail, fpir: float, weights: Values | None = None) -> float:
        """The similarity with that FPIR: by the tail, or below it the quantile of the scores."""
        if fpir <= tail.share:
            return tail.threshold(fpir)
        given = self.weights if weights is None else weights
        above = np.cumsum(given) / given.sum()
        place = min(int(np.searchsorted(above, fpir, side="right")), len(above) - 1)
        return min(1.0, math.nextafter(float(self.scores[place]), math.inf))

    def interval(self, threshold: float, fpir: float) -> Interval:
        """Of the threshold, by a bootstrap over the units; it includes the threshold itself."""
        drawn = [threshold, *self._drawn(fpir)]
        edge = 100 * (1 - LEVEL) / 2
        low, high = np.percentile(drawn, [edge, 100 - edge])
        return Interval(min(float(low), threshold), max(float(high), threshold))

    def _drawn(self, fpir: float) -> Iterator[float]:
        for times in people_drawn(int(self.units.max()) + 1, len(self.scores)):
            weights = self.weights * times[self.units]
            tail = self.tail(weights)
            if tail is not None:
                yield self.threshold(tail, fpir, weights)


def strangers(scores: Values, subjects: Numbers, nearest: Numbers) -> Strangers:
    """Order and weigh the searches.

    Args:
        scores: shape (faces,), each face's best similarity among other subjects.
        subjects: shape (faces,), the subject of each, numbered from 0 without a gap.
        nearest: shape (faces,), the subject whose face that best one is.
    """
    order = np.argsort(-scores, kind="stable")
    # the first in this order is the subject's best
    ordered = subjects[order]
    numbers, first = np.unique(ordered, return_index=True)
    towards = nearest[order][first]
    mutual = towards[towards] == numbers
    _, units = np.unique(
        np.where(mutual, np.minimum(numbers, towards), numbers), return_inverse=True
    )
    weights = 1 / np.bincount(subjects)[ordered]
    return Strangers(scores[order], weights, units[ordered], len(numbers))


def suspect_limit(best: Values) -> float:
    """The similarity above which two subjects are likely to be one person.

    Logarithms of nearest distances follow Gumbel's distribution (see above); it is placed by the
    quartiles, which a few duplicates do not move, and the limit is what the highest of so many
    scores exceeds once in `ONE_IN` galleries.

    Args:
        best: shape (subjects,), each subject's best similarity among the others.
    """
    low, middle, high = np.percentile(-np.log(np.maximum(1 - best, NEAREST)), [25, 50, 75])
    spread = (high - low) / math.log(math.log(4) / math.log(4 / 3))
    chance = 1 / (ONE_IN * len(best))
    beyond = math.log(math.log(2)) - math.log(-math.log1p(-chance))
    return 1 - math.exp(-(middle + spread * beyond))
