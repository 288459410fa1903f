"""The young end of an index: faces that came after its base was built."""

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.faces import IndexedFace
from service.index.rows import UUID_BYTES, Ids, uuid_key

FIRST_CAPACITY = 64


@dataclass(slots=True)
class Tail:
    """Append-only rows. Readers use rows below a count they were given, which never change."""

    dimension: int
    count: int = 0
    rows: dict[UUID, int] = field(default_factory=dict)
    embeddings: NDArray[np.float32] = field(init=False)
    face_ids: Ids = field(init=False)
    subject_ids: Ids = field(init=False)

    def __post_init__(self) -> None:
        self.embeddings = np.empty((FIRST_CAPACITY, self.dimension), dtype=np.float32)
        self.face_ids = np.empty(FIRST_CAPACITY, dtype=UUID_BYTES)
        self.subject_ids = np.empty(FIRST_CAPACITY, dtype=UUID_BYTES)

    def append(self, face: IndexedFace) -> int:
        if self.count == len(self.embeddings):
            self._grow()
        row = self.count
        self.embeddings[row] = face.embedding
        self.face_ids[row] = uuid_key(face.face_id)
        self.subject_ids[row] = uuid_key(face.subject_id)
        self.rows[face.face_id] = row
        self.count += 1
        return row

    def _grow(self) -> None:
        """Copy into arrays twice as large; readers keep the old ones."""
        self.embeddings = np.concatenate([self.embeddings, np.empty_like(self.embeddings)])
        self.face_ids = np.concatenate([self.face_ids, np.empty_like(self.face_ids)])
        self.subject_ids = np.concatenate([self.subject_ids, np.empty_like(self.subject_ids)])
