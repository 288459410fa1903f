"""A gallery's threshold, tried on strangers that it has never seen."""

import numpy as np
import pytest

from service.errors import CalibrationImpossible
from service.evaluation.calibration import FEWEST_SUBJECTS, Calibrated, calibrate
from service.evaluation.enrolled import Enrolled
from tests.evaluation.galleries import Population, enrolled, share_accepted


def calibrated(gallery: Enrolled, fpir: float = 0.01, *, ignore: bool = False) -> Calibrated:
    return calibrate(gallery, fpir, ignore_suspects=ignore)


@pytest.mark.parametrize("each", [1, 3])
@pytest.mark.parametrize("fpir", [0.1, 0.01])
def test_strangers_are_accepted_as_often_as_asked_for(each: int, fpir: float) -> None:
    """Within a half and twice as often, on average over three galleries."""
    shares = []
    for seed in range(3):
        population = Population(seed)
        gallery = population.gallery(600, each)
        found = calibrated(gallery, fpir)
        probes = population.photographs(population.people(8_000), 1)
        shares.append(share_accepted(gallery, probes, found.calibration.threshold))
    assert fpir / 2 < np.mean(shares) < 2 * fpir


def test_the_evidence_is_told() -> None:
    gallery = Population(5).gallery(120, 2)
    found = calibrated(gallery)
    made = found.calibration
    assert (made.subjects, made.faces, made.version, made.fpir) == (120, 240, 7, 0.01)
    assert made.low < made.threshold < made.high <= 1
    assert made.tail.exceedance(made.threshold) == pytest.approx(0.01)
    assert (made.suspects, found.suspects, found.extrapolated) == (0, (), False)
    assert found.highest < found.suspect_limit
    assert made.release
    assert calibrated(gallery).calibration.low == made.low, "the same draws every time"


def test_less_than_one_false_positive_is_extrapolation() -> None:
    assert calibrated(Population(5).gallery(120), 0.001).extrapolated


def test_a_lower_fpir_needs_a_higher_threshold_and_is_less_certain() -> None:
    gallery = Population(6).gallery(300)
    strict, lenient = calibrated(gallery, 0.001).calibration, calibrated(gallery, 0.1).calibration
    assert strict.threshold > lenient.threshold
    assert strict.high - strict.low > lenient.high - lenient.low


@pytest.mark.parametrize("people", [0, 1, FEWEST_SUBJECTS - 1])
def test_too_few_people_are_refused_with_the_number_needed(people: int) -> None:
    population = Population(1)
    gallery = population.gallery(people, 3) if people else _empty()
    with pytest.raises(CalibrationImpossible, match=f"{people} different people.*50 or more"):
        calibrated(gallery)


def _empty() -> Enrolled:
    one = enrolled(np.ones((1, 64), dtype=np.float32), [0])
    return Enrolled(
        one.gallery,
        one.version,
        one.embeddings[:0],
        one.subjects[:0],
        one.face_ids[:0],
        one.subject_ids[:0],
    )


def test_people_who_are_all_alike_are_refused() -> None:
    gallery = enrolled(np.ones((60, 64), dtype=np.float32), list(range(60)))
    with pytest.raises(CalibrationImpossible, match="do not differ"):
        calibrated(gallery)


def with_duplicates(seed: int, people: int, copies: int) -> Enrolled:
    """The last subjects are photographs of the first person each, under ids of their own."""
    population = Population(seed)
    means = population.people(people)
    again = np.concatenate([means, *[means[:1]] * (copies - 1), means[1:2]])
    return enrolled(population.photographs(again, 1, blur=0.05), list(range(len(again))))


def test_duplicates_are_told_and_left_out_only_when_asked() -> None:
    clean = with_duplicates(3, 200, 1)
    doubled = with_duplicates(3, 200, 4)
    spoiled = calibrated(doubled, 0.001)
    told = {frozenset(pair.both) for pair in spoiled.suspects}
    assert frozenset({1, 203}) in told
    assert {number for pair in told for number in pair} == {0, 1, 200, 201, 202, 203}
    assert [pair.similarity for pair in spoiled.suspects] == sorted(
        (pair.similarity for pair in spoiled.suspects), reverse=True
    )
    assert spoiled.calibration.suspects == 0
    mended = calibrated(doubled, 0.001, ignore=True)
    assert mended.calibration.subjects == 200
    assert mended.calibration.suspects == len(mended.suspects) >= 4
    assert mended.highest < mended.suspect_limit
    assert spoiled.calibration.threshold - mended.calibration.threshold > 0.02
    assert clean.embeddings.shape == (201, 64)


def test_too_few_people_are_left_without_the_suspects() -> None:
    with pytest.raises(CalibrationImpossible, match="49 different people"):
        calibrated(with_duplicates(4, 49, 2), ignore=True)
