"""A gallery's index: a state that readers search and one writer replaces."""

from collections import deque
from collections.abc import Iterable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Embedding
from service.domain.faces import IndexedFace
from service.domain.galleries import GalleryVersion
from service.index.base import stacked
from service.index.living import Living
from service.index.rows import UUID_BYTES, FaceRows, Ids
from service.index.state import State, TailView
from service.index.tail import Tail
from service.ports import FaceBatch, SearchResult

TAIL_LIMIT = 4096
"""Rows in the tail before it is merged, for small bases; above, a tenth of the base."""


class GalleryIndex:
    """Many threads may search while one thread applies; a search sees one committed state."""

    def __init__(self, state: State, dimension: int) -> None:
        self._state = state
        self._tail = Tail(dimension)
        self._dimension = dimension

    def __len__(self) -> int:
        return self._state.faces

    @property
    def version(self) -> GalleryVersion:
        return self._state.version

    @property
    def state(self) -> State:
        """The present state. It never changes, so it may be read at leisure while others apply."""
        return self._state

    def digest(self) -> int:
        """What is in it, whatever its order: see `service.index.digest`.

        Takes about 2 us a face of 128 values, 5 us of 512.
        """
        return Living.of(self._state).digest()

    def view(self) -> State:
        """The present state, for several searches of one."""
        return self._state

    def search(self, probe: Embedding, subjects: int) -> SearchResult:
        """`probe` has shape (dimension,), dtype float32 and unit length."""
        return self._state.search(probe, subjects)

    def contents(self) -> dict[UUID, tuple[UUID, Embedding]]:
        """Every living face with its subject and embedding, for comparison with the table."""
        return {
            UUID(bytes=face.tobytes()): (UUID(bytes=subject.tobytes()), embedding)
            for batch in Living.of(self._state).batches()
            for face, subject, embedding in zip(
                batch.face_ids, batch.subject_ids, batch.embeddings, strict=True
            )
        }

    def apply(
        self,
        version: GalleryVersion,
        present: Iterable[IndexedFace],
        touched: Iterable[UUID],
    ) -> None:
        """Replace the touched faces by what is present of them, and become that version.

        Applying the same reading twice gives the same state.
        """
        state = self._state
        alive = state.alive.copy()
        tail_alive = state.tail.alive.copy()
        latest = {face.face_id: face for face in present}
        for face_id in {*touched, *latest}:
            self._clear(face_id, alive, tail_alive)
        for face in latest.values():
            self._tail.append(face)
        tail_alive = np.concatenate([tail_alive, np.ones(len(latest), dtype=bool)])
        self._state = _compacted(self._state_of(version, alive, tail_alive))
        if self._state.base is not state.base:
            self._tail = Tail(self._dimension)

    def _clear(
        self, face_id: UUID, alive: NDArray[np.bool_], tail_alive: NDArray[np.bool_]
    ) -> None:
        row = self._state.rows.find(face_id)
        if row is not None:
            alive[row] = False
        row = self._tail.rows.get(face_id)
        if row is not None:
            tail_alive[row] = False

    def _state_of(
        self, version: GalleryVersion, alive: NDArray[np.bool_], tail_alive: NDArray[np.bool_]
    ) -> State:
        tail, count = self._tail, len(tail_alive)
        view = TailView(
            tail.embeddings[:count], tail.face_ids[:count], tail.subject_ids[:count], tail_alive
        )
        old = self._state
        return State.of(version, old.born, old.base, old.rows, alive, view)


class IndexBuilder:
    """Builds an index beside the one in use, from batches as they are read."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._embeddings: deque[NDArray[np.float32]] = deque()
        self._face_ids: list[Ids] = [np.empty(0, dtype=UUID_BYTES)]
        self._subject_ids: list[Ids] = [np.empty(0, dtype=UUID_BYTES)]

    def add(self, batch: FaceBatch) -> None:
        self._embeddings.append(batch.embeddings)
        self._face_ids.append(batch.face_ids)
        self._subject_ids.append(batch.subject_ids)

    def finish(self, version: GalleryVersion) -> GalleryIndex:
        count = sum(map(len, self._embeddings))
        parts = (self._embeddings.popleft() for _ in range(len(self._embeddings)))
        base = stacked(parts, count, self._dimension)
        rows = FaceRows.build(np.concatenate(self._face_ids), np.concatenate(self._subject_ids))
        return GalleryIndex(State.fresh(version, base, rows), self._dimension)


def _compacted(state: State) -> State:
    """The same state on a fresh base once the tail is long or half of the base is dead."""
    dead = len(state.base) - int(state.alive.sum())
    short_tail = len(state.tail.alive) <= max(TAIL_LIMIT, len(state.base) // 10)
    if short_tail and dead <= max(TAIL_LIMIT, len(state.base) // 2):
        return state
    living = Living.of(state)
    parts = (batch.embeddings for batch in living.batches())
    base = stacked(parts, len(living), state.base.shape[1])
    rows = FaceRows.in_order(living.face_ids, living.subject_ids)
    return State.fresh(state.version, base, rows)
