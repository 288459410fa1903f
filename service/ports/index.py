"""This replica's indexes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.decisions import Candidate
from service.domain.embeddings import Embedding
from service.domain.faces import IndexedFace
from service.domain.galleries import GalleryVersion, IndexKey


class FaceIndex(Protocol):
    """The faces of one gallery in memory. Many threads search while one applies."""

    def __len__(self) -> int: ...

    @property
    def version(self) -> GalleryVersion: ...

    def search(self, probe: Embedding, subjects: int) -> "SearchResult":
        """The best `subjects` subjects, each by its best face, most similar first."""
        ...

    def view(self) -> "IndexView":
        """What it holds now, for several searches of one state."""
        ...

    def apply(
        self,
        version: GalleryVersion,
        present: Iterable[IndexedFace],
        touched: Iterable[UUID],
    ) -> None:
        """Bring the touched faces to their present state: those not in `present` are dropped."""
        ...


class IndexView(Protocol):
    """One state of a gallery in memory, or a part of it; never changes."""

    @property
    def version(self) -> GalleryVersion: ...

    def search(self, probe: Embedding, subjects: int) -> "SearchResult":
        """As `FaceIndex.search`."""
        ...

    def among(self, subject_ids: NDArray[np.void]) -> "IndexView":
        """The part of it that is those subjects'; dtype V16 (a UUID's bytes), shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`version` is the state that was searched, and `faces` the number of faces in it."""

    version: GalleryVersion
    faces: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """How fresh this replica is.

    `loaded`: every gallery is in memory; `connected`: the last look at the database worked and was
    not long ago; `last_success`: when, None before the first; `reason`: why this replica should
    not be asked now, None when it may.
    """

    loaded: bool
    connected: bool
    last_success: datetime | None
    reason: str | None


class Indexes(Protocol):
    """This replica's indexes, as the use cases see them."""

    def index(self, key: IndexKey) -> FaceIndex:
        """Raises GalleryNotReady while it is not loaded."""
        ...

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        """Wait, bounded, until the gallery's indexes hold that version, which must be in the
        database by now; False when it took too long."""
        ...
