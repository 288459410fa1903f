"""Pairs of photographs: labelled one by one, or all those among labelled people."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

MOST_PAIRS = 4_000_000
"""More are not compared but drawn from: 4 million pairs take 80 MB, and an FMR of 1e-4 still rests
on hundreds of false matches."""
MOST_PAIRS_OF_A_PERSON = 10_000
SEED = 0
"""Fixed, so that a repeated evaluation says the same."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """`one` and `other` are numbers of photographs, `same` whether they show one person; all have
    shape (n,). `drawn` says that these are a random part of all pairs there are."""

    one: Numbers
    other: Numbers
    same: NDArray[np.bool_]
    drawn: bool = False

    def __len__(self) -> int:
        return len(self.one)


def pairs_among(people: Numbers) -> Pairs:
    """All pairs of labelled photographs, or a bounded random part of them.

    Args:
        people: shape (photographs,), the number of the person on each; below 0: not labelled.
    """
    known = np.flatnonzero(people >= 0)
    if len(known) * (len(known) - 1) // 2 <= MOST_PAIRS:
        rows, columns = np.triu_indices(len(known), 1)
        one, other = known[rows], known[columns]
        return Pairs(one, other, people[one] == people[other])
    random = np.random.default_rng(SEED)
    genuine = _drawn_genuine(people, known, random)
    impostors = _drawn_impostors(people, known, random)
    both = np.concatenate([genuine, impostors])
    return Pairs(both[:, 0], both[:, 1], np.arange(len(both)) < len(genuine), drawn=True)


def _drawn_genuine(people: Numbers, known: Numbers, random: np.random.Generator) -> Numbers:
    """Shape (n, 2). No person may fill the whole sample with the square of their photographs."""
    parts = [
        _drawn(np.stack(np.triu_indices(len(group), 1), axis=1), MOST_PAIRS_OF_A_PERSON, random)
        if len(group) <= 2_000
        else _unequal(random.integers(len(group), size=(MOST_PAIRS_OF_A_PERSON, 2)))
        for group in _groups(people, known)
    ]
    groups = _groups(people, known)
    pairs = [group[part] for group, part in zip(groups, parts, strict=True)]
    return _drawn(np.concatenate(pairs), MOST_PAIRS // 2, random)


def _groups(people: Numbers, known: Numbers) -> Iterator[Numbers]:
    """The photographs of each person."""
    ordered = known[np.argsort(people[known], kind="stable")]
    starts = np.flatnonzero(np.diff(people[ordered])) + 1
    return iter(np.split(ordered, starts))


def _drawn_impostors(people: Numbers, known: Numbers, random: np.random.Generator) -> Numbers:
    """Shape (n, 2)."""
    candidates = _unequal(known[random.integers(len(known), size=(MOST_PAIRS, 2))])
    differ = people[candidates[:, 0]] != people[candidates[:, 1]]
    return _drawn(candidates[differ], MOST_PAIRS // 2, random)


def _unequal(pairs: Numbers) -> Numbers:
    """Each pair once, the smaller number first, and none of a photograph with itself."""
    ordered: Numbers = np.unique(np.sort(pairs, axis=1), axis=0)
    return ordered[np.flatnonzero(ordered[:, 0] != ordered[:, 1])]


def _drawn(pairs: Numbers, most: int, random: np.random.Generator) -> Numbers:
    if len(pairs) <= most:
        return pairs
    return pairs[random.choice(len(pairs), most, replace=False)]


def people_of(pairs: Pairs, photographs: int, people: Numbers | None) -> tuple[Numbers, int]:
    """Who is on each photograph, as far as the labels say, and how many pairs contradict that.

    Photographs joined by pairs of one person, or by `people`, show one person; a photograph that
    nothing joins to another is taken for a person of its own.

    Returns:
        Numbers of people, shape (photographs,), and the number of pairs labelled as two people
        though other labels make them one.
    """
    parents = np.arange(photographs)

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = int(parents[number])
        return number

    for one, other in zip(pairs.one[pairs.same], pairs.other[pairs.same], strict=True):
        parents[root(int(one))] = root(int(other))
    if people is not None:
        for group in _groups(people, np.flatnonzero(people >= 0)):
            for other in group[1:]:
                parents[root(int(group[0]))] = root(int(other))
    roots = np.array([root(number) for number in range(photographs)], dtype=np.int64)
    numbers: Numbers = np.unique(roots, return_inverse=True)[1].astype(np.int64)
    contradicting = ~pairs.same & (numbers[pairs.one] == numbers[pairs.other])
    return numbers, int(contradicting.sum())
