"""Consents: recorded, listed, withdrawn."""

from dataclasses import dataclass
from uuid import UUID

from service.domain.consents import Consent, RecordedConsent, valid_consent
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.repeats import Once
from service.errors import ConsentNotFound
from service.galleries import Galleries
from service.ports import Transaction
from service.subjects import known


@dataclass(frozen=True, slots=True)
class Recorded:
    """A consent as it stands, in one state of its gallery."""

    gallery: Gallery
    external_id: str
    consent: RecordedConsent


@dataclass(frozen=True, slots=True)
class ConsentPage:
    version: GalleryVersion
    consents: list[RecordedConsent]


@dataclass(frozen=True, slots=True)
class Consents:
    galleries: Galleries

    def record(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        given: Consent,
        at_least: GalleryVersion | None = None,
        once: Once[Recorded] | None = None,
    ) -> Recorded:
        """Record what a subject agreed to; earlier consents stay.

        Raises:
            SubjectNotFound: there is none of that id.
            RequestInvalid: see `valid_consent`.
            and what `Galleries.write` raises.
        """

        def work(tx: Transaction, gallery: Gallery) -> Recorded:
            subject = known(tx, gallery, external_id, lock=True)
            valid_consent(given, tx.now())
            made = tx.consents.add(gallery.id, subject.id, given, caller.name)
            return Recorded(gallery, external_id, _existing(tx, gallery, subject.id, made))

        return self.galleries.write(caller, gallery_name, work, at_least, once)

    def page(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        after: UUID | None,
        limit: int,
        at_least: GalleryVersion | None = None,
    ) -> ConsentPage:
        """A subject's consents in the order of their recording, ended ones too.

        Raises SubjectNotFound, and what `Galleries.reading` raises.
        """
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            subject = known(tx, gallery, external_id)
            page = tx.consents.listed(gallery.id, subject.id, after, limit)
            return ConsentPage(gallery.version, page)

    def read(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        consent_id: UUID,
        at_least: GalleryVersion | None = None,
    ) -> Recorded:
        """Raises SubjectNotFound, ConsentNotFound, and what `Galleries.reading` raises."""
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            subject = known(tx, gallery, external_id)
            found = _existing(tx, gallery, subject.id, consent_id)
            return Recorded(gallery, external_id, found)

    def withdraw(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        consent_id: UUID,
        at_least: GalleryVersion | None = None,
        once: Once[Recorded] | None = None,
    ) -> Recorded:
        """End a consent now, also one that is over; again does nothing. Who has no other valid one
        is found by no search from then on, and deleted by retention.

        Raises:
            SubjectNotFound, ConsentNotFound: there is none.
            and what `Galleries.write` raises.
        """

        def work(tx: Transaction, gallery: Gallery) -> Recorded:
            subject = known(tx, gallery, external_id, lock=True)
            _existing(tx, gallery, subject.id, consent_id)
            tx.consents.withdraw(consent_id)
            return Recorded(gallery, external_id, _existing(tx, gallery, subject.id, consent_id))

        return self.galleries.write(caller, gallery_name, work, at_least, once)


def _existing(
    tx: Transaction, gallery: Gallery, subject_id: UUID, consent_id: UUID
) -> RecordedConsent:
    found = tx.consents.find(gallery.id, subject_id, consent_id)
    if found is None:
        raise ConsentNotFound
    return found
