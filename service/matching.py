"""Matching: the subjects of a gallery that a probe resembles, as the tables say at this moment."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.decisions import Candidate, accepted, confidence
from service.domain.embeddings import Embedding, similarity
from service.domain.galleries import Gallery
from service.domain.matches import EVERYBODY, EnrolledFace, Match, SubjectFilter
from service.errors import GalleryBehind
from service.ports import IndexView, MatchRows

SPARE = 8
"""Candidates asked of the index beyond those wanted: some may be gone from the table."""
GROWTH = 8
MOST_STALE = 4096
"""So many candidates are looked at while the table contradicts the index; then it is too old."""
NOISE = 1e-5
"""More than the index's similarities and ours differ by: float32 arithmetic was seen to be off by
3e-7 with 4096 values, and rounding takes 5e-7."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A face of the table with its similarity to the probe."""

    face: EnrolledFace
    similarity: float

    @property
    def rank(self) -> tuple[float, str]:
        """The order of answers; ties by the subject's id, the same on every replica."""
        return (-self.similarity, self.face.external_id)


@dataclass(frozen=True, slots=True)
class Asked:
    """`threshold` None takes the gallery's."""

    top_k: int = 1
    threshold: float | None = None
    among: SubjectFilter = EVERYBODY


@dataclass(frozen=True, slots=True)
class Found:
    """`best` is the similarity of the most similar subject that may be an answer, None where there
    is none; `matches` are those that reach the threshold, most similar first."""

    best: float | None
    matches: tuple[Match, ...]


class MoreNeeded(Exception):
    """What was read beforehand does not decide."""


