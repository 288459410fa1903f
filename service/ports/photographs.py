"""The kept photographs: as rows, sealed, and what opens them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from service.domain.photographs import KeptPhotograph, OpenPhotograph, Sealed


class PhotographRows(Protocol):
    """The sealed photographs of one transaction. A face's own comes with it: see
    `FaceRows.add_face` and `replace_face`. What a gallery does not keep any more is not there,
    although its bytes may still wait to be deleted."""

    def kept_photograph(self, gallery_id: UUID, face_id: UUID) -> KeptPhotograph | None:
        """None where there is no such face, or nothing is kept of its photograph."""
        ...

    def sealed_otherwise(self, key_id: str, after: UUID | None, limit: int) -> list[KeptPhotograph]:
        """By the id of their faces, those after that one: what another key than that one seals.
        Each may be as large as an upload (`MAX_IMAGE_BYTES`): `limit` says how many are in memory.
        """
        ...

    def count_photographs(self, gallery_id: UUID) -> dict[str, int]:
        """How many of a gallery's are kept, by the id of the key that seals them."""
        ...

    def count_sealed(self, key_id: str) -> tuple[int, int]:
        """How many photographs that key seals, and how many others do."""
        ...

    def seal_anew(self, sealed: Sequence[tuple[KeptPhotograph, Sealed]]) -> int:
        """Put other seals in the place of those, as far as they still are; returns how many."""
        ...

    def await_keepers(self, gallery_id: UUID) -> None:
        """Wait for every transaction that may keep a photograph by what the gallery kept before;
        those that come later see what it keeps now. The first and only thing that a transaction
        does.

        Raises:
            DatabaseBusy: that took too long; those who came meanwhile had to wait, too.
        """
        ...

    def count_unkept(self, gallery_id: UUID) -> int:
        """How many wait to be deleted: the gallery keeps none any more, or another kind."""
        ...

    def delete_unkept(self, gallery_id: UUID | None, limit: int) -> int:
        """Delete such ones, of that gallery or of all; returns how many. Those which another
        transaction is deleting are passed over."""
        ...

    def keeping_galleries(self) -> list[str]:
        """The names of those that keep photographs."""
        ...


class PhotographOpener(Protocol):
    """Holds the keys: `service.photograph_keys.PhotographKeys`, by `wiring.photograph_keys`."""

    def open(self, kept: KeptPhotograph) -> OpenPhotograph:
        """What was sealed.

        Raises:
            PhotographKeyMissing: its key is not here; the operator has to give it.
            PhotographDamaged: it was changed, or sealed for another face.
        """
        ...
