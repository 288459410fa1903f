"""Scores: the similarities of labelled pairs, best first, with the people they are of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.evaluation.pairs import Numbers, Pairs
from service.evaluation.templates import Templates

BINS = 50


@dataclass(frozen=True, slots=True)
class Side:
    """Genuine or impostor scores, highest first, all of shape (n,).

    `one` and `other` are the numbers of the photographs, `person_one` and `person_other` those of
    the people on them.
    """

    scores: NDArray[np.float64]
    one: Numbers
    other: Numbers
    person_one: Numbers
    person_other: Numbers

    def __len__(self) -> int:
        return len(self.scores)

    def share_from(self, threshold: float) -> float:
        """The share of scores at the threshold or above, 0..1."""
        return self.count_from(threshold) / len(self)

    def count_from(self, threshold: float) -> int:
        """How many scores are at the threshold or above: those would be accepted."""
        return len(self) - int(np.searchsorted(self.scores[::-1], threshold, side="left"))

    def units(self) -> int:
        """How many people, for genuine pairs, or pairs of two people these comparisons are of."""
        people = np.sort(np.stack([self.person_one, self.person_other]), axis=0)
        return int(np.unique(people, axis=1).shape[1])


@dataclass(frozen=True, slots=True)
class Scores:
    """`skipped` counts the pairs that have no score, since a photograph of theirs has no
    template; `people` is how many people there are."""

    genuine: Side
    impostors: Side
    skipped: int
    people: int


def score_pairs(templates: Templates, pairs: Pairs, people: Numbers) -> Scores:
    """Compare the pairs.

    Args:
        people: shape (photographs,), the person on each, numbered from 0.
    """
    there = (templates.rows[pairs.one] >= 0) & (templates.rows[pairs.other] >= 0)
    one, other, same = pairs.one[there], pairs.other[there], pairs.same[there]
    similarities = templates.similarities(one, other).astype(np.float64)

    def side(chosen: NDArray[np.bool_]) -> Side:
        order = np.argsort(-similarities[chosen], kind="stable")
        left, right = one[chosen][order], other[chosen][order]
        return Side(similarities[chosen][order], left, right, people[left], people[right])

    return Scores(side(same), side(~same), int((~there).sum()), int(people.max()) + 1)


@dataclass(frozen=True, slots=True)
class Histogram:
    """`edges` has shape (bins + 1,); the others, shape (bins,), are shares that add up to 1."""

    edges: NDArray[np.float64]
    genuine: NDArray[np.float64]
    impostors: NDArray[np.float64]


def histogram(scores: Scores) -> Histogram:
    genuine, impostors = scores.genuine.scores, scores.impostors.scores
    low = min(genuine[-1], impostors[-1])
    high = max(genuine[0], impostors[0])
    edges = np.linspace(low, high if high > low else low + 1e-6, BINS + 1)
    return Histogram(
        edges,
        np.histogram(genuine, edges)[0] / len(genuine),
        np.histogram(impostors, edges)[0] / len(impostors),
    )
