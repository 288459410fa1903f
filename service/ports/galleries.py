"""The galleries, as rows."""

from typing import Protocol
from uuid import UUID

from service.domain.calibrations import Calibration
from service.domain.embeddings import EmbeddingSpace
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion
from service.domain.replicas import ReplicaState


class GalleryRows(Protocol):
    """The galleries of one transaction."""

    def find_gallery(self, name: str, *, lock: bool = False) -> Gallery | None:
        """With `lock`, nobody else changes the gallery, faces included, before this transaction
        ends: for changes of its settings."""
        ...

    def list_galleries(
        self, after: str | None, limit: int, among: frozenset[UUID] | None
    ) -> list[Gallery]:
        """By name (code point order), those after that name; `among` None means all."""
        ...

    def knows(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        """Whether the gallery's history, as far as it is kept, has that version and mark."""
        ...

    def create_gallery(
        self, name: str, space: EmbeddingSpace, settings: GallerySettings
    ) -> Gallery:
        """Create the gallery and, where new, its space; if the name exists, return that one.

        A space without a weights digest resolves to the one known digest of that model, detector
        and alignment, where there is exactly one.
        """
        ...

    def add_gallery(self, name: str, space: EmbeddingSpace, settings: GallerySettings) -> Gallery:
        """As `create_gallery`, but raises GalleryExists when the name is taken."""
        ...

    def change_gallery(self, gallery_id: UUID, settings: GallerySettings) -> None: ...

    def enter_gallery(self, name: str) -> None:
        """From here on, and until this transaction ends, nobody who clears it first deletes the
        gallery. The first thing that a writer does: it may have to wait for a deletion."""
        ...

    def clear_gallery(self, name: str) -> None:
        """Wait until nobody is in the gallery, and let nobody in before this transaction ends: a
        deletion needs its row while no writer refers to it, and among many there always is one."""
        ...

    def delete_gallery(self, gallery_id: UUID) -> None:
        """Delete the gallery with everything in it."""
        ...

    def pin_weights(self, space_id: UUID, weights_sha256: str) -> None:
        """Fill in the digest of a space that has none."""
        ...

    def calibrate(self, gallery: Gallery, calibration: Calibration) -> None: ...

    def hold_gallery(self, gallery_id: UUID) -> None:
        """From here on, and until this transaction ends, nobody else commits a change of the
        gallery's faces: what is read now stays true. Lock what else is needed before."""
        ...

    def database_bytes(self) -> int: ...

    def gallery_bytes(self, gallery_id: UUID) -> int:
        """The size of its subjects, faces and embeddings, without indexes."""
        ...

    def replicas(self, gallery_id: UUID) -> list[ReplicaState]:
        """Every replica the database knows, with its version of that gallery, oldest first."""
        ...

    def made_version(self, gallery_id: UUID) -> GalleryVersion:
        """Number this transaction's change now and return it.

        The last thing before the block ends: from here to the commit it holds the gallery's row
        lock, for which every other writer of the gallery waits.

        Raises:
            GalleryFull: the change would leave more faces than the gallery's limit.
        """
        ...
