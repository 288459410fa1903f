"""Faces: the enrolled photographs of subjects, listed, read and deleted."""

from dataclasses import dataclass
from uuid import UUID

from service.domain.faces import Face, ListedFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.replicas import ReplicaState
from service.errors import FaceNotFound, PreconditionFailed
from service.galleries import Galleries
from service.ports import Transaction
from service.subjects import known


@dataclass(frozen=True, slots=True)
class Listing:
    version: GalleryVersion
    total_faces: int
    faces: list[ListedFace]


@dataclass(frozen=True, slots=True)
class FacePage:
    version: GalleryVersion
    faces: list[Face]


@dataclass(frozen=True, slots=True)
class Shown:
    version: GalleryVersion
    face: Face


@dataclass(frozen=True, slots=True)
class FaceErased:
    """`replicas` is what was seen of them, None when nobody asked to wait for them."""

    version: GalleryVersion
    replicas: list[ReplicaState] | None


def of_subject(
    tx: Transaction,
    gallery: Gallery,
    external_id: str,
    face_id: UUID,
    *,
    embeddings: bool = False,
    lock: bool = False,
) -> Face:
    """A subject's face; with `lock`, its subject is locked.

    Raises:
        SubjectNotFound, FaceNotFound: the subject is not there, or the face is not its.
    """
    known(tx, gallery, external_id, lock=lock)
    face = tx.read_face(gallery, face_id, embeddings=embeddings)
    if face is None or face.external_id != external_id:
        raise FaceNotFound(face_id)
    return face


@dataclass(frozen=True, slots=True)
class Faces:
    galleries: Galleries

    def listing(
        self,
        caller: Caller,
        gallery_name: str,
        after: str | None,
        limit: int | None,
        at_least: GalleryVersion | None = None,
    ) -> Listing:
        """The gallery's faces by subject id, from one committed state; see `Transaction`.

        Raises what `Galleries.reading` raises.
        """
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            total = tx.count_faces(gallery.id)
            return Listing(gallery.version, total, tx.list_faces(gallery.id, after, limit))

    def page(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        after: UUID | None,
        limit: int,
        at_least: GalleryVersion | None = None,
        *,
        embeddings: bool = False,
    ) -> FacePage:
        """A subject's faces in the order of their enrolment, those after `after`. Embeddings that
        are given out are in the record first.

        Raises:
            SubjectNotFound: there is none of that id.
            and what `Galleries.reading` raises.
        """
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            subject = known(tx, gallery, external_id)
            page = tx.faces_of(gallery, subject.id, after, limit, embeddings=embeddings)
        if embeddings and page:
            self._note_export(caller, gallery, subject.id, of="subject", faces=len(page))
        return FacePage(gallery.version, page)

    def read(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        face_id: UUID,
        at_least: GalleryVersion | None = None,
        *,
        embeddings: bool = False,
    ) -> Shown:
        """As `page`; raises what `of_subject` and `Galleries.reading` raise."""
        with self.galleries.reading(caller, gallery_name, at_least) as (tx, gallery):
            face = of_subject(tx, gallery, external_id, face_id, embeddings=embeddings)
            subject_id = tx.find_subject(gallery.id, external_id)
        if embeddings:
            self._note_export(caller, gallery, subject_id, of="face", faces=1, face=str(face_id))
        return Shown(gallery.version, face)

    def _note_export(
        self, caller: Caller, gallery: Gallery, subject_id: UUID | None, **detail: object
    ) -> None:
        self.galleries.store.write(
            lambda tx: tx.note("export", gallery.id, subject_id, **detail), by=caller
        )

    def delete(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        face_id: UUID,
        at_least: GalleryVersion | None = None,
        etag: str | None = None,
        *,
        wait_all: bool = False,
    ) -> FaceErased:
        """Delete one face; committed, and unfindable here, on return. Its subject stays.

        With `wait_all`, wait, bounded, until every live replica has dropped it.

        Raises:
            PreconditionFailed: `etag` is given and not that of the present face.
            and what `of_subject` and `Galleries.write` raise.
        """

        def work(tx: Transaction, gallery: Gallery) -> tuple[Gallery, GalleryVersion]:
            face = of_subject(tx, gallery, external_id, face_id, lock=True)
            if etag is not None and etag != face.etag:
                raise PreconditionFailed
            tx.delete_face(gallery.id, face_id)
            return gallery, tx.made_version(gallery.id)

        gallery, version = self.galleries.write(caller, gallery_name, work, at_least)
        self.galleries.followed(gallery, version)
        replicas = self.galleries.everywhere(gallery, version) if wait_all else None
        return FaceErased(version, replicas)
