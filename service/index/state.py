"""One committed state of a gallery in memory: never changed, so searched without a lock."""

from dataclasses import dataclass, replace
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray

from service.domain.decisions import Candidate
from service.domain.embeddings import SIMILARITY_DIGITS, Embedding
from service.domain.galleries import GalleryVersion
from service.index.base import Base, nearest
from service.index.rows import UUID_BYTES, FaceRows, Ids, members, uuid_at
from service.ports import SearchResult

NOTHING = float(np.finfo(np.float32).min)
"""What FAISS gives as the similarity of a row that its selector leaves out."""


@dataclass(frozen=True, slots=True)
class TailView:
    """The first rows of a tail; `alive` has dtype bool and as many values."""

    embeddings: NDArray[np.float32]
    face_ids: Ids
    subject_ids: Ids
    alive: NDArray[np.bool_]

    @classmethod
    def empty(cls, dimension: int) -> Self:
        none = np.empty(0, dtype=UUID_BYTES)
        return cls(np.empty((0, dimension), dtype=np.float32), none, none, np.empty(0, bool))


@dataclass(frozen=True, slots=True)
class State:
    """`alive` has a bool for each row of the base; `selector` is FAISS's form of it, None when
    all of them live. `born` is the version that the base was made at."""

    version: GalleryVersion
    born: GalleryVersion
    base: Base
    rows: FaceRows
    alive: NDArray[np.bool_]
    selector: faiss.IDSelectorBitmap | None
    tail: TailView
    faces: int

    @classmethod
    def fresh(cls, version: GalleryVersion, base: Base, rows: FaceRows) -> Self:
        """All of the base and nothing else."""
        tail = TailView.empty(base.shape[1])
        return cls.of(version, version, base, rows, np.ones(len(base), dtype=bool), tail)

    @classmethod
    def of(
        cls,
        version: GalleryVersion,
        born: GalleryVersion,
        base: Base,
        rows: FaceRows,
        alive: NDArray[np.bool_],
        tail: TailView,
    ) -> Self:
        faces = int(alive.sum()) + int(tail.alive.sum())
        return cls(version, born, base, rows, alive, _selector(alive), tail, faces)

    def among(self, subject_ids: Ids) -> Self:
        """The faces of those subjects alone, as a state of the same version."""
        alive = self.alive & members(self.rows.subject_ids, subject_ids)
        tail_alive = self.tail.alive & members(self.tail.subject_ids, subject_ids)
        tail = replace(self.tail, alive=tail_alive)
        return self.of(self.version, self.born, self.base, self.rows, alive, tail)

    def search(self, probe: Embedding, subjects: int) -> SearchResult:
        """The best subjects, each by its best face.

        A subject may have many faces among the nearest, so more faces are asked for until there
        are enough subjects or no more faces.
        """
        wanted = max(16, 4 * subjects)
        while True:
            candidates = self._best_subjects(probe, min(wanted, self.faces), subjects)
            if len(candidates) == subjects or wanted >= self.faces:
                return SearchResult(self.version, self.faces, tuple(candidates))
            wanted *= 8

    def _best_subjects(self, probe: Embedding, faces: int, subjects: int) -> list[Candidate]:
        best: dict[bytes, Candidate] = {}
        hits = self._base_hits(probe, faces) + self._tail_hits(probe, faces)
        # the same everywhere, though each replica has its own order of rows
        hits.sort(key=lambda hit: (-round(hit[0], SIMILARITY_DIGITS), hit[1][hit[3]].tobytes()))
        for similarity, face_ids, subject_ids, row in hits[:faces]:
            if len(best) == subjects:
                break
            key = subject_ids[row].tobytes()
            if key not in best:
                best[key] = Candidate(
                    uuid_at(subject_ids, row),
                    uuid_at(face_ids, row),
                    # float32 rounding puts a face's similarity to itself a little above 1
                    min(1.0, max(-1.0, similarity)),
                )
        return list(best.values())

    def _base_hits(self, probe: Embedding, faces: int) -> list[tuple[float, Ids, Ids, int]]:
        count = min(faces, len(self.base))
        if count == 0:
            return []
        similarities, rows = nearest(self.base, probe, count, self.selector)
        return [
            (float(similarity), self.rows.face_ids, self.rows.subject_ids, int(row))
            for similarity, row in zip(similarities, rows, strict=True)
            if row >= 0 and similarity > NOTHING
        ]

    def _tail_hits(self, probe: Embedding, faces: int) -> list[tuple[float, Ids, Ids, int]]:
        living = np.flatnonzero(self.tail.alive)
        if not len(living):
            return []
        similarities = self.tail.embeddings[living] @ probe
        best = np.argsort(-similarities, kind="stable")[:faces]
        return [
            (
                float(similarities[place]),
                self.tail.face_ids,
                self.tail.subject_ids,
                int(living[place]),
            )
            for place in best
        ]


def _selector(alive: NDArray[np.bool_]) -> faiss.IDSelectorBitmap | None:
    if alive.all():
        return None
    bitmap = np.packbits(alive, bitorder="little")
    return faiss.IDSelectorBitmap(  # type: ignore[call-arg]  # FAISS's stub shows the C++ form
        bitmap  # type: ignore[arg-type]
    )
