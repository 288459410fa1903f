"""Gates: what a gallery refuses an enrolment for, decided on the committed faces."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from service.domain.consents import Consent, valid_consent
from service.domain.decisions import accepted
from service.domain.embeddings import Embedding
from service.domain.faces import NewFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.subjects import Subject
from service.errors import ConsentMissing, PersonKnown, PhotographKnown, UnlikeSubject
from service.ports import FaceIndex, Transaction

FIRST_SUSPECTS = 8
"""Subjects asked of the index at first; more only if all of them reach the threshold."""
MARGIN = 1e-5
"""The index and SQL sum float32 values in different orders: what is so close is looked at twice."""
FEW_CHANGES = 200
FACES_A_CHANGE = 50
"""Comparing so many faces takes SQL as long as finding out one change (measured)."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """The subjects that had a face at the gallery's threshold, or almost, at that version; looking
    at up to `most` later changes is worth more than another look at all faces."""

    subjects: Collection[UUID]
    version: GalleryVersion
    most: int = FEW_CHANGES


def check(
    tx: Transaction,
    gallery: Gallery,
    whose: Subject | str,
    face: NewFace,
    index: FaceIndex | None,
    *,
    replaced: UUID | None = None,
) -> None:
    """Refuse a face for what the gallery holds now. What was found stays true until this
    transaction, which is to enrol it, has ended; why so: docs/decisions.

    Args:
        whose: the subject, locked by this transaction, or the external id of a new one.
        index: this replica's, where it is loaded; it may lag.
        replaced: the face whose place it takes.

    Raises:
        PhotographKnown, PersonKnown, UnlikeSubject: where the gallery's rules say so.
    """
    gates = gallery.rules.gates
    if not gates.compares:
        return
    # the long part comes before the gallery is held
    suspects = _suspects(tx, gallery, face.embedding, index) if gates.new_person else None
    tx.hold_gallery(gallery.id)
    if gates.new_photograph:
        _check_photograph(tx, gallery, face, replaced)
    if suspects is not None:
        external_id = whose if isinstance(whose, str) else whose.external_id
        _check_person(tx, gallery, face, external_id, suspects)
    if gates.own_likeness and isinstance(whose, Subject):
        _check_likeness(tx, gallery, face, whose.id)


def check_consent(tx: Transaction, gallery: Gallery, subject_id: UUID | None) -> None:
    """Raises ConsentMissing where the gallery demands a consent and the subject, None for a new
    one, has none that is valid. SQL says the same at commit, but refuses all of a batch then."""
    if not gallery.rules.consent_required:
        return
    if subject_id is None or not tx.consents.has_valid(gallery.id, subject_id):
        raise ConsentMissing


def record_consent(
    tx: Transaction, gallery: Gallery, subject_id: UUID, given: Consent, recorded_by: str
) -> None:
    """Record what came with an enrolment, unless the same is recorded and valid: every photograph
    of a person may come with it.

    Raises:
        RequestInvalid: it cannot be; see `valid_consent`.
    """
    valid_consent(given, tx.now())
    if not tx.consents.has_valid(gallery.id, subject_id, like=given):
        tx.consents.add(gallery.id, subject_id, given, recorded_by)


def _suspects(
    tx: Transaction, gallery: Gallery, embedding: Embedding, index: FaceIndex | None
) -> Suspects:
    threshold = gallery.threshold - MARGIN
    if index is None:
        # the gallery was read before, so at this version or a later one
        return Suspects(tx.subjects_like(gallery, embedding, threshold), gallery.version)
    wanted = FIRST_SUSPECTS
    while True:
        found = index.search(embedding, wanted)
        reaching = [each for each in found.candidates if each.similarity >= threshold]
        if len(reaching) < wanted:
            most = max(FEW_CHANGES, found.faces // FACES_A_CHANGE)
            return Suspects({each.subject_id for each in reaching}, found.version, most)
        wanted *= 8


def _check_photograph(
    tx: Transaction, gallery: Gallery, face: NewFace, replaced: UUID | None
) -> None:
    if face.image_sha256 is None:
        return
    owner = tx.image_owner(gallery.id, face.image_sha256, besides=replaced)
    if owner is not None:
        raise PhotographKnown(owner)


def _check_person(
    tx: Transaction, gallery: Gallery, face: NewFace, external_id: str, suspects: Suspects
) -> None:
    """All faces that can reach the threshold now are a suspect's or have changed since."""
    changed = tx.changed_faces(gallery.id, suspects.version, suspects.most)
    among = None if changed is None else (suspects.subjects, changed)
    other = tx.most_alike(gallery, face.embedding, besides=external_id, among=among)
    if other is not None:
        raise PersonKnown(other.external_id, other.similarity)


def _check_likeness(tx: Transaction, gallery: Gallery, face: NewFace, subject_id: UUID) -> None:
    similarity = tx.own_likeness(gallery, subject_id, face.embedding)
    if similarity is not None and not accepted(similarity, gallery.threshold):
        raise UnlikeSubject(similarity)
