"""All pairs among people, a bounded part of too many, and who the labels join."""

import numpy as np
import pytest

from service.evaluation import pairs as module
from service.evaluation.pairs import pairs_among, people_of
from tests.evaluation.values import numbers, pairs


def test_all_pairs_of_those_who_are_labelled() -> None:
    made = pairs_among(numbers(0, -1, 0, 1))
    rows = zip(made.one.tolist(), made.other.tolist(), made.same.tolist(), strict=True)
    assert list(rows) == [(0, 2, True), (0, 3, False), (2, 3, False)]
    assert not made.drawn


def test_too_many_pairs_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 2_000)
    monkeypatch.setattr(module, "MOST_PAIRS_OF_A_PERSON", 300)
    people = np.concatenate([np.zeros(2_500, dtype=np.int64), np.repeat(np.arange(1, 60), 5)])
    made = pairs_among(people)
    assert made.drawn
    assert 500 < len(made) <= 2_000
    assert (made.one < made.other).all()
    assert (made.same == (people[made.one] == people[made.other])).all()
    assert len(np.unique(np.stack([made.one, made.other]), axis=1).T) == len(made)
    genuine = people[made.one[made.same]]
    assert (genuine == 0).sum() <= 300
    # everybody else has 10 pairs, and all of them are there
    assert np.bincount(genuine)[1:].tolist() == [10] * 59


def test_a_draw_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 100)
    people = np.repeat(np.arange(10), 10)
    one, other = pairs_among(people), pairs_among(people)
    assert (one.one == other.one).all()
    assert (one.other == other.other).all()


def test_pairs_of_one_person_join_and_the_rest_are_people_of_their_own() -> None:
    labelled = pairs((0, 1, True), (1, 2, True), (3, 4, False), (0, 3, False))
    people, contradictions = people_of(labelled, 6, None)
    assert people[0] == people[1] == people[2]
    assert len(set(people.tolist())) == 4
    assert people.max() == 3
    assert contradictions == 0


def test_identities_join_too() -> None:
    people, _ = people_of(pairs((0, 1, True), (2, 3, False)), 4, numbers(-1, 7, 7, -1))
    assert people[0] == people[1] == people[2] != people[3]


def test_contradictions_are_counted() -> None:
    labelled = pairs((0, 1, True), (1, 2, True), (0, 2, False), (0, 3, False))
    assert people_of(labelled, 4, None)[1] == 1
