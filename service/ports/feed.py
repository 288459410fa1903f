"""The reading side of the change feed."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.faces import IndexedFace
from service.domain.galleries import Change, GalleryHead
from service.domain.replicas import Report


class FaceRead(Protocol):
    """One consistent reading of a gallery, for replicas. See `ChangeFeed.read`."""

    def heads(self) -> list[GalleryHead]: ...

    def digest(self, head: GalleryHead) -> int:
        """The digest of the gallery's faces in its space, computed in SQL; see `index.digest`."""
        ...

    def trigger_faults(self) -> list[str]:
        """What is wrong with the triggers and their functions, a sentence each; empty when all is
        well."""
        ...

    def changes(self, gallery_id: UUID, after: int) -> list[Change]:
        """The changes above version number `after` that are still kept, in order."""
        ...

    def faces(self, head: GalleryHead, face_ids: Sequence[UUID]) -> list[IndexedFace]:
        """The present state of those faces in the gallery's space; vanished ones are left out."""
        ...

    def all_faces(self, head: GalleryHead) -> Iterator["FaceBatch"]:
        """Every face of the gallery in its space, in batches of bounded size (binary COPY)."""
        ...


@dataclass(frozen=True, slots=True)
class FaceBatch:
    """`face_ids` and `subject_ids` have dtype V16 (a UUID's bytes) and shape (n,);
    `embeddings` has dtype float32 and shape (n, dimension)."""

    face_ids: NDArray[np.void]
    subject_ids: NDArray[np.void]
    embeddings: NDArray[np.float32]


class ChangeFeed(Protocol):
    """The reading side of the change feed, on connections of its own, primary only."""

    def heads(self) -> list[GalleryHead]:
        """Every gallery's version, cheaply; raises DatabaseUnavailable."""
        ...

    def read(self) -> AbstractContextManager[FaceRead]:
        """A repeatable-read transaction behind ACCESS SHARE locks on the face tables, so that a
        TRUNCATE cannot slip between its reads. Raises DatabaseUnavailable."""
        ...

    def report(self, report: Report) -> None:
        """Write what this replica says of itself. Raises DatabaseUnavailable."""
        ...

    def leave(self, replica_id: UUID) -> None:
        """Take this replica off the list: it ends in order. Raises DatabaseUnavailable."""
        ...

    def prune(self, keep_s: float) -> bool:
        """Delete changes older than `keep_s` seconds that every live replica has applied, a bounded
        number of them; True when there may be more. Raises DatabaseUnavailable."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Block until a NOTIFY arrives, `ring` is called or the time is over; True if woken.

        Raises:
            DatabaseUnavailable: the LISTEN connection is lost; the next call makes a new one.
        """
        ...

    def ring(self) -> None:
        """Wake a waiting `wait` from another thread."""
        ...

    def close(self) -> None: ...
