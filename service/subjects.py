"""Subjects: listed and deleted."""

from dataclasses import dataclass

from service.domain.faces import ListedFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.replicas import ReplicaState
from service.domain.subjects import valid_external_id
from service.errors import RequestInvalid, SubjectNotFound
from service.galleries import Galleries, check_known, existing, refusing_from
from service.ports import Store, Transaction


@dataclass(frozen=True, slots=True)
class Listing:
    version: GalleryVersion
    total_faces: int
    faces: list[ListedFace]


@dataclass(frozen=True, slots=True)
class Deleted:
    """`replicas` is what was seen of them, None when nobody asked to wait for them."""

    version: GalleryVersion
    remaining_faces: int
    replicas: list[ReplicaState] | None


@dataclass(frozen=True, slots=True)
class Subjects:
    store: Store
    galleries: Galleries

    def list_faces(
        self,
        caller: Caller,
        gallery_name: str,
        after: str | None,
        limit: int | None,
        at_least: GalleryVersion | None = None,
    ) -> Listing:
        """The gallery's faces by subject id, from one committed state; see `Transaction`.

        Raises:
            VersionLost: the database does not know `at_least`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, gallery_name, caller)
            check_known(tx, gallery, at_least)
            total = tx.count_faces(gallery.id)
            return Listing(gallery.version, total, tx.list_faces(gallery.id, after, limit))

    def delete(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        at_least: GalleryVersion | None = None,
        *,
        wait_all: bool = False,
    ) -> Deleted:
        """Delete a subject with all its faces; committed, and unfindable here, on return.

        With `wait_all`, wait, bounded, until every live replica has dropped it.

        Raises:
            SubjectNotFound: no such subject, or an id that no subject can have.
            VersionLost: the database does not know `at_least`.
        """
        try:
            valid_external_id(external_id)
        except RequestInvalid:
            raise SubjectNotFound(external_id) from None

        def work(tx: Transaction) -> tuple[Gallery, GalleryVersion]:
            gallery = existing(tx, gallery_name, caller)
            check_known(tx, gallery, at_least)
            with refusing_from(gallery):
                if not tx.delete_subject(gallery.id, external_id):
                    raise SubjectNotFound(external_id)
            return gallery, tx.made_version(gallery.id)

        gallery, version = self.store.write(work)
        remaining = self.galleries.faces_after(gallery, version)
        replicas = self.galleries.everywhere(gallery, version) if wait_all else None
        return Deleted(version, remaining, replicas)
