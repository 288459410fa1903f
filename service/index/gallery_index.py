"""A gallery's index: a state that readers search and one writer replaces."""

from collections.abc import Iterable
from uuid import UUID

import faiss
import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Embedding
from service.domain.faces import IndexedFace
from service.domain.galleries import GalleryVersion
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

    def search(self, probe: Embedding, subjects: int) -> SearchResult:
        """`probe` has shape (dimension,), dtype float32 and unit length."""
        return self._state.search(probe, subjects)

    def contents(self) -> dict[UUID, tuple[UUID, Embedding]]:
        """Every living face with its subject and embedding, for comparison with the table."""
        face_ids, subject_ids, embeddings = _living(self._state)
        return {
            UUID(bytes=face.tobytes()): (UUID(bytes=subject.tobytes()), embedding)
            for face, subject, embedding in zip(face_ids, subject_ids, embeddings, strict=True)
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
        return make_state(version, self._state.base, self._state.rows, alive, view)


class IndexBuilder:
    """Builds an index beside the one in use, from batches as they are read."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._base = faiss.IndexFlatIP(dimension)
        self._face_ids: list[Ids] = [np.empty(0, dtype=UUID_BYTES)]
        self._subject_ids: list[Ids] = [np.empty(0, dtype=UUID_BYTES)]

    def add(self, batch: FaceBatch) -> None:
        self._base.add(np.ascontiguousarray(batch.embeddings))
        self._face_ids.append(batch.face_ids)
        self._subject_ids.append(batch.subject_ids)

    def finish(self, version: GalleryVersion) -> GalleryIndex:
        rows = FaceRows.build(np.concatenate(self._face_ids), np.concatenate(self._subject_ids))
        alive = np.ones(self._base.ntotal, dtype=bool)
        state = make_state(version, self._base, rows, alive, _empty_tail(self._dimension))
        return GalleryIndex(state, self._dimension)


def make_state(
    version: GalleryVersion,
    base: faiss.IndexFlatIP,
    rows: FaceRows,
    alive: NDArray[np.bool_],
    tail: TailView,
) -> State:
    bitmap = None if alive.all() else np.packbits(alive, bitorder="little")
    selector = (
        None
        if bitmap is None
        else faiss.IDSelectorBitmap(  # type: ignore[call-arg]  # FAISS's stub shows the C++ form
            bitmap  # type: ignore[arg-type]
        )
    )
    faces = int(alive.sum()) + int(tail.alive.sum())
    return State(version, base, rows, alive, selector, tail, faces)


def _empty_tail(dimension: int) -> TailView:
    none = np.empty(0, dtype=UUID_BYTES)
    return TailView(np.empty((0, dimension), dtype=np.float32), none, none, np.empty(0, bool))


def _living(state: State) -> tuple[Ids, Ids, NDArray[np.float32]]:
    base, tail = state.base, state.tail
    vectors = faiss.rev_swig_ptr(base.get_xb(), base.ntotal * base.d).reshape(-1, base.d)
    return (
        np.concatenate([state.rows.face_ids[state.alive], tail.face_ids[tail.alive]]),
        np.concatenate([state.rows.subject_ids[state.alive], tail.subject_ids[tail.alive]]),
        np.concatenate([vectors[state.alive], tail.embeddings[tail.alive]]),
    )


def _compacted(state: State) -> State:
    """The same state on a fresh base once the tail is long or half of the base is dead."""
    dead = state.base.ntotal - int(state.alive.sum())
    short_tail = len(state.tail.alive) <= max(TAIL_LIMIT, state.base.ntotal // 10)
    if short_tail and dead <= max(TAIL_LIMIT, state.base.ntotal // 2):
        return state
    face_ids, subject_ids, embeddings = _living(state)
    builder = IndexBuilder(state.base.d)
    builder.add(FaceBatch(face_ids, subject_ids, embeddings))
    return builder.finish(state.version)._state
