"""What bulk imports ask of the database: rows of jobs and items, and the queue of the workers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from service.domain.galleries import Gallery
from service.domain.imports import (
    Assignment,
    ClaimedItem,
    ImportJob,
    ItemStatus,
    ListedItem,
    ManifestRow,
    NewItem,
    Payload,
    QueueState,
    Reason,
    Verdict,
)
from service.domain.keys import Caller

Photographs = Mapping[int, tuple[str, bytes]]
"""By number: the id that a photograph is for, and the SHA-256 of its bytes."""


class Spool(Protocol):
    """The imports' rows in one transaction; see `Transaction.spool`."""

    def create(self, gallery: Gallery, caller: Caller, *, several: bool) -> UUID:
        """A job that is being uploaded: nobody sees it, no worker takes it."""
        ...

    def add(self, job_id: UUID, items: Sequence[NewItem]) -> None:
        """Raises GalleryNotReady when the job is gone, with its gallery."""
        ...

    def enrolled(self, job_id: UUID, photographs: Photographs) -> set[int]:
        """Those that the subject of that id in the job's gallery has already."""
        ...

    def unname_items(self, job_id: UUID) -> None:
        """Take the ids of waiting items away: a manifest will say others."""
        ...

    def name_items(self, job_id: UUID, rows: Sequence[ManifestRow]) -> set[str]:
        """Give the files of these rows, each another one, to the ids that they say; returns the
        files that were there and had no id yet."""
        ...

    def forget_items(self, gallery_id: UUID, external_id: str, why: Reason) -> None:
        """Reject what waits to be enrolled under that id, and keep nothing of it but its number."""
        ...

    def refuse_items(self, job_id: UUID, reasons: Mapping[str, Reason]) -> set[str]:
        """Reject these files, as far as they are there and have no id yet; returns which."""
        ...

    def refuse_unnamed(self, job_id: UUID, reason: Reason) -> None:
        """Reject what still has no id."""
        ...

    def publish(self, job_id: UUID) -> ImportJob:
        """The upload is complete: workers may take it. Raises GalleryNotReady as `add` does."""
        ...

    def enqueue(self, job_id: UUID, delay_s: float = 0.0) -> None:
        """See to it that a worker turns to the job, after `delay_s` seconds at the soonest; one
        entry of a job waits in the queue at most."""
        ...

    def begin(self, job_id: UUID) -> Assignment | None:
        """Start work on the job, or go on with it; None when there is nothing to do on it."""
        ...

    def claim(self, job_id: UUID, worker: UUID, limit: int, lease_s: float) -> list[ClaimedItem]:
        """Take waiting items for `lease_s` seconds, at most `limit`: none that another worker
        holds. An item whose workers died twice is taken alone, so that it harms no other."""
        ...

    def payload(self, job_id: UUID, worker: UUID, number: int) -> Payload | None:
        """The content of a claimed item; None when it is this worker's no more."""
        ...

    def hold(self, job_id: UUID, worker: UUID, numbers: Sequence[int]) -> set[int]:
        """Which of them are still this worker's; nobody takes those before this transaction
        ends."""
        ...

    def settle(self, job_id: UUID, verdicts: Sequence[Verdict]) -> None:
        """Write down what became of items, and drop their content."""
        ...

    def release(self, job_id: UUID, worker: UUID) -> None:
        """Give back what this worker has claimed and not settled."""
        ...

    def finish(self, job_id: UUID) -> float | None:
        """End the job if every item is settled, and reject those whose workers died again and
        again; else the seconds until there may be something to claim."""
        ...

    def find(self, job_id: UUID) -> ImportJob | None:
        """None for one that is being uploaded, too."""
        ...

    def page(
        self,
        after: UUID | None,
        limit: int,
        among: frozenset[UUID] | None,
        created_by: str | None,
    ) -> list[ImportJob]:
        """Newest first, those older than `after`; `among` are galleries, None means all, as it does
        of `created_by`."""
        ...

    def items(
        self, job_id: UUID, status: ItemStatus | None, after: int, limit: int
    ) -> list[ListedItem]:
        """By number, those above `after`."""
        ...

    def cancel(self, job_id: UUID) -> None:
        """Claim nothing more of it; an ended job stays as it is. See `empty`."""
        ...

    def empty(self, job_id: UUID, limit: int) -> int:
        """Drop the content of waiting items of a cancelled job; how many: fewer than `limit`
        means that none is left."""
        ...

    def remove(self, job_id: UUID, limit: int) -> int:
        """Delete items of a job, and when fewer than `limit` were left, the job; how many."""
        ...

    def discard(self, job_id: UUID, limit: int) -> int:
        """As `remove`, but only while the job is being uploaded; else 0."""
        ...

    def unattended(self) -> list[UUID]:
        """The jobs that a worker should turn to."""
        ...

    def half_cancelled(self) -> list[UUID]:
        """Cancelled jobs with waiting items."""
        ...

    def outlived(self, keep_s: float, silent_s: float) -> list[UUID]:
        """Jobs that ended more than `keep_s` seconds ago, and uploads silent for `silent_s`."""
        ...

    def state(self) -> QueueState: ...


class QueueWork(Protocol):
    """What the workers of a queue call, each in a thread of its own."""

    def run(self, job_id: UUID, stopping: Callable[[], bool]) -> None:
        """Work on a job for a while, or until `stopping()`."""
        ...

    def sweep(self) -> None:
        """Once a minute by one worker of all: see that nothing is left lying."""
        ...


class QueueWorkers(Protocol):
    """Threads that take jobs off the queue."""

    def start(self) -> None: ...

    def close(self) -> None:
        """Stop after the batches under way."""
        ...
