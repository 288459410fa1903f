"""Bulk imports: taken in, looked at, cancelled, forgotten."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from service.domain.imports import ImportJob, ItemStatus, ListedItem
from service.domain.keys import Caller, Scope
from service.domain.repeats import Once
from service.errors import JobNotFound, Overloaded, UnavailableError
from service.images import ImageLimits
from service.jobs.spooling import REMOVED, remove_job, spooling
from service.jobs.uploads import ImportLimits, Upload
from service.ports import Store, Transaction

UPLOADS = 4
"""Taken in at once by one process: each has a thread, and a photograph in memory."""
SILENT_S = 900.0
"""An upload that has spooled nothing for so long was left behind by a process that died."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imports:
    """`keep_s`: how long the results of an ended job are kept, in seconds."""

    store: Store
    images: ImageLimits
    limits: ImportLimits
    keep_s: float
    _places: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(UPLOADS)
    )

    def submit(
        self,
        caller: Caller,
        gallery: str,
        body: IO[bytes],
        *,
        several: bool = True,
        once: Callable[[bytes], Once[ImportJob] | None] = lambda digest: None,
    ) -> ImportJob:
        """Spool an upload and hand it to the workers; nothing is left of one that fails.

        Args:
            body: a tar, plain or gzip, a zip, or lines of JSON; see docs/api.md.
            several: an id that is enrolled already gets a further face; else it is rejected.
            once: what makes the request repeatable, of the SHA-256 of the body.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            ImportInvalid, ImportTooLarge: see `Upload.read`.
            Overloaded: too many uploads at once.
            Repeated, AttemptInFlight, AttemptDiffers: see `Store.write`.
        """
        with (
            self._place(),
            spooling(
                self.store,
                caller,
                gallery,
                several=several,
                certain=False,
                max_items=self.limits.max_items,
            ) as into,
        ):
            digest = Upload(into, self.images, self.limits).read(body)
            return into.publish(caller, once(digest))

    def read(self, caller: Caller, job_id: UUID) -> ImportJob:
        """Raises JobNotFound, also for a job of a gallery that the caller does not reach, or of
        somebody else where the caller may not read."""
        with self.store.transaction(read_only=True) as tx:
            return _existing(tx, caller, job_id)

    def page(self, caller: Caller, after: UUID | None, limit: int) -> list[ImportJob]:
        """The jobs of the galleries that the caller reaches, newest first; those of others only for
        who may read."""
        own = None if caller.may(Scope.READ) else caller.name
        with self.store.transaction(read_only=True) as tx:
            return tx.spool.page(after, limit, caller.galleries, own)

    def items(
        self, caller: Caller, job_id: UUID, status: ItemStatus | None, after: int, limit: int
    ) -> list[ListedItem]:
        """What became of the items, by number; raises JobNotFound as `read` does."""
        with self.store.transaction(read_only=True) as tx:
            _existing(tx, caller, job_id)
            return tx.spool.items(job_id, status, after, limit)

    def cancel(
        self, caller: Caller, job_id: UUID, once: Once[ImportJob] | None = None
    ) -> ImportJob:
        """Enrol nothing more of a job; an ended one stays as it is.

        The batches under way are dropped where their faces are not committed yet.
        """

        def work(tx: Transaction) -> ImportJob:
            _existing(tx, caller, job_id)
            tx.spool.cancel(job_id)
            return _existing(tx, caller, job_id)

        job = self.store.write(work, once)
        self._empty(job_id)
        return job

    def delete(self, caller: Caller, job_id: UUID) -> None:
        """Forget a job and its results; one that has not ended is cancelled first."""
        self.cancel(caller, job_id)
        remove_job(self.store, job_id)

    def sweep(self) -> None:
        """See that every job has a worker coming, and that nothing outlives its time."""
        with self.store.transaction() as tx:
            unattended, cancelled = tx.spool.unattended(), tx.spool.half_cancelled()
            outlived = tx.spool.outlived(self.keep_s, SILENT_S)
        for job_id in unattended:
            self._attend(job_id)
        for job_id in cancelled:
            self._empty(job_id)
        for job_id in outlived:
            remove_job(self.store, job_id)

    def _attend(self, job_id: UUID) -> None:
        self.store.write(lambda tx: tx.spool.enqueue(job_id))

    def _empty(self, job_id: UUID) -> None:
        try:
            while self.store.write(lambda tx: tx.spool.empty(job_id, REMOVED)) == REMOVED:
                pass
        except UnavailableError as error:
            log.warning("a cancelled job will be emptied later: %s", error)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Overloaded
        try:
            yield
        finally:
            self._places.release()


def _existing(tx: Transaction, caller: Caller, job_id: UUID) -> ImportJob:
    job = tx.spool.find(job_id)
    if job is None or not caller.reaches(job.gallery_id):
        raise JobNotFound(job_id)
    if not (caller.may(Scope.READ) or job.created_by == caller.name):
        raise JobNotFound(job_id)  # it tells ids that somebody else has sent
    return job
