"""Neighbours equal those of a plain search, whatever the blocks."""

import numpy as np
import pytest

from service.evaluation import neighbours
from service.evaluation.neighbours import Neighbours
from tests.evaluation.galleries import Population, enrolled


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", 7)
    monkeypatch.setattr(neighbours, "COLUMNS", 11)


def test_the_same_as_brute_force() -> None:
    gallery = Population(1).gallery(20, 3)
    found, told = Neighbours.none(60), list[int]()
    found.search(gallery.embeddings, gallery.subjects, np.arange(60), told.append)
    similarities = gallery.embeddings @ gallery.embeddings.T
    same = gallery.subjects[:, None] == gallery.subjects[None, :]
    others = np.where(same, -np.inf, similarities)
    own = np.where(same & ~np.eye(60, dtype=bool), similarities, -np.inf)
    np.testing.assert_allclose(found.others, others.max(axis=1), atol=1e-6)
    np.testing.assert_array_equal(found.nearest, others.argmax(axis=1))
    np.testing.assert_allclose(found.own, own.max(axis=1), atol=1e-6)
    assert sum(told) == 60


def test_only_the_faces_asked_for_change() -> None:
    gallery = Population(1).gallery(20, 2)
    found = Neighbours.none(40)
    found.search(gallery.embeddings, gallery.subjects, np.array([3, 30]))
    assert np.flatnonzero(found.nearest >= 0).tolist() == [3, 30]


def test_who_is_alone_has_none() -> None:
    gallery = enrolled(np.eye(64, dtype=np.float32)[:3], [0, 0, 0])
    found = Neighbours.none(3)
    found.search(gallery.embeddings, gallery.subjects, np.arange(3))
    assert found.nearest.tolist() == [-1, -1, -1]
    assert np.isneginf(found.others).all()
    assert found.own.tolist() == [0, 0, 0]


def test_copies_of_a_vector_are_not_more_similar_than_one() -> None:
    vector = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    gallery = enrolled(np.repeat(vector, 2, axis=0), [0, 1])
    found = Neighbours.none(2)
    found.search(gallery.embeddings, gallery.subjects, np.arange(2))
    assert found.others.tolist() == pytest.approx([1, 1], abs=1e-6)
    assert (found.others <= 1).all()
