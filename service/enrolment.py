"""Enrolment: a photograph of one person, or its embedding, becomes a face of a subject."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from service import gates
from service.companions import Companion
from service.domain.consents import Consent
from service.domain.embeddings import ClaimedSpace, EmbeddingSpace, unit
from service.domain.faces import Face, NewFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.quality import QualityRules, check
from service.domain.repeats import Once
from service.domain.subjects import NOTHING, Metadata, Subject, valid_external_id
from service.errors import (
    FaceExists,
    FaceNotDetected,
    FaceNotFound,
    PreconditionFailed,
    SeveralFaces,
    SpaceMismatch,
    SubjectExists,
    SubjectFull,
)
from service.galleries import Galleries, again_if_moved
from service.images import ImageLimits, decode
from service.photographs import Terms
from service.ports import Analysers, FaceAnalyser, FaceIndex, Transaction
from service.subjects import known, living


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`version` is the gallery's with the face in it; `total_faces` counts the gallery's faces."""

    external_id: str
    embedding_size: int
    version: GalleryVersion
    total_faces: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A face as it is now, in its gallery at that version."""

    gallery: Gallery
    version: GalleryVersion
    face: Face


@dataclass(frozen=True, slots=True)
class Photograph:
    """An uploaded file: its bytes, and the name it came with."""

    data: bytes
    name: str | None


@dataclass(frozen=True, slots=True)
class RawEmbedding:
    """A vector of any length that its caller made, the space that it is said to be of, and the
    name of the photograph that it was made of."""

    values: Sequence[float]
    space: ClaimedSpace
    name: str | None


Offer = Photograph | RawEmbedding

ANY = Terms(one_face=False)


def new_face(
    analyser: FaceAnalyser,
    limits: ImageLimits,
    photograph: Photograph,
    created_by: str,
    terms: Terms = ANY,
    companion: Companion | None = None,
) -> NewFace:
    """The face of a photograph, ready to be stored: the only one, or else the largest; with its
    embedding in the gallery's other space, as far as its companion sees it.

    Raises:
        FaceNotDetected, SeveralFaces: there must be one, and with `one_face` exactly one.
        FaceUnfit: it breaks one of the rules of the terms.
        ImageTooLarge, ImageTypeUnsupported, ImageDamaged: see `images.decode`.
        Overloaded: too many photographs at once.
    """
    with limits.gate.place():
        picture = decode(photograph.data, limits)
        faces = analyser.detect(picture, thorough=True)
        if not faces:
            raise FaceNotDetected
        if terms.one_face and len(faces) > 1:
            raise SeveralFaces(len(faces))
        check(faces[0].quality, terms.rules)
        embedding = analyser.embed(picture, faces[0])
        kept = terms.kept(analyser, photograph.data, picture, faces[0])
        beside = companion.beside(picture, faces[0]) if companion else None
    return NewFace(
        embedding=embedding,
        image_sha256=hashlib.sha256(photograph.data).digest(),
        image_name=photograph.name,
        box=faces[0].box,
        created_by=created_by,
        quality=faces[0].quality,
        photograph=kept,
        beside=beside,
    )


def embedded_face(space: EmbeddingSpace, raw: RawEmbedding, created_by: str) -> NewFace:
    """An embedding, scaled to length 1, as a face without a photograph.

    Raises:
        SpaceMismatch: it is not said to be of `space`.
        EmbeddingInvalid: another number of values, not finite, or all zeros.
    """
    if not raw.space.is_of(space):
        raise SpaceMismatch(
            f"The embedding is said to be of another space than {space.describe()}, which the "
            "gallery holds; the two cannot be compared. Send the photograph instead."
        )
    embedding = unit(np.asarray(raw.values, dtype=np.float64), space.dimension)
    return NewFace(embedding, None, raw.name, None, created_by)


def add_to_subject(
    tx: Transaction,
    gallery: Gallery,
    external_id: str,
    face: NewFace,
    index: FaceIndex | None = None,
    *,
    create: bool = True,
    metadata: Metadata = NOTHING,
    consent: Consent | None = None,
) -> UUID:
    """Add a face to the subject of that id, new or, where not to `create`, there already; returns
    the face's id. A new one gets the metadata. Where there is no consent to record, refusals come
    before any write, so that the transaction can go on.

    Raises:
        SubjectNotFound: there is none, and none may be made.
        SubjectExpired: no search would find the face.
        SubjectFull: the subject has as many as it may.
        FaceExists: the subject has this very photograph, or this very embedding, already.
        ConsentMissing: the gallery demands one, and there is none.
        and what `gates.check` raises.
    """
    if create and tx.find_subject(gallery.id, external_id) is None:
        with suppress(SubjectExists):  # somebody else made it at this moment
            return _add_subject(tx, gallery, external_id, face, index, metadata, consent)
    subject = consenting(tx, gallery, external_id, face, consent)
    if _has_face(tx, subject.id, face):
        raise FaceExists(external_id)
    if subject.faces >= gallery.rules.max_faces_per_subject:
        raise SubjectFull(external_id)
    gates.check(tx, gallery, subject, face, index)
    return tx.add_face(gallery, subject.id, face)


def add_new_subject(
    tx: Transaction,
    gallery: Gallery,
    external_id: str,
    face: NewFace,
    index: FaceIndex | None = None,
    metadata: Metadata = NOTHING,
    consent: Consent | None = None,
) -> UUID:
    """Enrol a subject that must be new, unless it is there with this very face; returns the face's
    id. Refusals come before any write, so that the transaction can go on.

    Raises:
        FaceExists: it is; nothing to do.
        SubjectExists: the id is enrolled with another photograph.
        ConsentMissing: the gallery demands one.
        and what `gates.check` raises.
    """
    subject_id = tx.find_subject(gallery.id, external_id)
    if subject_id is None:
        return _add_subject(tx, gallery, external_id, face, index, metadata, consent)
    if _has_face(tx, subject_id, face):
        raise FaceExists(external_id)
    raise SubjectExists(external_id)


def _add_subject(
    tx: Transaction,
    gallery: Gallery,
    external_id: str,
    face: NewFace,
    index: FaceIndex | None,
    metadata: Metadata = NOTHING,
    consent: Consent | None = None,
) -> UUID:
    if consent is None:
        gates.check_consent(tx, gallery, None)
    gates.check(tx, gallery, external_id, face, index)
    subject_id = tx.add_subject(gallery.id, external_id, metadata)
    if consent is not None:
        gates.record_consent(tx, gallery, subject_id, consent, face.created_by)
        gates.check_consent(tx, gallery, subject_id)
    return tx.add_face(gallery, subject_id, face)


def consenting(
    tx: Transaction, gallery: Gallery, external_id: str, face: NewFace, consent: Consent | None
) -> Subject:
    """The subject, locked, to be given this face, the consent recorded where there is one: it may
    bring back to life whose consents were all over.

    Raises:
        ConsentMissing: the gallery demands one, and there is none that is valid.
        and what `living` raises.
    """
    if consent is not None:
        subject = known(tx, gallery, external_id, lock=True)
        gates.record_consent(tx, gallery, subject.id, consent, face.created_by)
    subject = living(tx, gallery, external_id)
    gates.check_consent(tx, gallery, subject.id)
    return subject


def _has_face(tx: Transaction, subject_id: UUID, face: NewFace) -> bool:
    if face.image_sha256 is not None:
        return tx.subject_has_image(subject_id, face.image_sha256)
    return tx.subject_has_embedding(subject_id, face.embedding)


@dataclass(frozen=True, slots=True)
class Enrolment:
    galleries: Galleries
    analysers: Analysers
    limits: ImageLimits
    rules: QualityRules

    @again_if_moved
    def add_face(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        photograph: Photograph,
        at_least: GalleryVersion | None = None,
        consent: Consent | None = None,
    ) -> Enrolled:
        """Enrol a new subject with one face; committed, and searchable here, on return.

        Raises:
            RequestInvalid: the id cannot name a subject.
            SubjectExists: it names one already.
            GalleryFull: the gallery's limit is reached.
            and what `Analysers.of`, `new_face`, `gates.check` and `Galleries.write` raise.
        """
        valid_external_id(external_id)
        seen, face = self._made(caller, gallery_name, photograph)

        def work(tx: Transaction, gallery: Gallery) -> tuple[Gallery, GalleryVersion]:
            if tx.find_subject(gallery.id, external_id) is not None:
                raise SubjectExists(external_id)
            index = self.galleries.index_of(gallery)
            _add_subject(tx, gallery, external_id, face, index, consent=consent)
            return gallery, tx.made_version(gallery.id)

        write = self.galleries.write
        gallery, version = write(caller, gallery_name, work, at_least, seen=seen)
        total = self.galleries.faces_after(gallery, version)
        return Enrolled(external_id, len(face.embedding), version, total)

    @again_if_moved
    def add(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        offer: Offer,
        at_least: GalleryVersion | None = None,
        once: Once[Placed] | None = None,
        *,
        create: bool = False,
        consent: Consent | None = None,
    ) -> Placed:
        """Add a face to a subject; committed, and searchable here, on return.

        Raises:
            RequestInvalid: the id cannot name the subject to `create`.
            GalleryFull: the gallery's limit is reached.
            and what `add_to_subject`, `Analysers.of`, `new_face`, `embedded_face` and
            `Galleries.write` raise.
        """
        if create:
            valid_external_id(external_id)
        seen, face = self._made(caller, gallery_name, offer)

        def work(tx: Transaction, gallery: Gallery) -> Placed:
            index = self.galleries.index_of(gallery)
            face_id = add_to_subject(
                tx, gallery, external_id, face, index, create=create, consent=consent
            )
            return _placed(tx, gallery, face_id)

        placed = self.galleries.write(caller, gallery_name, work, at_least, once, seen)
        self.galleries.followed(placed.gallery, placed.version)
        return placed

    @again_if_moved
    def replace(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        face_id: UUID,
        offer: Offer,
        at_least: GalleryVersion | None = None,
        etag: str | None = None,
        consent: Consent | None = None,
    ) -> Placed:
        """Put another photograph in the place of an enrolled face, whose id stays; as `add`.

        Raises:
            SubjectNotFound, FaceNotFound: there is no such face of that subject.
            PreconditionFailed: `etag` is given and not that of the present face.
            FaceExists: another face of the subject is of this very photograph.
            and what `add` raises.
        """
        seen, face = self._made(caller, gallery_name, offer)

        def work(tx: Transaction, gallery: Gallery) -> Placed:
            index = self.galleries.index_of(gallery)
            _replace(tx, gallery, external_id, face_id, face, index, etag, consent)
            return _placed(tx, gallery, face_id)

        placed = self.galleries.write(caller, gallery_name, work, at_least, seen=seen)
        self.galleries.followed(placed.gallery, placed.version)
        return placed

    def _made(self, caller: Caller, gallery_name: str, offer: Offer) -> tuple[Gallery, NewFace]:
        """The face, and the gallery as it was made for: everything that takes time."""
        gallery = self.galleries.read(caller, gallery_name)
        if isinstance(offer, RawEmbedding):
            return gallery, embedded_face(gallery.space, offer, caller.name)
        terms = Terms.of(gallery, self.rules, self.galleries.photograph_keys)
        analyser = self.analysers.of(gallery.space)
        companion = Companion.of(gallery, self.analysers)
        return gallery, new_face(analyser, self.limits, offer, caller.name, terms, companion)


def _replace(
    tx: Transaction,
    gallery: Gallery,
    external_id: str,
    face_id: UUID,
    new: NewFace,
    index: FaceIndex | None,
    etag: str | None,
    consent: Consent | None,
) -> None:
    """Until it is replaced, a face counts among those that the new one must resemble: else one
    person's only photograph could become another's."""
    subject = consenting(tx, gallery, external_id, new, consent)
    present = tx.read_face(gallery, face_id)
    if present is None or present.external_id != external_id:
        raise FaceNotFound(face_id)
    if etag is not None and etag != present.etag:
        raise PreconditionFailed
    if new.image_sha256 != present.image_sha256 and _has_face(tx, subject.id, new):
        raise FaceExists(external_id)
    gates.check(tx, gallery, subject, new, index, replaced=face_id)
    tx.replace_face(gallery, face_id, new)


def _placed(tx: Transaction, gallery: Gallery, face_id: UUID) -> Placed:
    face = tx.read_face(gallery, face_id)
    if face is None:
        raise FaceNotFound(face_id)
    return Placed(gallery, tx.made_version(gallery.id), face)
