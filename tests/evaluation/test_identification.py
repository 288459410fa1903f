"""Open-set identification against cases worked out by hand, and against brute force."""

import numpy as np
import pytest

from service.evaluation import identification as module
from service.evaluation.identification import Identification, Searches, identify, search_all
from service.evaluation.intervals import Evidence
from tests.evaluation.values import numbers, templates


def found(searches: Searches, threshold: float = 0.5) -> Identification:
    made = identify(searches, threshold)
    assert made is not None
    return made


def searches(people: list[int], own: list[float], others: list[float]) -> Searches:
    return Searches(
        numbers(*people), np.array(own, dtype=np.float32), np.array(others, dtype=np.float32)
    )


def test_each_photograph_is_searched_for_without_itself() -> None:
    """Three photographs at 0, 20 and 90 degrees, the first two of one person."""
    angles = np.radians([0, 20, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).tolist()
    made = search_all(templates(vectors), numbers(0, 0, 1))
    assert made.own[:2] == pytest.approx(np.cos(np.radians([20, 20])))
    assert np.isneginf(made.own[2]), "nobody is left of a person with one photograph"
    assert made.others == pytest.approx(np.cos(np.radians([90, 70, 70])), abs=1e-6)


def test_unlabelled_and_skipped_photographs_are_not_in_the_gallery() -> None:
    whole = templates([(1, 0), (1, 0.1), (1, 0.05), (0, 1)])
    whole.rows[1] = -1
    made = search_all(whole, numbers(0, 0, -1, 1))
    assert made.people.tolist() == [0, 1]
    assert made.others == pytest.approx([0, 0])


def test_a_case_by_hand() -> None:
    """Four mated probes: found at 0.9 and 0.6, found below the threshold, and another first."""
    made = found(
        searches([0, 0, 1, 1, 2], [0.9, 0.6, 0.45, 0.8, -np.inf], [0.1, 0.2, 0.3, 0.85, 0.4])
    )
    assert (made.subjects, made.faces, made.mated, made.non_mated) == (3, 5, 4, 5)
    assert made.rank_1 == 0.75
    assert made.fnir_at_default == 0.5  # 0.45 is too low, and 0.85 is somebody else
    assert made.fpir_at_default == pytest.approx(0.2)
    # a threshold above 0.85 leaves one
    assert made.fnir_without_false_positive == 0.75


def test_an_equal_stranger_is_not_a_find() -> None:
    made = found(searches([0, 0, 1], [0.7, 0.7, -np.inf], [0.7, 0.6, 0.1]))
    assert made.rank_1 == 0.5


def test_too_few_searches_give_no_figure() -> None:
    made = found(searches([0, 0, 1], [0.7, 0.7, -np.inf], [0.2, 0.6, 0.1]))
    for point in made.points:
        assert point.evidence is Evidence.NONE
        assert point.fnir is None
        assert point.interval is None
        assert point.false_positives == 0


def test_without_mates_or_without_others_there_is_nothing_to_measure() -> None:
    assert identify(searches([0, 1], [-np.inf, -np.inf], [0.1, 0.1]), 0.5) is None
    assert identify(searches([0, 0], [0.9, 0.9], [-np.inf, -np.inf]), 0.5) is None


def random_gallery(seed: int) -> tuple[list[list[float]], list[int]]:
    random = np.random.default_rng(seed)
    people = sorted(random.integers(0, 60, 200).tolist())
    centres = random.normal(size=(60, 16))
    vectors = centres[people] + random.normal(scale=0.6, size=(200, 16))
    return vectors.tolist(), people


@pytest.mark.parametrize("seed", range(3))
def test_rates_agree_with_one_search_after_the_other(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_VALUES", 1_000)  # several blocks, the last one short
    vectors, people = random_gallery(seed)
    made = templates(vectors)
    result = found(search_all(made, numbers(*people)), 0.7)
    answers, strangers = [], []
    for probe, person in enumerate(people):
        best: dict[int, float] = {}
        for face, owner in enumerate(people):
            if face != probe:
                score = float(made.embeddings[probe] @ made.embeddings[face])
                best[owner] = max(best.get(owner, -2.0), score)
        if person in best:
            first = max(best, key=lambda owner: best[owner])
            answers.append((first == person, best[person]))
        strangers.append(max(score for owner, score in best.items() if owner != person))
    assert result.mated == len(answers)
    assert result.rank_1 == pytest.approx(np.mean([right for right, _ in answers]))
    point = result.points[0]
    assert point.fpir == 0.01
    # the threshold is the next value above a score, and one by one they are rounded otherwise
    above = point.threshold + 1e-6
    assert point.false_positives == sum(score >= above for score in strangers) == 2
    missed = np.mean([not (right and score >= above) for right, score in answers])
    assert point.fnir == pytest.approx(missed)
    assert point.interval is not None
    assert point.interval.low <= missed <= point.interval.high
    assert result.fpir_at_default == pytest.approx(np.mean([score >= 0.7 for score in strangers]))


def test_the_det_holds_at_each_of_its_thresholds() -> None:
    vectors, people = random_gallery(7)
    made = search_all(templates(vectors), numbers(*people))
    det = found(made).det
    mated = np.isfinite(made.own)
    hits = np.where(made.own > made.others, made.own, -np.inf)[mated]
    for fpir, fnir, threshold in zip(det.x, det.y, det.thresholds, strict=True):
        assert fpir == pytest.approx((made.others >= threshold).mean())
        assert fnir == pytest.approx((hits < threshold).mean())
    assert (det.x[0], det.y[0]) == (0.0, 1.0)
