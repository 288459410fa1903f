"""The second space of galleries, as rows."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.galleries import Gallery
from service.domain.reembedding import MissingFace


class ReembeddingRows(Protocol):
    """The second spaces of one transaction; see `Gallery.other`."""

    def begin(self, gallery: Gallery, space: EmbeddingSpace, threshold: float) -> None:
        """Give the gallery a second space, where it has none."""
        ...

    def missing(self, gallery: Gallery, after: UUID | None, limit: int) -> list[MissingFace]:
        """By id, those after that one: faces without an embedding in the gallery's space. For those
        of its other one, give it `in_other()`."""
        ...

    def count_missing(self, gallery: Gallery) -> int: ...

    def add(self, gallery: Gallery, face: MissingFace, embedding: Embedding) -> bool:
        """The face's embedding in the other space; False where the face, or that space, is gone
        or the face has another photograph than it had."""
        ...

    def note_failures(
        self, gallery: Gallery, failures: Sequence[tuple[MissingFace, str, str]]
    ) -> None:
        """Why faces could not be embedded, each with a code and a reason, in the place of what was
        noted of them before."""
        ...

    def switch(self, gallery: Gallery) -> None:
        """The gallery's two spaces change places, with their thresholds. Nobody may be in the
        gallery: see `GalleryRows.clear_gallery`."""
        ...

    def end(self, gallery: Gallery) -> None:
        """The gallery has one space again; embeddings in the other one are of no use any more."""
        ...

    def count_useless(self, gallery: Gallery) -> int:
        """Of the gallery's embeddings that are in neither of its spaces."""
        ...

    def delete_useless(self, gallery: Gallery, limit: int) -> int:
        """Delete so many of them at most; returns how many."""
        ...
