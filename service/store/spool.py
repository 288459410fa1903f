"""Bulk imports in one transaction: see `service.spool.Spool`."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

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
from service.spool import Photographs
from service.store import import_claims, import_items, import_jobs, queue
from service.store.failures import translated


class PostgresSpool:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @translated()
    def create(self, gallery: Gallery, caller: Caller, *, several: bool) -> UUID:
        return import_jobs.create(self._connection, gallery, caller, several)

    @translated()
    def add(self, job_id: UUID, items: Sequence[NewItem]) -> None:
        import_items.add(self._connection, job_id, items)
        import_jobs.touch(self._connection, job_id)

    @translated()
    def enrolled(self, job_id: UUID, photographs: Photographs) -> set[int]:
        return import_items.enrolled(self._connection, job_id, photographs)

    @translated()
    def unname_items(self, job_id: UUID) -> None:
        import_items.unname(self._connection, job_id)

    @translated()
    def name_items(self, job_id: UUID, rows: Sequence[ManifestRow]) -> set[str]:
        import_jobs.touch(self._connection, job_id)
        return import_items.name(self._connection, job_id, rows)

    @translated()
    def forget_items(self, gallery_id: UUID, external_id: str, why: Reason) -> None:
        import_items.forget(self._connection, gallery_id, external_id, why)

    @translated()
    def refuse_items(self, job_id: UUID, reasons: Mapping[str, Reason]) -> set[str]:
        return import_items.refuse(self._connection, job_id, reasons)

    @translated()
    def refuse_unnamed(self, job_id: UUID, reason: Reason) -> None:
        import_items.refuse_unnamed(self._connection, job_id, reason)

    @translated()
    def publish(self, job_id: UUID) -> ImportJob:
        job = import_jobs.publish(self._connection, job_id)
        queue.enqueue(self._connection, job_id, 0.0)
        return job

    @translated()
    def enqueue(self, job_id: UUID, delay_s: float = 0.0) -> None:
        queue.enqueue(self._connection, job_id, delay_s)

    @translated()
    def begin(self, job_id: UUID) -> Assignment | None:
        return import_jobs.begin(self._connection, job_id)

    @translated()
    def claim(self, job_id: UUID, worker: UUID, limit: int, lease_s: float) -> list[ClaimedItem]:
        return import_claims.claim(self._connection, job_id, worker, limit, lease_s)

    @translated()
    def payload(self, job_id: UUID, worker: UUID, number: int) -> Payload | None:
        return import_claims.payload(self._connection, job_id, worker, number)

    @translated()
    def hold(self, job_id: UUID, worker: UUID, numbers: Sequence[int]) -> set[int]:
        return import_claims.hold(self._connection, job_id, worker, numbers)

    @translated()
    def settle(self, job_id: UUID, verdicts: Sequence[Verdict]) -> None:
        import_claims.settle(self._connection, job_id, verdicts)

    @translated()
    def release(self, job_id: UUID, worker: UUID) -> None:
        import_claims.release(self._connection, job_id, worker)

    @translated()
    def finish(self, job_id: UUID) -> float | None:
        import_claims.give_up(self._connection, job_id)
        import_jobs.finish(self._connection, job_id)
        return import_claims.seconds_to_next(self._connection, job_id)

    @translated()
    def find(self, job_id: UUID) -> ImportJob | None:
        return import_jobs.find(self._connection, job_id)

    @translated()
    def page(
        self,
        after: UUID | None,
        limit: int,
        among: frozenset[UUID] | None,
        created_by: str | None,
    ) -> list[ImportJob]:
        return import_jobs.page(self._connection, after, limit, among, created_by)

    @translated()
    def items(
        self, job_id: UUID, status: ItemStatus | None, after: int, limit: int
    ) -> list[ListedItem]:
        return import_items.listed(self._connection, job_id, status, after, limit)

    @translated()
    def cancel(self, job_id: UUID) -> None:
        import_jobs.cancel(self._connection, job_id)

    @translated()
    def empty(self, job_id: UUID, limit: int) -> int:
        return import_items.empty(self._connection, job_id, limit)

    @translated()
    def remove(self, job_id: UUID, limit: int) -> int:
        removed = import_items.remove(self._connection, job_id, limit)
        if removed < limit:
            import_jobs.remove(self._connection, job_id)
        return removed

    @translated()
    def discard(self, job_id: UUID, limit: int) -> int:
        if not import_jobs.lock_upload(self._connection, job_id):
            return 0
        return self.remove(job_id, limit)

    @translated()
    def unattended(self) -> list[UUID]:
        return import_jobs.unattended(self._connection)

    @translated()
    def half_cancelled(self) -> list[UUID]:
        return import_jobs.half_cancelled(self._connection)

    @translated()
    def outlived(self, keep_s: float, silent_s: float) -> list[UUID]:
        return import_jobs.outlived(self._connection, keep_s, silent_s)

    @translated()
    def state(self) -> QueueState:
        return QueueState(
            import_jobs.count_unfinished(self._connection), queue.live_workers(self._connection)
        )
