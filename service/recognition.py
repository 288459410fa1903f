"""Recognition: whose face is on this photograph?"""

from dataclasses import dataclass

from service.domain.decisions import Candidate, Confidence, accepted, confidence
from service.domain.embeddings import Embedding
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.quality import QualityRules, check
from service.errors import FaceNotDetected, GalleryNotReady
from service.galleries import check_known, existing, serving
from service.images import ImageLimits, decode
from service.ports import Analysers, FaceAnalyser, Indexes, SearchResult, Store, Transaction

FIRST_CANDIDATES = 8
"""Subjects asked of the index at first; more only if all of these are gone from the table."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The answer to a probe.

    `similarity` is the best living subject's, None in a gallery without any; `external_id` and
    `confidence` are None when it lies below the threshold: nobody.
    """

    version: GalleryVersion
    threshold: float
    similarity: float | None
    external_id: str | None
    confidence: Confidence | None


@dataclass(frozen=True, slots=True)
class Recognition:
    store: Store
    indexes: Indexes
    analysers: Analysers
    limits: ImageLimits
    rules: QualityRules

    def identify(
        self,
        caller: Caller,
        gallery_name: str,
        data: bytes,
        at_least: GalleryVersion | None = None,
    ) -> Identified:
        """Search the gallery for the largest face of a photograph.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            VersionLost: the database does not know `at_least`, for which the caller has waited.
            FaceNotDetected: there is no face in it.
            FaceUnfit: the face breaks one of the rules.
            ImageTooLarge, ImageTypeUnsupported, ImageDamaged: see `images.decode`.
            ModelUnavailable, Overloaded, GalleryNotReady, DatabaseUnavailable: try again shortly.
        """
        with self.store.transaction(read_only=True) as tx:
            space = existing(tx, gallery_name, caller).space
        analyser = self.analysers.of(space)
        probe = self._probe(analyser, data)
        with self.store.transaction(read_only=True) as tx:
            gallery = serving(tx, gallery_name, caller, analyser.space)
            index = self.indexes.index(gallery.id)
            if index.space_id != gallery.space_id:
                raise GalleryNotReady("The gallery is being moved to another embedding space.")
            wanted = FIRST_CANDIDATES
            while True:
                result = index.search(probe, wanted)
                named = _first_named(tx, result)
                if named is not None or len(result.candidates) < wanted:
                    check_known(tx, gallery, at_least)
                    return _decided(gallery, result, named)
                wanted *= 8

    def _probe(self, analyser: FaceAnalyser, data: bytes) -> Embedding:
        """The embedding of the largest face; raises FaceNotDetected and FaceUnfit."""
        with self.limits.gate.place():
            picture = decode(data, self.limits)
            faces = analyser.detect(picture)
            if not faces:
                raise FaceNotDetected
            check(faces[0].quality, self.rules)
            return analyser.embed(picture, faces[0])


def _first_named(tx: Transaction, result: SearchResult) -> tuple[Candidate, str] | None:
    """The best candidate whose subject is in the table now: names come from SQL, not memory."""
    names = tx.subject_names([candidate.subject_id for candidate in result.candidates])
    for candidate in result.candidates:
        if candidate.subject_id in names:
            return candidate, names[candidate.subject_id]
    return None


def _decided(
    gallery: Gallery, result: SearchResult, named: tuple[Candidate, str] | None
) -> Identified:
    if named is None:
        return Identified(result.version, gallery.threshold, None, None, None)
    candidate, external_id = named
    if not accepted(candidate.similarity, gallery.threshold):
        return Identified(result.version, gallery.threshold, candidate.similarity, None, None)
    label = confidence(candidate.similarity, gallery.threshold, gallery.calibration)
    return Identified(result.version, gallery.threshold, candidate.similarity, external_id, label)
