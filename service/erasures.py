"""Erasures: receipts of deletions, followed until every replica has passed them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service.domain.erasures import Erasure
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.imports import ERASED
from service.domain.keys import Caller
from service.domain.repeats import Once
from service.domain.replicas import HEARTBEAT_S, ReplicaState
from service.domain.subjects import valid_external_id
from service.errors import ErasureNotFound, SubjectNotFound
from service.galleries import check_known, existing
from service.ports import Store, Transaction

BATCH = 100


@dataclass(frozen=True, slots=True)
class ErasedEverywhere:
    """What was deleted of one external id: the galleries and their versions without it."""

    external_id: str
    galleries: tuple[tuple[Gallery, GalleryVersion], ...]


@dataclass(frozen=True, slots=True)
class ErasurePage:
    version: GalleryVersion
    erasures: list[Erasure]


@dataclass(frozen=True, slots=True)
class Erasures:
    store: Store

    def erase(
        self, caller: Caller, external_id: str, once: Once[ErasedEverywhere] | None = None
    ) -> ErasedEverywhere:
        """Delete the subjects of that id in every gallery that the caller reaches, and what imports
        would make of it, at once.

        Raises:
            RequestInvalid: no subject can have that id.
            SubjectNotFound: none has, and none would.
        """
        valid_external_id(external_id)

        def work(tx: Transaction) -> ErasedEverywhere:
            galleries = tx.galleries_of(external_id, caller.galleries)
            for gallery in galleries:
                # items before the subject: workers, too, lock them in this order
                tx.spool.forget_items(gallery.id, external_id, ERASED)
                tx.delete_subject(gallery.id, external_id)
            if not galleries:
                raise SubjectNotFound(external_id)
            made = tuple((each, tx.made_version(each.id)) for each in galleries)
            return ErasedEverywhere(external_id, made)

        return self.store.write(work, once, by=caller)

    def page(
        self,
        caller: Caller,
        gallery_name: str,
        after: UUID | None,
        limit: int,
        at_least: GalleryVersion | None = None,
    ) -> ErasurePage:
        """A gallery's erasures, newest first.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            VersionLost: the database does not know `at_least`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, gallery_name, caller)
            check_known(tx, gallery, at_least)
            return ErasurePage(gallery.version, tx.erasures(gallery.id, after, limit))

    def read(self, caller: Caller, erasure_id: UUID) -> Erasure:
        """Raises ErasureNotFound, also for those of galleries that the caller does not reach."""
        with self.store.transaction(read_only=True) as tx:
            found = tx.find_erasure(erasure_id)
        if found is None or not caller.reaches(found.gallery_id):
            raise ErasureNotFound
        return found

    def follow(self) -> int:
        """Note those that every live replica has passed by now; returns how many."""
        passed = 0
        with self.store.transaction() as tx:
            for each in tx.erasures(None, None, BATCH, open_only=True):
                live = [state for state in tx.replicas(each.gallery_id) if state.live]
                if all(_passed(each, state) for state in live):
                    tx.mark_passed(each.id, [state.name for state in live])
                    passed += 1
        return passed


def _passed(erasure: Erasure, state: ReplicaState) -> bool:
    if erasure.version is None or erasure.gallery_name is None:
        # it says nothing of a gallery that is gone, but it has looked between its last two reports
        return state.seen_at - erasure.erased_at > timedelta(seconds=2 * HEARTBEAT_S)
    return state.version is not None and state.version.number >= erasure.version
