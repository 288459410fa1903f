"""The faces, as rows."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from service.domain.embeddings import Embedding
from service.domain.faces import Face, ListedFace, NewFace
from service.domain.galleries import Gallery


class FaceRows(Protocol):
    """The enrolled faces of one transaction."""

    def subject_has_image(self, subject_id: UUID, image_sha256: bytes) -> bool: ...

    def subject_has_embedding(self, subject_id: UUID, embedding: Embedding) -> bool:
        """Whether a face of the subject has this very embedding, bit for bit."""
        ...

    def add_face(self, gallery: Gallery, subject_id: UUID, face: NewFace) -> UUID: ...

    def faces_of(
        self,
        gallery: Gallery,
        subject_id: UUID,
        after: UUID | None = None,
        limit: int | None = None,
        *,
        embeddings: bool = False,
    ) -> list[Face]:
        """A subject's faces by id, which is the order of their enrolment; those after that one."""
        ...

    def read_face(
        self, gallery: Gallery, face_id: UUID, *, embeddings: bool = False
    ) -> Face | None: ...

    def replace_face(self, gallery: Gallery, face_id: UUID, new: NewFace) -> None:
        """Another photograph and its embedding in the place of a face's; its id stays."""
        ...

    def delete_face(self, gallery_id: UUID, face_id: UUID) -> None: ...

    def count_faces(self, gallery_id: UUID) -> int: ...

    def face_images(self, face_ids: Sequence[UUID]) -> dict[UUID, str | None]: ...

    def list_faces(
        self, gallery_id: UUID, after: str | None, limit: int | None
    ) -> list[ListedFace]:
        """Faces by external id (code point order), then age; `after` is an external id.

        With a limit, as many faces as it says, and then the rest of the last one's subject, so
        that a page never splits a subject.
        """
        ...
