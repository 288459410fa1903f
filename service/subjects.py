"""Subjects: listed and deleted."""

from dataclasses import dataclass

from service.domain.faces import ListedFace
from service.domain.galleries import GalleryVersion
from service.domain.subjects import valid_external_id
from service.errors import FormInvalid, SubjectNotFound
from service.galleries import Galleries, existing
from service.ports import Store


@dataclass(frozen=True, slots=True)
class Listing:
    version: GalleryVersion
    total_faces: int
    faces: list[ListedFace]


@dataclass(frozen=True, slots=True)
class Deleted:
    version: GalleryVersion
    remaining_faces: int


@dataclass(frozen=True, slots=True)
class Subjects:
    store: Store
    galleries: Galleries

    def list_faces(self, gallery_name: str, after: str | None, limit: int | None) -> Listing:
        """The gallery's faces by subject id, from one committed state; see `Transaction`."""
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, gallery_name)
            total = tx.count_faces(gallery.id)
            return Listing(gallery.version, total, tx.list_faces(gallery.id, after, limit))

    def delete(self, gallery_name: str, external_id: str) -> Deleted:
        """Delete a subject with all its faces; committed, and unfindable here, on return.

        Raises:
            SubjectNotFound: no such subject, or an id that no subject can have.
        """
        try:
            valid_external_id(external_id)
        except FormInvalid:
            raise SubjectNotFound(external_id) from None
        with self.store.transaction() as tx:
            gallery = existing(tx, gallery_name)
            if not tx.delete_subject(gallery.id, external_id):
                raise SubjectNotFound(external_id)
            version = tx.made_version(gallery.id)
        return Deleted(version, self.galleries.faces_after(gallery, version))
