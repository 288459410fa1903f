"""A run holds what its photographs and labels give."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.errors import InputFileInvalid
from service.evaluation import measure
from tests.evaluation.values import (
    ANY_QUALITY,
    LIMITS,
    THRESHOLD,
    ColourAnalyser,
    colour_labels,
    numbers,
    pairs,
    save,
)


def test_a_run_by_hand(tmp_path: Path) -> None:
    run = measure(ColourAnalyser(), LIMITS, ANY_QUALITY, colour_labels(tmp_path), "auto")
    found = run.verification
    assert (run.photographs, found.pairs, found.genuine, found.people) == (6, 15, 4, 3)
    assert found.default_threshold == THRESHOLD
    assert found.correct_at_default_threshold == 15
    assert found.margin > 0
    assert run.identification is not None
    assert (run.identification.subjects, run.identification.mated) == (3, 5)
    assert run.identification.rank_1 == 1.0
    assert 0 < run.seconds.median <= run.seconds.percentile_95 <= run.seconds.slowest
    assert run.label == "Colour, native, skip"


def test_the_hardest_pairs_come_first(tmp_path: Path) -> None:
    labels = colour_labels(tmp_path)
    run = measure(ColourAnalyser(), LIMITS, ANY_QUALITY, labels, "auto")
    lowest = [pair.similarity for pair in run.lowest_genuine]
    assert lowest == sorted(lowest)
    assert lowest[0] == run.verification.lowest_genuine
    assert len(lowest) == 4
    highest = [pair.similarity for pair in run.highest_impostors]
    assert highest == sorted(highest, reverse=True)
    assert highest[0] == run.verification.highest_impostor
    assert len(highest) == 5
    worst = run.highest_impostors[0]
    one, other = np.array([200, 60, 0]), np.array([60, 0, 240])
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert worst.similarity >= cosine
    assert {worst.one, worst.other} <= {photograph.name for photograph in labels.photographs}


def test_without_named_people_there_is_no_identification(tmp_path: Path) -> None:
    labels = replace(colour_labels(tmp_path), people=None)
    run = measure(ColourAnalyser(), LIMITS, ANY_QUALITY, labels, "auto")
    assert run.identification is None
    # pairs alone say that the green one is somebody else
    assert run.verification.people == 3


def test_contradicting_labels_are_counted(tmp_path: Path) -> None:
    labels = colour_labels(tmp_path)
    contradicting = pairs((0, 1, True), (1, 2, True), (0, 2, False), (0, 3, False))
    run = measure(
        ColourAnalyser(), LIMITS, ANY_QUALITY, replace(labels, pairs=contradicting), "auto"
    )
    assert run.contradictions == 1


def test_a_run_without_a_pair_left_says_what_was_skipped(tmp_path: Path) -> None:
    photographs = tuple(save(tmp_path / f"{n}.png", (0, 0, 0)) for n in range(3))
    labels = replace(
        colour_labels(tmp_path / "other"),
        photographs=photographs,
        pairs=pairs((0, 1, True), (0, 2, False)),
        people=numbers(0, 0, 1),
    )
    with pytest.raises(InputFileInvalid, match=r"one person is left: 3 .* '0.png': .*clear face"):
        measure(ColourAnalyser(), LIMITS, ANY_QUALITY, labels, "auto")
