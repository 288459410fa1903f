"""Enrolment: a photograph of one person becomes a face of a subject."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from service.domain.faces import NewFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.quality import QualityRules, check
from service.domain.subjects import valid_external_id
from service.errors import FaceExists, FaceNotDetected, SeveralFaces, SubjectExists
from service.galleries import Galleries, check_known, refusing_from, serving
from service.images import ImageLimits, decode
from service.ports import Analysers, FaceAnalyser, Store, Transaction


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`version` is the gallery's with the face in it; `total_faces` counts the gallery's faces."""

    external_id: str
    embedding_size: int
    version: GalleryVersion
    total_faces: int


@dataclass(frozen=True, slots=True)
class Photograph:
    """An uploaded file: its bytes, and the name it came with."""

    data: bytes
    name: str | None


def new_face(
    analyser: FaceAnalyser,
    limits: ImageLimits,
    rules: QualityRules,
    photograph: Photograph,
    created_by: str,
) -> NewFace:
    """The one face of a photograph, ready to be stored.

    Raises:
        FaceNotDetected, SeveralFaces: there must be exactly one face.
        FaceUnfit: it breaks one of the rules.
        ImageTooLarge, ImageTypeUnsupported, ImageDamaged: see `images.decode`.
        Overloaded: too many photographs at once.
    """
    with limits.gate.place():
        picture = decode(photograph.data, limits)
        faces = analyser.detect(picture, thorough=True)
        if not faces:
            raise FaceNotDetected
        if len(faces) > 1:
            raise SeveralFaces(len(faces))
        check(faces[0].quality, rules)
        embedding = analyser.embed(picture, faces[0])
    return NewFace(
        embedding=embedding,
        image_sha256=hashlib.sha256(photograph.data).digest(),
        image_name=photograph.name,
        box=faces[0].box,
        created_by=created_by,
        quality=faces[0].quality,
    )


def add_to_subject(tx: Transaction, gallery: Gallery, external_id: str, face: NewFace) -> None:
    """Add a face to the subject of that id, new or not.

    Raises:
        FaceExists: the subject has this very photograph, or this very embedding, already.
    """
    subject_id = tx.find_subject(gallery.id, external_id)
    if subject_id is None:
        subject_id = tx.add_subject(gallery.id, external_id)
    elif _has_face(tx, subject_id, face):
        raise FaceExists(external_id)
    tx.add_face(gallery, subject_id, face)


def add_new_subject(tx: Transaction, gallery: Gallery, external_id: str, face: NewFace) -> None:
    """Enrol a subject that must be new, unless it is there with this very face.

    Raises:
        FaceExists: it is; nothing to do.
        SubjectExists: the id is enrolled with another photograph.
    """
    subject_id = tx.find_subject(gallery.id, external_id)
    if subject_id is None:
        tx.add_face(gallery, tx.add_subject(gallery.id, external_id), face)
    elif _has_face(tx, subject_id, face):
        raise FaceExists(external_id)
    else:
        raise SubjectExists(external_id)


def _has_face(tx: Transaction, subject_id: UUID, face: NewFace) -> bool:
    if face.image_sha256 is not None:
        return tx.subject_has_image(subject_id, face.image_sha256)
    return tx.subject_has_embedding(subject_id, face.embedding)


@dataclass(frozen=True, slots=True)
class Enrolment:
    store: Store
    galleries: Galleries
    analysers: Analysers
    limits: ImageLimits
    rules: QualityRules

    def add_face(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        photograph: Photograph,
        at_least: GalleryVersion | None = None,
    ) -> Enrolled:
        """Enrol a new subject with one face; committed, and searchable here, on return.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            RequestInvalid: the id cannot name a subject.
            SubjectExists: it names one already.
            GalleryFull: the gallery's limit is reached.
            VersionLost: the database does not know `at_least`.
            and what `Analysers.of` and `new_face` raise.
        """
        valid_external_id(external_id)
        analyser = self.analysers.of(self.galleries.read(caller, gallery_name).space)
        face = new_face(analyser, self.limits, self.rules, photograph, caller.name)

        def work(tx: Transaction) -> tuple[Gallery, GalleryVersion]:
            gallery = serving(tx, gallery_name, caller, analyser.space)
            check_known(tx, gallery, at_least)
            with refusing_from(gallery):
                tx.add_face(gallery, tx.add_subject(gallery.id, external_id), face)
                return gallery, tx.made_version(gallery.id)

        gallery, version = self.store.write(work)
        total = self.galleries.faces_after(gallery, version)
        return Enrolled(external_id, len(face.embedding), version, total)
