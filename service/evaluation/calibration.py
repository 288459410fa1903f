"""Calibration: the threshold that holds a wanted FPIR in a gallery of this size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from service.domain.calibrations import Calibration
from service.errors import CalibrationImpossible
from service.evaluation.enrolled import Enrolled
from service.evaluation.neighbours import Neighbours
from service.evaluation.pairs import Numbers
from service.evaluation.tails import Strangers, Values, strangers, suspect_limit

FEWEST_SUBJECTS = 50
"""With fewer, chance alone moves the threshold too far; see docs/evaluation.md."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Two subjects, by number, and their best similarity, -1..1."""

    one: int
    other: int
    similarity: float

    @property
    def both(self) -> tuple[int, int]:
        return self.one, self.other


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, not stored yet, and what the operator should know of it.

    `suspects` are the pairs of subjects at `suspect_limit` or above, most similar first;
    `highest` is the highest impostor score that was heeded.
    """

    calibration: Calibration
    suspects: tuple[Resemblance, ...]
    suspect_limit: float
    highest: float

    @property
    def extrapolated(self) -> bool:
        """Whether not one false positive would be seen among so many subjects."""
        return self.calibration.fpir * self.calibration.subjects < 1


def calibrate(
    enrolled: Enrolled,
    fpir: float,
    *,
    ignore_suspects: bool,
    advance: Callable[[int], None] = lambda _: None,
) -> Calibrated:
    """Measure the gallery's impostor scores and find the threshold.

    Args:
        fpir: the wanted false positive identification rate, between 0 and 1.
        ignore_suspects: take suspected pairs for one person each.
        advance: called with the number of faces searched for since the last call.

    Raises:
        CalibrationImpossible: too few subjects, or their scores are all the same.
    """
    _check_subjects(len(enrolled.subject_ids), enrolled)
    people, found = enrolled.subjects, Neighbours.none(len(enrolled))
    found.search(enrolled.embeddings, people, np.arange(len(people)), advance)
    limit = suspect_limit(_best(people, found))
    suspects, left_out = resemblances(people, found, limit), 0
    if ignore_suspects:
        people, suspects = _without(enrolled, found, suspects, limit)
        _check_subjects(int(people.max()) + 1, enrolled)
        left_out = len(suspects)
    scores = found.others.astype(np.float64)
    searches = strangers(scores, people, people[found.nearest])
    return Calibrated(
        _calibration(enrolled, searches, fpir, left_out),
        tuple(sorted(suspects, key=lambda each: -each.similarity)),
        limit,
        float(scores.max()),
    )


def _without(
    enrolled: Enrolled, found: Neighbours, suspects: list[Resemblance], limit: float
) -> tuple[Numbers, list[Resemblance]]:
    """Search anew with each suspected pair as one person, until there are no more suspects.

    Returns the person on each face, numbered from 0, and all suspects; `found` is brought up to
    date.
    """
    subjects = people = enrolled.subjects
    new = suspects
    while new:
        people = _merged(subjects, suspects)
        touched = np.isin(subjects, [number for pair in new for number in pair.both])
        found.search(enrolled.embeddings, people, np.flatnonzero(touched))
        new = resemblances(subjects, found, limit)
        suspects = suspects + new
    return people, suspects


def resemblances(subjects: Numbers, neighbours: Neighbours, limit: float) -> list[Resemblance]:
    """Pairs of a subject and its nearest one at that similarity or above, each pair once."""
    found: dict[tuple[int, int], float] = {}
    for face in np.flatnonzero(neighbours.others >= limit):
        one, other = sorted((int(subjects[face]), int(subjects[neighbours.nearest[face]])))
        found[one, other] = max(found.get((one, other), -1.0), float(neighbours.others[face]))
    return [Resemblance(one, other, similarity) for (one, other), similarity in found.items()]


def _check_subjects(people: int, enrolled: Enrolled) -> None:
    if people < FEWEST_SUBJECTS:
        raise CalibrationImpossible(
            f"Gallery '{enrolled.gallery.name}' has {people} different people, and a calibration "
            f"needs {FEWEST_SUBJECTS} or more; until then keep the model's default threshold "
            f"({enrolled.gallery.space.default_threshold:g})."
        )


def _best(subjects: Numbers, neighbours: Neighbours) -> Values:
    best = np.full(int(subjects.max()) + 1, -np.inf)
    np.maximum.at(best, subjects, neighbours.others)
    return best


def _merged(subjects: Numbers, pairs: Sequence[Resemblance]) -> Numbers:
    """The person on each face, numbered from 0, where each pair is one person."""
    person = np.arange(int(subjects.max()) + 1)
    for pair in pairs:
        one, other = sorted(person[list(pair.both)])
        person[person == other] = one
    _, numbered = np.unique(person, return_inverse=True)
    people: Numbers = numbered[subjects]
    return people


def _calibration(
    enrolled: Enrolled, searches: Strangers, fpir: float, left_out: int
) -> Calibration:
    tail = searches.tail()
    if tail is None:
        raise CalibrationImpossible(
            f"The impostor scores of gallery '{enrolled.gallery.name}' do not differ from one "
            "another; are these different people?"
        )
    threshold = searches.threshold(tail, fpir)
    interval = searches.interval(threshold, fpir)
    return Calibration(
        fpir=fpir,
        threshold=threshold,
        low=interval.low,
        high=interval.high,
        subjects=searches.subjects,
        faces=len(enrolled),
        suspects=left_out,
        tail=tail,
        version=enrolled.version.number,
        release=version("facematch"),
        calibrated_at=datetime.now(UTC),
    )
