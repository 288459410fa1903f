"""The work on an import: items are claimed, embedded, and enrolled in batches."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID, uuid4

import numpy as np

from service.companions import Companion
from service.domain.faces import NewFace
from service.domain.galleries import Gallery
from service.domain.imports import (
    Assignment,
    ClaimedItem,
    ItemStatus,
    Payload,
    Reason,
    Verdict,
)
from service.domain.quality import QualityRules
from service.enrolment import Photograph, add_new_subject, add_to_subject, new_face
from service.errors import (
    FaceExists,
    GalleryMoved,
    GalleryNotFound,
    PhotographKeyMissing,
    RequestError,
    SpaceMismatch,
    UnavailableError,
)
from service.galleries import as_seen, existing
from service.images import ImageLimits
from service.jobs.imports import Imports
from service.jobs.spooling import reason_of
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.photographs import Terms
from service.ports import Analysers, FaceAnalyser, Store, Transaction

BATCH = 32
"""Faces committed at once: one gallery version, one notification. Fewer than 64, from where on
PostgreSQL's savepoints become slow."""
COMPARED = 8
"""Committed at once where the gallery's rules compare each with what is enrolled: it is held for
that long."""
BATCH_S = 5.0
"""A batch ends after so long, whatever it holds."""
LEASE_S = 30.0
"""Items are claimed for so long. A worker that takes longer finds that they are another's."""
SLICE_S = 30.0
"""A worker turns to other jobs after so long."""
KEYLESS_S = 60.0
"""After so long it is seen again whether another process has the key that one lacks."""
OUR_MISTAKE = Reason("internal_error", "A bug of ours; the log of the worker has the traceback.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item whose face is ready to be stored."""

    number: int
    item: ClaimedItem
    face: NewFace


Outcome = Prepared | Verdict


@dataclass(frozen=True, slots=True)
class Enrolling:
    """See `service.spool.QueueWork`."""

    store: Store
    analysers: Analysers
    images: ImageLimits
    imports: Imports
    rules: QualityRules
    photograph_keys: PhotographKeys = NO_KEYS

    def sweep(self) -> None:
        self.imports.sweep()

    def run(self, job_id: UUID, stopping: Callable[[], bool]) -> None:
        """Work on a job for `SLICE_S` seconds, or until it is done, or `stopping()`; what is left
        then waits in the queue again.

        Raises:
            DatabaseUnavailable: not even that could be written; `sweep` sees to it.
        """
        try:
            again_s = self.work(job_id, stopping, SLICE_S)
        except UnavailableError as error:
            log.warning("an import has to wait: %s", error)
            again_s = float(error.retry_after_s)
        except PhotographKeyMissing as error:
            log.error("an import waits for the operator: %s", error)
            again_s = KEYLESS_S
        if again_s is not None:
            self.store.write(lambda tx: tx.spool.enqueue(job_id, again_s))

    def work(
        self, job_id: UUID, stopping: Callable[[], bool], slice_s: float = float("inf")
    ) -> float | None:
        """Work on a job while there is something to claim; the seconds until there may be more,
        None when the job has ended.

        Raises:
            ModelUnavailable: this process lacks the gallery's model.
            PhotographKeyMissing: the gallery keeps photographs, and this process has no key.
            Overloaded, DatabaseUnavailable, DatabaseBusy: what was claimed is given back.
        """
        while True:
            try:
                worker = self._worker(job_id)
                return None if worker is None else self._go_on(worker, stopping, slice_s)
            except GalleryMoved:  # what was not committed is embedded anew
                continue
            except GalleryNotFound:  # it was deleted at this moment, and the job with it
                return None

    def _worker(self, job_id: UUID) -> "Worker | None":
        assignment = self.store.write(lambda tx: tx.spool.begin(job_id))
        if assignment is None:
            return None
        with self.store.transaction(read_only=True) as tx:
            gallery = tx.find_gallery(assignment.gallery)
        if gallery is None:
            return None
        terms = Terms.of(gallery, self.rules, self.photograph_keys)
        analyser = self.analysers.of(gallery.space)
        companion = Companion.of(gallery, self.analysers)
        return Worker(
            self.store, self.images, gallery, analyser, companion, assignment, terms, uuid4()
        )

    def _go_on(
        self, worker: "Worker", stopping: Callable[[], bool], slice_s: float
    ) -> float | None:
        until = time.monotonic() + slice_s
        shared = False
        job_id = worker.assignment.job_id
        while not stopping() and time.monotonic() < until:
            claimed = worker.claim()
            if not claimed:
                return self.store.write(lambda tx: tx.spool.finish(job_id))
            if len(claimed) == BATCH and not shared:
                # there is more than one can take: whoever is free may come
                self.store.write(lambda tx: tx.spool.enqueue(job_id))
                shared = True
            worker.enrol(claimed)
        return 0.0


@dataclass(frozen=True, slots=True)
class Worker:
    """One thread's turn at a job; what it claims is claimed by `id`. `gallery` is as it was when
    the turn began."""

    store: Store
    images: ImageLimits
    gallery: Gallery
    analyser: FaceAnalyser
    companion: Companion | None
    assignment: Assignment
    terms: Terms
    id: UUID

    def claim(self) -> list[ClaimedItem]:
        job_id = self.assignment.job_id
        return self.store.write(lambda tx: tx.spool.claim(job_id, self.id, BATCH, LEASE_S))

    def enrol(self, claimed: Sequence[ClaimedItem]) -> None:
        """Embed and commit what can be done within `BATCH_S`, and give the rest back.

        Raises:
            UnavailableError: the model or the database is; everything not committed is given back,
                by its lease's end at the latest.
        """
        ready: list[Outcome] = []
        try:
            until = time.monotonic() + BATCH_S
            for item in claimed:
                ready += self._prepared(item)
                if time.monotonic() > until:
                    break
        finally:
            try:
                size = COMPARED if self.gallery.rules.gates.compares else BATCH
                for start in range(0, len(ready), size):
                    self._commit(ready[start : start + size])
            finally:
                with suppress(UnavailableError):
                    self.store.write(lambda tx: tx.spool.release(self.assignment.job_id, self.id))

    def _prepared(self, item: ClaimedItem) -> list[Outcome]:
        """What can be said of an item before it is stored; nothing where it is ours no more."""
        try:
            if item.known:
                raise FaceExists(item.external_id)
            payload = self._payload(item)
            if payload is None:
                return []
            return [Prepared(item.number, item, self._face(item, payload))]
        except RequestError as error:
            return [_refused(item.number, error)]
        except UnavailableError:
            raise
        except Exception:
            log.exception("an item of an import cannot be worked on")
            return [Verdict(item.number, ItemStatus.REJECTED, OUR_MISTAKE)]

    def _payload(self, item: ClaimedItem) -> Payload | None:
        with self.store.transaction(read_only=True) as tx:
            return tx.spool.payload(self.assignment.job_id, self.id, item.number)

    def _face(self, item: ClaimedItem, payload: Payload) -> NewFace:
        created_by = self.assignment.caller.name
        name = item.file and PurePosixPath(item.file).name
        if payload.photograph is not None:
            photo = Photograph(payload.photograph, name)
            return new_face(
                self.analyser, self.images, photo, created_by, self.terms, self.companion
            )
        embedding = np.frombuffer(payload.embedding or b"", dtype=np.float32)
        return NewFace(embedding, None, name, None, created_by)

    def _commit(self, ready: list[Outcome]) -> None:
        """In one transaction; where that is refused as a whole, one by one."""
        try:
            self.store.write(lambda tx: self._enrolled(tx, ready), by=self.assignment.caller)
        except UnavailableError:
            raise
        except Exception as error:
            if len(ready) > 1:
                for outcome in ready:
                    self._commit([outcome])
            else:
                self._reject(ready[0].number, error)

    def _enrolled(self, tx: Transaction, ready: list[Outcome]) -> None:
        job_id = self.assignment.job_id
        tx.enter_gallery(self.assignment.gallery)
        held = tx.spool.hold(job_id, self.id, [outcome.number for outcome in ready])
        gallery = as_seen(
            existing(tx, self.assignment.gallery, self.assignment.caller), self.gallery
        )
        if gallery.rules.gates.compares:
            # before any subject: two workers would otherwise each wait for what the other holds
            tx.hold_gallery(gallery.id)
        verdicts = [
            self._stored(tx, gallery, outcome) if isinstance(outcome, Prepared) else outcome
            for outcome in sorted(ready, key=_turn)
            if outcome.number in held
        ]
        tx.spool.settle(job_id, verdicts)
        if any(verdict.status is ItemStatus.ENROLLED for verdict in verdicts):
            tx.made_version(gallery.id)  # raises GalleryFull before the commit would

    def _stored(self, tx: Transaction, gallery: Gallery, prepared: Prepared) -> Verdict:
        """Without this replica's index: it does not hold what this very transaction has enrolled,
        which the gates must see; SQL does."""
        item, face = prepared.item, prepared.face
        add = add_to_subject if self.assignment.several else add_new_subject
        try:
            self._check_space(gallery, face)
            with tx.savepoint():
                face_id = add(
                    tx,
                    gallery,
                    item.external_id,
                    face,
                    metadata=item.metadata,
                    consent=item.consent,
                )
        except RequestError as error:
            return _refused(prepared.number, error)
        return Verdict(prepared.number, ItemStatus.ENROLLED, face_id=face_id)

    def _check_space(self, gallery: Gallery, face: NewFace) -> None:
        """Raises SpaceMismatch for an embedding when the gallery has moved since it came."""
        if face.image_sha256 is None and gallery.space_id != self.assignment.space_id:
            raise SpaceMismatch("The gallery has another embedding space than when this was sent.")

    def _reject(self, number: int, error: Exception) -> None:
        if isinstance(error, GalleryNotFound):
            raise error
        if isinstance(error, RequestError):
            verdict = _refused(number, error)
        else:
            log.error("an item of an import cannot be stored", exc_info=error)
            verdict = Verdict(number, ItemStatus.REJECTED, OUR_MISTAKE)

        def work(tx: Transaction) -> None:
            if tx.spool.hold(self.assignment.job_id, self.id, [number]):
                tx.spool.settle(self.assignment.job_id, [verdict])

        self.store.write(work)


def _turn(outcome: Outcome) -> tuple[str, int]:
    """Every worker locks subjects in this order, so that none waits for another in a circle."""
    external_id = outcome.item.external_id if isinstance(outcome, Prepared) else ""
    return external_id, outcome.number


def _refused(number: int, error: RequestError) -> Verdict:
    skipped = isinstance(error, FaceExists)
    status = ItemStatus.SKIPPED if skipped else ItemStatus.REJECTED
    return Verdict(number, status, reason_of(error))
