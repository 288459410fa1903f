"""Subjects: created, read, listed, changed, merged and deleted."""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.consents import Consent
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.imports import ERASED
from service.domain.keys import Caller
from service.domain.repeats import Once
from service.domain.replicas import ReplicaState
from service.domain.subjects import (
    Metadata,
    NewSubject,
    Subject,
    valid_external_id,
    valid_metadata,
)
from service.errors import (
    PreconditionFailed,
    RequestInvalid,
    SubjectExists,
    SubjectExpired,
    SubjectNotFound,
)
from service.galleries import Galleries
from service.gates import record_consent
from service.ports import Transaction


@dataclass(frozen=True, slots=True)
class SubjectPage:
    version: GalleryVersion
    subjects: list[Subject]


@dataclass(frozen=True, slots=True)
class Written:
    """A subject as a write left it, in its gallery at that version."""

    gallery: Gallery
    version: GalleryVersion
    subject: Subject


@dataclass(frozen=True, slots=True)
class Merged:
    """`moved` faces came from the other subject; `dropped` were there already and went with it."""

    written: Written
    moved: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """`erased` faces went with the subject; `replicas` is what was seen of them, None when nobody
    asked to wait for them."""

    version: GalleryVersion
    erased: int
    remaining_faces: int
    replicas: list[ReplicaState] | None


def known(tx: Transaction, gallery: Gallery, external_id: str, *, lock: bool = False) -> Subject:
    """The subject of that id; with `lock`, see `Transaction.read_subject`.

    Raises:
        SubjectNotFound: there is none, or it is an id that no subject can have.
    """
    try:
        valid_external_id(external_id)
    except RequestInvalid:
        raise SubjectNotFound(external_id) from None
    subject = tx.read_subject(gallery.id, external_id, lock=lock)
    if subject is None:
        raise SubjectNotFound(external_id)
    return subject


def living(tx: Transaction, gallery: Gallery, external_id: str) -> Subject:
    """The subject of that id, locked, to be given faces.

    Raises:
        SubjectNotFound: as `known`.
        SubjectExpired: no search answers with it any more.
    """
    subject = known(tx, gallery, external_id, lock=True)
    if subject.expired:
        raise SubjectExpired(external_id)
    return subject


