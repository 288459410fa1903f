"""The living faces of a state in the order of their ids: what outlives it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.index.digest import MODULUS, digest
from service.index.rows import Ids, sorting
from service.index.state import State
from service.ports import FaceBatch

BATCH_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Living:
    """`rows` are rows of the state's base and, above its length, of its tail.

    The embeddings are gathered batch by batch: a copy of them all would double a process.
    """

    state: State
    face_ids: Ids
    subject_ids: Ids
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, state: State) -> Self:
        base, tail = np.flatnonzero(state.alive), np.flatnonzero(state.tail.alive)
        face_ids = np.concatenate([state.rows.face_ids[base], state.tail.face_ids[tail]])
        subject_ids = np.concatenate([state.rows.subject_ids[base], state.tail.subject_ids[tail]])
        rows = np.concatenate([base, tail + len(state.base)])
        order = sorting(face_ids)
        return cls(state, face_ids[order], subject_ids[order], rows[order])

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self) -> Iterator[FaceBatch]:
        size = max(1, BATCH_BYTES // (4 * self.state.base.shape[1]))
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            embeddings = self._embeddings(self.rows[part])
            yield FaceBatch(self.face_ids[part], self.subject_ids[part], embeddings)

    def _embeddings(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        base, tail = self.state.base, self.state.tail.embeddings
        old = rows < len(base)
        embeddings = np.empty((len(rows), base.shape[1]), dtype=np.float32)
        embeddings[old] = base[rows[old]]
        embeddings[~old] = tail[rows[~old] - len(base)]
        return embeddings

    def digest(self) -> int:
        parts = (digest(b.face_ids, b.subject_ids, b.embeddings) for b in self.batches())
        return sum(parts) % MODULUS
