"""Spooling: items go into the database while they arrive, and none is there if they break off."""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from service.domain.consents import Consent
from service.domain.embeddings import Embedding
from service.domain.galleries import Gallery
from service.domain.imports import ImportJob, ItemStatus, ManifestRow, NewItem, Reason
from service.domain.keys import Caller
from service.domain.repeats import Once
from service.errors import FaceExists, ImportInvalid, RequestError, UnavailableError
from service.galleries import existing
from service.jobs.streams import too_many_items
from service.ports import Store, Transaction

BATCH_ITEMS = 200
BATCH_BYTES = 4_000_000
"""Whichever is reached first goes into the database."""
REMOVED = 500
"""Items deleted in one transaction."""
SHOWN = 1000
"""Characters of a file's name that are kept."""

log = logging.getLogger(__name__)


class Spooling:
    """An import on its way into the database. `certain`: the ids will not be changed by a
    manifest that comes later, so that what is enrolled already need not be spooled."""

    def __init__(
        self, store: Store, gallery: Gallery, job_id: UUID, max_items: int, *, certain: bool
    ) -> None:
        self.space = gallery.space
        self._store = store
        self._gallery = gallery
        self._job_id = job_id
        self._max_items = max_items
        self._certain = certain
        self._waiting: list[NewItem] = []
        self._bytes = 0
        self._items = 0
        self._number = 0

    def add(
        self,
        file: str | None,
        external_id: str | None,
        *,
        metadata: Mapping[str, Any] | None = None,
        photograph: bytes | None = None,
        embedding: Embedding | None = None,
        number: int | None = None,
        consent: Consent | None = None,
    ) -> None:
        """An item with its content, a photograph or an embedding of `space`; its number is the
        next one unless it is given."""
        digest = None if photograph is None else hashlib.sha256(photograph).digest()
        self._add(
            NewItem(
                number=self._next(number),
                file=shown(file),
                external_id=external_id,
                metadata=metadata,
                photograph=photograph,
                image_sha256=digest,
                embedding=None if embedding is None else embedding.tobytes(),
                consent=consent,
            )
        )

    def refuse(
        self,
        file: str | None,
        external_id: str | None,
        why: RequestError,
        number: int | None = None,
    ) -> None:
        """An item that cannot be used."""
        self._add(
            NewItem(
                number=self._next(number),
                file=shown(file),
                external_id=external_id,
                status=ItemStatus.REJECTED,
                reason=reason_of(why),
            )
        )

    def flush(self) -> None:
        if self._waiting:
            items, self._waiting, self._bytes = self._waiting, [], 0
            self._store.write(lambda tx: self._write(tx, items))

    def name_items(self, rows: list[ManifestRow]) -> set[str]:
        """See `Spool.name_items`; after a `flush`."""
        return self._store.write(lambda tx: tx.spool.name_items(self._job_id, rows))

    def refuse_items(self, why: Mapping[str, RequestError]) -> set[str]:
        """See `Spool.refuse_items`; after a `flush`."""
        reasons = {file: reason_of(error) for file, error in why.items()}
        return self._store.write(lambda tx: tx.spool.refuse_items(self._job_id, reasons))

    def unname_items(self) -> None:
        """Take the ids away that were made of files' names: there is a manifest."""
        self.flush()
        self._store.write(lambda tx: tx.spool.unname_items(self._job_id))

    def refuse_unnamed(self, why: RequestError) -> None:
        self.flush()
        self._store.write(lambda tx: tx.spool.refuse_unnamed(self._job_id, reason_of(why)))

    def publish(self, caller: Caller, once: Once[ImportJob] | None = None) -> ImportJob:
        """Hand the import to the workers.

        Raises:
            ImportInvalid: there is nothing in it.
            GalleryNotFound: the gallery has been deleted meanwhile.
            Repeated, AttemptInFlight, AttemptDiffers: see `Store.write`.
        """
        self.flush()
        if not self._items:
            raise ImportInvalid("There is nothing to enrol in it.")

        def work(tx: Transaction) -> ImportJob:
            existing(tx, self._gallery.name, caller)
            return tx.spool.publish(self._job_id)

        return self._store.write(work, once)

    def _next(self, number: int | None) -> int:
        self._items += 1
        if self._items > self._max_items:
            raise too_many_items(self._max_items)
        self._number = self._number + 1 if number is None else number
        return self._number

    def _add(self, item: NewItem) -> None:
        self._waiting.append(item)
        self._bytes += item.size
        if len(self._waiting) >= BATCH_ITEMS or self._bytes >= BATCH_BYTES:
            self.flush()

    def _write(self, tx: Transaction, items: list[NewItem]) -> None:
        known = self._known(tx, items) if self._certain else set()
        tx.spool.add(
            self._job_id, [_skipped(item) if item.number in known else item for item in items]
        )

    def _known(self, tx: Transaction, items: list[NewItem]) -> set[int]:
        photographs = {
            item.number: (item.external_id, item.image_sha256)
            for item in items
            if item.external_id is not None and item.image_sha256 is not None
        }
        return tx.spool.enrolled(self._job_id, photographs) if photographs else set()


def _skipped(item: NewItem) -> NewItem:
    reason = reason_of(FaceExists(item.external_id or ""))
    return replace(item, status=ItemStatus.SKIPPED, reason=reason)


def reason_of(error: RequestError) -> Reason:
    return Reason(error.code, str(error))


def shown(file: str | None) -> str | None:
    """A name as it can be stored: without NUL and half surrogates, and not endless."""
    if file is None:
        return None
    return file.replace("\0", "").encode(errors="replace").decode()[:SHOWN]


@contextmanager
def spooling(
    store: Store, caller: Caller, gallery: str, *, several: bool, certain: bool, max_items: int
) -> Iterator[Spooling]:
    """An import into a gallery; removed again when its block fails.

    Raises:
        GalleryNotFound: see `galleries.existing`.
    """

    def create(tx: Transaction) -> tuple[Gallery, UUID]:
        found = existing(tx, gallery, caller)
        return found, tx.spool.create(found, caller, several=several)

    into, job_id = store.write(create)
    try:
        yield Spooling(store, into, job_id, max_items, certain=certain)
    except BaseException:
        _give_up(store, job_id)
        raise


def _give_up(store: Store, job_id: UUID) -> None:
    try:
        # a publication whose answer was lost is not undone
        while store.write(lambda tx: tx.spool.discard(job_id, REMOVED)) == REMOVED:
            pass
    except UnavailableError as error:
        log.warning("a broken upload will be removed later: %s", error)


def remove_job(store: Store, job_id: UUID) -> None:
    """Delete a job with its items, not all in one transaction."""
    while store.write(lambda tx: tx.spool.remove(job_id, REMOVED)) == REMOVED:
        pass
