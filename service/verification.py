"""Verification: is this that person?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.audit import MATCH, NO_MATCH, RecordedSearch, wanted
from service.domain.decisions import Confidence, accepted
from service.domain.embeddings import EmbeddingSpace, similarity
from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.matches import EnrolledFace
from service.domain.probes import PhotographProbe, Probe
from service.domain.subjects import valid_external_id
from service.errors import RequestError, RequestInvalid, SubjectNotFound
from service.galleries import again_if_moved, check_known, read_gallery, serving
from service.matching import best_of, match
from service.ports import SearchRecord, Store, Transaction
from service.probes import Probed, Probes, look_at, probed


@dataclass(frozen=True, slots=True)
class Verified:
    """The subject's best face against the probe. `similarity` and `face_id` are None where the
    subject has no face to compare with; `confidence` unless it matched. `faces` counts those that
    were compared; `probe` is None for one without photograph."""

    version: GalleryVersion
    threshold: float
    matched: bool
    similarity: float | None
    confidence: Confidence | None
    face_id: UUID | None
    faces: int
    probe: DetectedFace | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A face, and its similarity to the first photograph's."""

    face: DetectedFace
    similarity: float
    matched: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """The largest face of a photograph against those of others, in their order."""

    space: EmbeddingSpace
    threshold: float
    face: DetectedFace
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    store: Store
    probes: Probes
    record: SearchRecord

    @again_if_moved
    def subject(
        self,
        caller: Caller,
        gallery_name: str,
        external_id: str,
        probe: Probe,
        threshold: float | None = None,
        at_least: GalleryVersion | None = None,
    ) -> Verified:
        """Compare a probe with all faces of a subject, as the tables hold them at this moment.

        An enrolled face is not compared with itself.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            SubjectNotFound: no such subject, or it has expired.
            SpaceMismatch, FaceNotFound: see `Probes.look` and `probes.probed`.
            VersionLost: the database does not know `at_least`.
            and what else `Probes.look` raises.
        """
        self.record.check()
        space = read_gallery(self.store, caller, gallery_name).space
        looked = self.probes.look(probe, space)
        with self.store.transaction(read_only=True) as tx:
            gallery = serving(tx, gallery_name, caller, looked.space if looked else space)
            check_known(tx, gallery, at_least)
            (one,) = probed(tx, [gallery], probe, looked)
            subject_id = _living(tx, gallery, external_id)
            faces = tx.faces_of_subjects(gallery, [subject_id])
            now = tx.now()
        own = one.enrolled and one.enrolled.face_id
        others = [face for face in faces if face.face_id != own]
        verified = _verified(gallery, threshold, one, others)
        self.record.record([*_recorded(caller, gallery, subject_id, verified, now)])
        return verified

    def photographs(
        self,
        caller: Caller,
        one: bytes,
        others: Sequence[bytes],
        model: str | None = None,
        threshold: float | None = None,
    ) -> Compared:
        """Compare the largest face of a photograph with the largest of each other one.

        Args:
            model: None takes the default gallery's embedding space, else the model's own.
            threshold: None takes the space's default.

        Raises:
            RequestInvalid, ModelUnavailable: see `Analysers.usual`.
            and, naming the photograph, what `look_at` raises.
        """
        analyser = self.probes.analysers.usual(model)
        space = analyser.space
        least = space.default_threshold if threshold is None else threshold
        seen: list[Probed] = []
        for place, data in enumerate([one, *others], start=1):
            with _naming(place):
                looked = look_at(
                    analyser, self.probes.limits, PhotographProbe(data), self.probes.rules
                )
            seen += looked.faces
        first, *rest = seen
        comparisons = tuple(_compared(first, each, least) for each in rest)
        assert first.face is not None
        return Compared(space, least, first.face, comparisons)


def _recorded(
    caller: Caller, gallery: Gallery, subject_id: UUID, verified: Verified, now: datetime
) -> Iterator[RecordedSearch]:
    outcome = MATCH if verified.matched else NO_MATCH
    if wanted(gallery.rules.audit_searches, outcome):
        yield RecordedSearch(
            action="verify",
            outcome=outcome,
            caller=caller,
            gallery_id=gallery.id,
            space_id=gallery.space_id,
            threshold=verified.threshold,
            version=verified.version.number,
            occurred_at=now,
            subject_id=subject_id,
            face_id=verified.face_id,
            similarity=verified.similarity,
        )


def _living(tx: Transaction, gallery: Gallery, external_id: str) -> UUID:
    """The id of a subject that has not expired; raises SubjectNotFound."""
    try:
        valid_external_id(external_id)
    except RequestInvalid:
        raise SubjectNotFound(external_id) from None
    subject_id = tx.find_subject(gallery.id, external_id)
    if subject_id is None or not tx.subject_names([subject_id]):
        raise SubjectNotFound(external_id)
    return subject_id


def _verified(
    gallery: Gallery, threshold: float | None, one: Probed, faces: Sequence[EnrolledFace]
) -> Verified:
    least = gallery.threshold if threshold is None else threshold
    best = best_of(one.embedding, faces)
    found = match(gallery, best, least) if best else None
    return Verified(
        version=gallery.version,
        threshold=least,
        matched=found is not None,
        similarity=best.similarity if best else None,
        confidence=found.confidence if found else None,
        face_id=best.face.face_id if best else None,
        faces=len(faces),
        probe=one.face,
    )


@contextmanager
def _naming(place: int) -> Iterator[None]:
    """A refusal says which of several photographs it is about."""
    try:
        yield
    except RequestError as error:
        error.args = (f"Photograph {place}: {error}",)
        raise


def _compared(one: Probed, other: Probed, threshold: float) -> Comparison:
    assert other.face is not None
    cosine = similarity(one.embedding, other.embedding)
    return Comparison(other.face, cosine, accepted(cosine, threshold))
