"""The audit record: its rows, and who takes searches down."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.domain.audit import Anchor, Link, RecordedSearch
from service.domain.erasures import Erasure
from service.domain.keys import Caller


class AuditRows(Protocol):
    """The audit record and the erasures, within one transaction."""

    def erasures(
        self, gallery_id: UUID | None, after: UUID | None, limit: int, *, open_only: bool = False
    ) -> list[Erasure]:
        """Newest first, those before `after`; `open_only`: not passed by every replica yet, oldest
        first."""
        ...

    def find_erasure(self, erasure_id: UUID) -> Erasure | None: ...

    def mark_passed(self, erasure_id: UUID, replicas: Sequence[str]) -> None: ...

    def act_for(self, caller: Caller) -> None:
        """Whom the record is to name for this transaction's changes."""
        ...

    def note(
        self,
        action: str,
        gallery_id: UUID | None,
        subject_id: UUID | None = None,
        **detail: object,
    ) -> None:
        """An audit event that no change of rows tells of; `detail` must identify nobody."""
        ...

    def record(self, searches: Sequence[RecordedSearch]) -> None:
        """Write searches into the audit record."""
        ...

    def audit_chains(self) -> list[Anchor]:
        """The end of every chain."""
        ...

    def audit_unended(self) -> list[UUID]:
        """The chains that have events, but no end: somebody has removed it."""
        ...

    def audit_unnumbered(self, chain: UUID) -> bool:
        """Whether events of that chain never got a number: somebody has switched a trigger off."""
        ...

    def audit_start(self, chain: UUID) -> Anchor:
        """What the oldest event that is left hangs on."""
        ...

    def audit_tells_of_pruning(self, start: Anchor) -> bool:
        """Whether an event that is left says that what came up to there was pruned."""
        ...

    def audit_links(self, chain: UUID, after: int) -> Iterator[Link]:
        """The chain's events above that number, in order, in constant memory."""
        ...

    def retention_reads(self) -> list[tuple[str, datetime]]:
        """The galleries that delete whom nobody has found, by name, and since when their events
        are kept for that."""
        ...

    def prune_audit(self, before: datetime) -> int: ...


class SearchRecord(Protocol):
    """Takes down who was searched for by whom, off the request's path."""

    def check(self) -> None:
        """Raises AuditBehind when too many wait: no search is answered that is not recorded."""
        ...

    def record(self, searches: Sequence[RecordedSearch]) -> None: ...