@dataclass(frozen=True, slots=True)
class KnownRows:
    """As `MatchRows`, of what was read beforehand: the faces `asked` for, those `there` with the
    filter that the search has. Raises MoreNeeded for anything else."""

    asked: Collection[UUID]
    there: Sequence[EnrolledFace]

    def enrolled_faces(
        self, gallery: Gallery, face_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        wanted = set(face_ids)
        if not wanted.issubset(self.asked):
            raise MoreNeeded
        return [face for face in self.there if face.face_id in wanted]

    def faces_of_subjects(
        self, gallery: Gallery, subject_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        if subject_ids:
            raise MoreNeeded
        return []

    def permitted_subjects(self, gallery_id: UUID, among: SubjectFilter) -> NDArray[np.void]:
        raise MoreNeeded


Nearest = Sequence[Candidate]
"""Those with whom a search begins."""


def nearest(view: IndexView, probe: Embedding, top_k: int) -> Nearest:
    return view.search(probe, top_k + SPARE).candidates


def best_of(probe: Embedding, faces: Iterable[EnrolledFace]) -> Scored | None:
    """The face that the probe resembles most; of equal ones the oldest."""
    scored = [Scored(face, similarity(probe, face.embedding)) for face in faces]
    return min(scored, key=lambda each: (-each.similarity, each.face.face_id), default=None)


def match(gallery: Gallery, scored: Scored, threshold: float) -> Match | None:
    """The subject as an answer, if its similarity reaches the threshold.

    Its confidence is by the gallery's own threshold: a lower one makes nobody surer.
    """
    if not accepted(scored.similarity, threshold):
        return None
    face = scored.face
    label = confidence(scored.similarity, gallery.threshold, gallery.calibration)
    return Match(
        gallery.name, face.external_id, face.subject_id, face.face_id, scored.similarity, label
    )


@dataclass(slots=True)
class GallerySearch:
    """Searches one state of a gallery's index for one request, beside the rows of one transaction.

    The index proposes, the table decides: a candidate counts only by a face that is in the table
    now, with the similarity of the embedding there, under the name there. So what was deleted,
    replaced or given to another subject after the index's version is never matched by what it was;
    a subject that has lost its best face counts by the next one.

    `view` must be older than the first statement that reads the rows, or what it knows more would
    be taken for deleted.
    """

    rows: MatchRows
    gallery: Gallery
    view: IndexView
    asked: Asked
    _narrowed: IndexView | None = field(default=None, init=False)

    @property
    def threshold(self) -> float:
        asked = self.asked.threshold
        return self.gallery.threshold if asked is None else asked

    def find(self, probe: Embedding, first: Nearest | None = None) -> Found:
        """All answers: the very ones that a scan of the whole table would give, except for faces
        that the view's version does not have yet.

        Args:
            first: what `nearest` gave for this probe and view, if it was asked.

        Raises:
            GalleryBehind: the index is so far behind the table that it is of no use.
        """
        count = self.asked.top_k + SPARE
        view = self._narrowed or self.view
        while True:
            candidates = first if first is not None else view.search(probe, count).candidates
            first = None
            scored, stale = self._scored(probe, candidates)
            if len(candidates) < count or self._suffice(scored, candidates[-1].similarity):
                return self._decided(scored)
            if stale and count >= MOST_STALE:
                raise GalleryBehind
            if self._narrowed is None and GROWTH * len(scored) < self.asked.top_k:
                # so few may be an answer that too many would be looked at in vain
                view = self._narrow()
            else:
                count = _more(count, len(scored), self.asked.top_k)

    def _narrow(self) -> IndexView:
        """The index of only those who may be an answer."""
        subjects = self.rows.permitted_subjects(self.gallery.id, self.asked.among)
        self._narrowed = self.view.among(subjects)
        return self._narrowed

    def _scored(
        self, probe: Embedding, candidates: Sequence[Candidate]
    ) -> tuple[list[Scored], bool]:
        """The permitted subjects among the candidates, each by its best face in the table, best
        first; and whether the table contradicts the index anywhere."""
        faces = self.rows.enrolled_faces(
            self.gallery, [each.face_id for each in candidates], self.asked.among
        )
        scored = {face.face_id: Scored(face, similarity(probe, face.embedding)) for face in faces}
        best: dict[UUID, Scored] = {}
        doubtful: set[UUID] = set()
        for candidate in candidates:
            found = scored.get(candidate.face_id)
            if found is None or not _agree(candidate, found):
                doubtful |= {candidate.subject_id, *_owner(found)}
            elif found.face.permitted:
                best[candidate.subject_id] = found
        best |= self._rescored(probe, doubtful)
        return sorted(best.values(), key=lambda each: each.rank), bool(doubtful)

    def _rescored(self, probe: Embedding, subject_ids: set[UUID]) -> dict[UUID, Scored]:
        """The permitted ones of those subjects, by all their faces in the table."""
        ids = sorted(subject_ids)
        faces: dict[UUID, list[EnrolledFace]] = {}
        for face in self.rows.faces_of_subjects(self.gallery, ids, self.asked.among):
            if face.permitted:
                faces.setdefault(face.subject_id, []).append(face)
        best = {each: best_of(probe, theirs) for each, theirs in faces.items()}
        return {each: scored for each, scored in best.items() if scored is not None}

    def _suffice(self, scored: list[Scored], floor: float) -> bool:
        """Whether nobody beyond the candidates, who are at best as similar as the last of them, can
        be an answer, or the most similar subject."""
        certain = sum(each.similarity > floor + NOISE for each in scored)
        return certain >= self.asked.top_k or (certain > 0 and floor + NOISE < self.threshold)

    def _decided(self, scored: list[Scored]) -> Found:
        wanted = scored[: self.asked.top_k]
        matches = [match(self.gallery, each, self.threshold) for each in wanted]
        return Found(
            scored[0].similarity if scored else None,
            tuple(each for each in matches if each is not None),
        )


def _more(count: int, passed: int, wanted: int) -> int:
    """How many candidates may do, if as many of them pass as of the last ones."""
    likely = count * (wanted + SPARE) // passed if passed else GROWTH * count
    return max(2 * count, min(likely, GROWTH * count))


def _agree(candidate: Candidate, found: Scored) -> bool:
    """Whether the table's face is what the index takes it for."""
    same = found.face.subject_id == candidate.subject_id
    return same and abs(found.similarity - candidate.similarity) <= NOISE


def _owner(found: Scored | None) -> tuple[UUID, ...]:
    return () if found is None else (found.face.subject_id,)
