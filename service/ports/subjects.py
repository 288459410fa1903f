"""The subjects, as rows."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from service.domain.galleries import Gallery
from service.domain.subjects import NOTHING, Metadata, NewSubject, Subject


class SubjectRows(Protocol):
    """The subjects of one transaction."""

    def galleries_of(self, external_id: str, among: frozenset[UUID] | None) -> list[Gallery]:
        """The galleries that have a subject of that id, or items of an import that wait to make it
        one, in the order that writers lock them in."""
        ...

    def delete_lapsed(self, limit: int) -> int:
        """Delete subjects that have expired, or that no search has found for as long as their
        gallery keeps such; returns how many, at most `limit`."""
        ...

    def add_subject(self, gallery_id: UUID, external_id: str, metadata: Metadata = NOTHING) -> UUID:
        """Raises SubjectExists when the gallery has a subject of that id."""
        ...

    def create_subject(self, gallery_id: UUID, new: NewSubject) -> UUID:
        """Raises SubjectExists as `add_subject`."""
        ...

    def find_subject(self, gallery_id: UUID, external_id: str) -> UUID | None: ...

    def read_subject(
        self, gallery_id: UUID, external_id: str, *, lock: bool = False
    ) -> Subject | None:
        """With `lock`, nobody else changes it, or adds a face to it, before this transaction
        ends."""
        ...

    def list_subjects(
        self, gallery_id: UUID, after: str | None, limit: int, containing: Metadata | None
    ) -> list[Subject]:
        """By external id (code point order), those after that one; `containing`: only those whose
        metadata contain it, as `@>` of jsonb says."""
        ...

    def change_subject(self, subject_id: UUID, to: NewSubject) -> None: ...

    def merge_subject(self, gallery_id: UUID, into: UUID, other: UUID) -> int:
        """Move the other's faces, its consents, what imports hold for it, and those of its metadata
        that `into` has no key for, then delete it; returns how many faces moved. Faces that `into`
        has already go with the other."""
        ...

    def delete_subject(self, gallery_id: UUID, external_id: str) -> bool:
        """Delete a subject with all its faces; False when there is none of that id."""
        ...

    def subject_names(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The external ids of those subjects that exist and have not expired."""
        ...

    def subject_metadata(self, subject_ids: Sequence[UUID]) -> dict[UUID, Metadata]: ...

    def count_subjects(self, gallery_id: UUID) -> int: ...
