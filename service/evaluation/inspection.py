"""Inspection: what in a gallery looks like a mistake of enrolment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from service.evaluation.calibration import Resemblance, resemblances
from service.evaluation.enrolled import Enrolled
from service.evaluation.neighbours import Neighbours
from service.ports import Store


@dataclass(frozen=True, slots=True)
class DoubtfulFace:
    """An enrolled face, named for people, and what it resembles.

    `own_similarity` is the best among its subject's other faces; `similarity` that of the most
    similar face of anybody else, `resembles` whose that is; None in a gallery of one subject.
    """

    subject: str
    face_id: UUID
    image: str | None
    own_similarity: float
    resembles: str | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class DoubtfulPair:
    """Two subjects whose best similarity is the gallery's threshold or above."""

    one: str
    other: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """`ceiling` is the highest similarity of two subjects, None where there are not two."""

    gallery: str
    version: int
    threshold: float
    subjects: int
    faces: int
    ceiling: float | None
    mislabelled: tuple[DoubtfulFace, ...]
    one_person: tuple[DoubtfulPair, ...]
    outliers: tuple[DoubtfulFace, ...]

    @property
    def well(self) -> bool:
        return not (self.mislabelled or self.one_person or self.outliers)


def inspect(
    enrolled: Enrolled, store: Store, advance: Callable[[int], None] = lambda _: None
) -> Inspection:
    """Compare every face with every other; names and photographs come from SQL afterwards.

    Args:
        advance: called with the number of faces searched for since the last call.

    Raises:
        DatabaseUnavailable: try again.
    """
    found = Neighbours.none(len(enrolled))
    found.search(enrolled.embeddings, enrolled.subjects, np.arange(len(enrolled)), advance)
    several, threshold = np.isfinite(found.own), enrolled.gallery.threshold
    wrong = np.flatnonzero(several & (found.others > found.own))
    far = np.flatnonzero(several & (found.own < threshold))
    pairs = resemblances(enrolled.subjects, found, threshold)
    names = _Names.read(store, enrolled, found, [*wrong.tolist(), *far.tolist()], pairs)
    ceiling = float(found.others.max(initial=-np.inf))
    return Inspection(
        gallery=enrolled.gallery.name,
        version=enrolled.version.number,
        threshold=threshold,
        subjects=len(enrolled.subject_ids),
        faces=len(enrolled),
        ceiling=ceiling if np.isfinite(ceiling) else None,
        mislabelled=tuple(map(names.face, wrong[np.argsort(found.own[wrong])].tolist())),
        one_person=tuple(names.pair(each) for each in sorted(pairs, key=lambda p: -p.similarity)),
        outliers=tuple(map(names.face, far[np.argsort(found.own[far])].tolist())),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    enrolled: Enrolled
    found: Neighbours
    subjects: dict[UUID, str]
    images: dict[UUID, str | None]

    @classmethod
    def read(
        cls,
        store: Store,
        enrolled: Enrolled,
        found: Neighbours,
        faces: list[int],
        pairs: Iterable[Resemblance],
    ) -> "_Names":
        shown = {*faces, *(int(found.nearest[face]) for face in faces)} - {-1}
        people = {int(enrolled.subjects[face]) for face in shown}
        people |= {number for pair in pairs for number in (pair.one, pair.other)}
        with store.transaction(read_only=True) as tx:
            subjects = tx.subject_names([enrolled.subject_id(number) for number in people])
            images = tx.face_images([enrolled.face_id(face) for face in faces])
        return cls(enrolled, found, subjects, images)

    def subject(self, number: int) -> str:
        """The caller's id, or our own where the subject has expired or gone meanwhile."""
        subject_id = self.enrolled.subject_id(number)
        return self.subjects.get(subject_id, str(subject_id))

    def face(self, face: int) -> DoubtfulFace:
        nearest = int(self.found.nearest[face])
        face_id = self.enrolled.face_id(face)
        of_other = self.subject(int(self.enrolled.subjects[nearest])) if nearest >= 0 else None
        return DoubtfulFace(
            subject=self.subject(int(self.enrolled.subjects[face])),
            face_id=face_id,
            image=self.images.get(face_id),
            own_similarity=float(self.found.own[face]),
            resembles=of_other,
            similarity=float(self.found.others[face]) if nearest >= 0 else None,
        )

    def pair(self, each: Resemblance) -> DoubtfulPair:
        return DoubtfulPair(self.subject(each.one), self.subject(each.other), each.similarity)