@dataclass(frozen=True, slots=True)
class Subjects:
    galleries: Galleries

    def read(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        at_least: GalleryVersion | None = None,
    ) -> Written:
        """Raises SubjectNotFound, and what `Galleries.reading` raises."""
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            return Written(gallery, gallery.version, known(tx, gallery, external_id))

    def page(
        self,
        caller: Caller,
        gallery_name: str,
        after: str | None,
        limit: int,
        containing: Metadata | None = None,
        at_least: GalleryVersion | None = None,
    ) -> SubjectPage:
        """The subjects by id, those after `after`, expired ones too; `containing`: only those whose
        metadata contain it.

        Raises:
            RequestInvalid: no metadata can be as `containing` is.
            and what `Galleries.reading` raises.
        """
        if containing is not None:
            valid_metadata(containing)
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            found = tx.list_subjects(gallery.id, after, limit, containing)
            return SubjectPage(gallery.version, found)

    def create(
        self,
        caller: Caller,
        gallery_name: str,
        new: NewSubject,
        at_least: GalleryVersion | None = None,
        once: Once[Written] | None = None,
        consent: Consent | None = None,
    ) -> Written:
        """Create a subject without faces, with the consent that it gave, where it is told.

        Raises:
            RequestInvalid: an id, metadata or a consent that cannot be.
            SubjectExists: the id is taken.
            and what `Galleries.write` raises.
        """
        valid_external_id(new.external_id)
        valid_metadata(new.metadata)

        def work(tx: Transaction, gallery: Gallery) -> Written:
            subject_id = tx.create_subject(gallery.id, new)
            if consent is not None:
                record_consent(tx, gallery, subject_id, consent, caller.name)
            return _written(tx, gallery, new.external_id)

        made = self.galleries.write(caller, gallery_name, work, at_least, once)
        self.galleries.followed(made.gallery, made.version)
        return made

    def change(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        changed: Callable[[Subject], NewSubject],
        at_least: GalleryVersion | None = None,
        etag: str | None = None,
    ) -> Written:
        """Change a subject, its id too; `changed` makes of the present one what it is to be.

        Raises:
            SubjectNotFound: there is none of that id.
            PreconditionFailed: `etag` is given and not that of the present subject.
            SubjectExists: the new id is taken.
            RequestInvalid: an id or metadata that cannot be.
            and what `Galleries.write` raises.
        """

        def work(tx: Transaction, gallery: Gallery) -> Written:
            before = known(tx, gallery, external_id, lock=True)
            if etag is not None and etag != before.etag:
                raise PreconditionFailed
            to = changed(before)
            valid_external_id(to.external_id)
            valid_metadata(to.metadata)
            renamed = to.external_id != external_id
            if renamed and tx.find_subject(gallery.id, to.external_id) is not None:
                raise SubjectExists(to.external_id)
            if to != NewSubject(before.external_id, before.metadata, before.expires_at):
                tx.change_subject(before.id, to)
            return _written(tx, gallery, to.external_id)

        made = self.galleries.write(caller, gallery_name, work, at_least)
        self.galleries.followed(made.gallery, made.version)
        return made

    def merge(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        other_id: str,
        at_least: GalleryVersion | None = None,
        once: Once[Merged] | None = None,
        etag: str | None = None,
    ) -> Merged:
        """Give a subject another's faces, and those of its metadata that it has no key for, and
        delete the other.

        Raises:
            PreconditionFailed: `etag` is given and not that of the subject that gets the faces.
            RequestInvalid: they are one; or their metadata are too large together.
            SubjectNotFound, SubjectExpired: either of them.
            SubjectFull: it would have more faces than it may.
            and what `Galleries.write` raises.
        """
        if external_id == other_id:
            raise RequestInvalid("from: a subject cannot be merged into itself")

        def work(tx: Transaction, gallery: Gallery) -> Merged:
            # in one order, so that two merges of the same two do not wait for each other
            both = {each: living(tx, gallery, each) for each in sorted((external_id, other_id))}
            into, other = both[external_id], both[other_id]
            if etag is not None and etag != into.etag:
                raise PreconditionFailed
            moved = tx.merge_subject(gallery.id, into.id, other.id)
            return Merged(_written(tx, gallery, external_id), moved, other.faces - moved)

        made = self.galleries.write(caller, gallery_name, work, at_least, once)
        self.galleries.followed(made.written.gallery, made.written.version)
        return made

    def delete(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        at_least: GalleryVersion | None = None,
        etag: str | None = None,
        *,
        wait_all: bool = False,
    ) -> Deleted:
        """Delete a subject with all its faces; committed, and unfindable here, on return.

        With `wait_all`, wait, bounded, until every live replica has dropped it.

        Raises:
            SubjectNotFound: no such subject, or an id that no subject can have.
            PreconditionFailed: `etag` is given and not that of the present subject.
            and what `Galleries.write` raises.
        """

        def work(tx: Transaction, gallery: Gallery) -> tuple[Gallery, Subject, GalleryVersion]:
            known(tx, gallery, external_id)
            # items before the subject: workers, too, lock them in this order
            tx.spool.forget_items(gallery.id, external_id, ERASED)
            subject = known(tx, gallery, external_id, lock=True)
            if etag is not None and etag != subject.etag:
                raise PreconditionFailed
            tx.delete_subject(gallery.id, external_id)
            return gallery, subject, tx.made_version(gallery.id)

        gallery, subject, version = self.galleries.write(caller, gallery_name, work, at_least)
        remaining = self.galleries.faces_after(gallery, version)
        replicas = self.galleries.everywhere(gallery, version) if wait_all else None
        return Deleted(version, subject.faces, remaining, replicas)


def _written(tx: Transaction, gallery: Gallery, external_id: str) -> Written:
    subject = known(tx, gallery, external_id)
    return Written(gallery, tx.made_version(gallery.id), subject)
