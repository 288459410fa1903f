"""The consents, as rows."""

from typing import Protocol
from uuid import UUID

from service.domain.consents import Consent, RecordedConsent


class ConsentRows(Protocol):
    """The consents, within one transaction. Their state is told by the database's clock."""

    def add(self, gallery_id: UUID, subject_id: UUID, given: Consent, recorded_by: str) -> UUID: ...

    def has_valid(self, gallery_id: UUID, subject_id: UUID, like: Consent | None = None) -> bool:
        """Whether the subject has one that was given, is not over and not withdrawn; `like`: of
        the same text, purpose and end, and, where it says so, given at that time."""
        ...

    def listed(
        self, gallery_id: UUID, subject_id: UUID, after: UUID | None, limit: int
    ) -> list[RecordedConsent]:
        """A subject's in the order of their recording, those after `after`."""
        ...

    def find(
        self, gallery_id: UUID, subject_id: UUID, consent_id: UUID
    ) -> RecordedConsent | None: ...

    def withdraw(self, consent_id: UUID) -> None:
        """End it now; one that was withdrawn before keeps its time."""
        ...
