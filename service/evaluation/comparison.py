"""Comparison: what a gallery's two spaces answer, each enrolled face searched for among the others.

Nothing is searched for live: every face that has an embedding in both spaces is a probe whose
answer is known, and it is left out of what it is searched in.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.decisions import accepted
from service.evaluation.enrolled import Enrolled
from service.evaluation.neighbours import Neighbours
from service.evaluation.pairs import Numbers
from service.ports import Store

NAMED_AT_ONCE = 1_000


class Answer(StrEnum):
    """To a probe whose person is known."""

    RIGHT = "right"
    WRONG = "wrong"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Judged:
    """`similarity` is that of the most similar subject, -1..1, None where there is no other face;
    `subject` who that is, by our own id."""

    answer: Answer
    similarity: float | None
    subject: UUID | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A face that the two spaces answer differently."""

    face_id: UUID
    subject: str
    own: Judged
    other: Judged


@dataclass(frozen=True, slots=True)
class Compared:
    """`faces` have an embedding in both spaces, `only_own` and `only_other` in one; `answers`
    counts the faces by what the gallery's own space and the other one answer."""

    gallery: str
    own: str
    other: str
    own_threshold: float
    other_threshold: float
    faces: int
    only_own: int
    only_other: int
    answers: Mapping[tuple[Answer, Answer], int]
    differences: tuple[Difference, ...]


def compare(
    own: Enrolled, other: Enrolled, store: Store, advance: Callable[[int], None] = lambda _: None
) -> Compared:
    """Search for every face of both among the others of both, in either space.

    Args:
        advance: called with the number of faces searched for since the last call; in all, twice as
            many as there are in `own`.

    Raises:
        DatabaseUnavailable: try again.
    """
    shared = np.intersect1d(own.face_ids, other.face_ids)
    judged = [_judged(each, shared, advance) for each in (own, other)]
    differing = [place for place, pair in enumerate(zip(*judged, strict=True)) if _differ(*pair)]
    names = _names(store, own, shared, differing)
    answers = Counter((one.answer, two.answer) for one, two in zip(*judged, strict=True))
    return Compared(
        gallery=own.gallery.name,
        own=own.gallery.space.describe(),
        other=other.gallery.space.describe(),
        own_threshold=own.gallery.threshold,
        other_threshold=other.gallery.threshold,
        faces=len(shared),
        only_own=len(own) - len(shared),
        only_other=len(other) - len(shared),
        answers=answers,
        differences=tuple(
            Difference(_uuid(shared, place), name, judged[0][place], judged[1][place])
            for place, name in zip(differing, names, strict=True)
        ),
    )


def _judged(
    enrolled: Enrolled, shared: NDArray[Any], advance: Callable[[int], None]
) -> list[Judged]:
    """In the order of `shared`."""
    places = np.flatnonzero(np.isin(enrolled.face_ids, shared))
    subjects = enrolled.subjects[places]
    found = Neighbours.none(len(places))
    found.search(enrolled.embeddings[places], subjects, np.arange(len(places)), advance)
    order = np.argsort(enrolled.face_ids[places])
    return [_judge(enrolled, subjects, found, face) for face in order.tolist()]


def _judge(enrolled: Enrolled, subjects: Numbers, found: Neighbours, face: int) -> Judged:
    own, others = float(found.own[face]), float(found.others[face])
    best = max(own, others)
    if not np.isfinite(best):
        return Judged(Answer.NOBODY, None, None)
    owner = face if own >= others else int(found.nearest[face])
    answer = Answer.NOBODY
    if accepted(round(best, 6), enrolled.gallery.threshold):
        answer = Answer.RIGHT if own >= others else Answer.WRONG
    return Judged(answer, best, enrolled.subject_id(int(subjects[owner])))


def _differ(one: Judged, other: Judged) -> bool:
    """Two that take a face for two different strangers, differ too."""
    named = one.answer is not Answer.NOBODY
    return one.answer is not other.answer or (named and one.subject != other.subject)


def _names(
    store: Store, own: Enrolled, shared: NDArray[Any], differing: list[int]
) -> Iterator[str]:
    """Of the subjects of those faces: the caller's id, or our own where it has gone meanwhile."""
    owners = dict(zip(own.face_ids.tolist(), own.subjects.tolist(), strict=True))
    ids = [own.subject_id(owners[shared[place]]) for place in differing]
    for start in range(0, len(ids), NAMED_AT_ONCE):
        some = ids[start : start + NAMED_AT_ONCE]
        with store.transaction(read_only=True) as tx:
            names = tx.subject_names(some)
        yield from (names.get(each, str(each)) for each in some)


def _uuid(ids: NDArray[Any], place: int) -> UUID:
    return UUID(bytes=ids[place : place + 1].tobytes())
