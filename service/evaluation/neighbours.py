"""Neighbours: for each enrolled face the most similar one of another subject, and of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.evaluation.pairs import Numbers

ROWS, COLUMNS = 2_048, 8_192
"""Similarities in memory at once: 67 MB."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """All of shape (n,): each face's best similarity, -1..1, among faces of other subjects and
    which face that is, and the best among its own subject's other faces; -inf and -1 where there
    is no such face."""

    others: NDArray[np.float32]
    nearest: Numbers
    own: NDArray[np.float32]

    @classmethod
    def none(cls, faces: int) -> "Neighbours":
        nothing = np.full(faces, -np.inf, dtype=np.float32)
        return cls(nothing, np.full(faces, -1, dtype=np.int64), nothing.copy())

    def search(
        self,
        embeddings: NDArray[np.float32],
        subjects: Numbers,
        faces: Numbers,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Find the neighbours of some faces among all, exactly; memory does not grow with them.

        Args:
            embeddings: shape (n, dimension), unit length.
            subjects: shape (n,), the subject of each face.
            faces: the faces to search for, by number.
            advance: called after each block with the number of faces in it.
        """
        for start in range(0, len(faces), ROWS):
            rows = faces[start : start + ROWS]
            self._search_block(embeddings, subjects, rows)
            advance(len(rows))

    def _search_block(
        self, embeddings: NDArray[np.float32], subjects: Numbers, rows: Numbers
    ) -> None:
        others = np.full(len(rows), -np.inf, dtype=np.float32)
        own, nearest = others.copy(), np.full(len(rows), -1, dtype=np.int64)
        probes, people = embeddings[rows], subjects[rows]
        for columns in _columns(len(subjects)):
            similarities = np.minimum(probes @ embeddings[columns].T, np.float32(1))
            mates = people[:, None] == subjects[None, columns]
            if mates.any():
                itself = rows[:, None] == np.arange(columns.start, columns.stop)[None, :]
                mine = np.where(mates & ~itself, similarities, -np.inf)
                np.maximum(own, mine.max(axis=1), out=own)
                similarities[mates] = -np.inf
            best = similarities.argmax(axis=1)
            score = similarities[np.arange(len(rows)), best]
            better = score > others
            others[better], nearest[better] = score[better], best[better] + columns.start
        self.others[rows], self.nearest[rows], self.own[rows] = others, nearest, own


def _columns(faces: int) -> Iterator[slice]:
    for start in range(0, faces, COLUMNS):
        yield slice(start, min(start + COLUMNS, faces))
