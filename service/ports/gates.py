"""What the enrolment gates ask, as rows."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from service.domain.decisions import Likeness
from service.domain.embeddings import Embedding
from service.domain.galleries import Gallery, GalleryVersion


class GateRows(Protocol):
    """What the enrolment gates ask of a gallery."""

    def image_owner(
        self, gallery_id: UUID, image_sha256: bytes, besides: UUID | None = None
    ) -> str | None:
        """The external id of a subject with that photograph; the face `besides` does not count."""
        ...

    def changed_faces(
        self, gallery_id: UUID, since: GalleryVersion, most: int
    ) -> frozenset[UUID] | None:
        """The faces changed since that version, by this very transaction too; None: more than
        `most` versions ago, or its history does not tell. To be asked of a gallery that is held."""
        ...

    def subjects_like(self, gallery: Gallery, embedding: Embedding, threshold: float) -> list[UUID]:
        """The subjects that have a face of that similarity or more; reads all embeddings."""
        ...

    def most_alike(
        self,
        gallery: Gallery,
        embedding: Embedding,
        besides: str,
        among: tuple[Collection[UUID], Collection[UUID]] | None,
    ) -> Likeness | None:
        """The most similar subject, at the gallery's threshold or above, that has not expired and
        is not called `besides`; `among`: only by faces of these subjects, and by these faces."""
        ...

    def own_likeness(
        self, gallery: Gallery, subject_id: UUID, embedding: Embedding
    ) -> float | None:
        """The similarity of the subject's most similar face, -1..1; None where it has none."""
        ...
