"""The kept photographs, as rows."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from service.domain.photographs import KeptPhotograph, Sealed


class PhotographRows(Protocol):
    """The sealed photographs of one transaction. A face's own comes with it: see
    `FaceRows.add_face` and `replace_face`."""

    def kept_photograph(self, gallery_id: UUID, face_id: UUID) -> KeptPhotograph | None: ...

    def sealed_otherwise(self, key_id: str, after: UUID | None, limit: int) -> list[KeptPhotograph]:
        """By the id of their faces, those after that one: what another key than that one seals."""
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
