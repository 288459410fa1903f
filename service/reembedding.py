"""Re-embedding: a gallery is given a second embedding space, and changes over to it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.domain.reembedding import MissingFace, middle_face, same_face
from service.domain.replicas import ReplicaState, unready
from service.errors import (
    FaceNotDetected,
    FacesMissing,
    NoOtherSpace,
    OtherSpaceExists,
    PhotographKeyMissing,
    ReplicasNotReady,
    RequestError,
    RequestInvalid,
)
from service.galleries import existing, in_space
from service.images import ImageLimits, decode
from service.materials import Material, Source
from service.ports import FaceAnalyser, Picture, Store, Transaction

BATCH = 32
"""Faces embedded, and committed, at once: one gallery version, one notification."""
DISCARDED = 500
"""Embeddings deleted at once: each is an event of the record, hashed while the others wait."""
NO_PHOTOGRAPH = (
    "no_photograph",
    "Its photograph is neither kept nor in the folder of originals; enrol the person anew.",
)

Failure = tuple[str, str]
"""A code, and a reason for people."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a run came to: `embedded` faces, and how many could not be, by code."""

    embedded: int
    failed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Switched:
    """`changed` is False where there was nothing to do; `left_behind` faces have no embedding in
    the gallery's present space."""

    gallery: Gallery
    changed: bool
    left_behind: int


@dataclass(frozen=True, slots=True)
class Reembedding:
    store: Store

    def begin(
        self, caller: Caller, name: str, space: EmbeddingSpace, threshold: float | None
    ) -> Gallery:
        """The gallery with that space as its other one, given to it where it has none. From here
        on, whoever is enrolled is embedded in both.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            RequestInvalid: it is the gallery's own space.
            OtherSpaceExists: it has another one already.
        """

        def work(tx: Transaction) -> Gallery:
            if _has(existing(tx, name, caller), space):
                return existing(tx, name, caller)
            # whoever enrols at this moment for one space is waited for, and is missing in this one
            tx.clear_gallery(name)
            gallery = existing(tx, name, caller)
            if not _has(gallery, space):
                least = space.default_threshold if threshold is None else threshold
                tx.reembedding.begin(gallery, space, least)
            return existing(tx, name, caller)

        return self.store.write(work, by=caller)

    def missing(
        self, caller: Caller, name: str, after: UUID | None, limit: int
    ) -> tuple[Gallery, list[MissingFace]]:
        """A page of the faces without an embedding in the gallery's other space or, where it has
        none, in its own.

        Raises GalleryNotFound; see `galleries.existing`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            sought = gallery.in_other() if gallery.other else gallery
            return sought, tx.reembedding.missing(sought, after, limit)

    def unready(self, caller: Caller, name: str) -> list[ReplicaState]:
        """The live replicas that have not said that they can search the gallery in its other space,
        if it has one.

        Raises GalleryNotFound; see `galleries.existing`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            return _unready(tx, gallery) if gallery.other else []

    def switch(
        self,
        caller: Caller,
        name: str,
        *,
        back: bool = False,
        leave_behind: int = 0,
        even_if_unready: bool = False,
    ) -> Switched:
        """Have the gallery change over to its other space, or `back` to the one that it came from,
        in one transaction: every search answers from the one or from the other.

        Args:
            leave_behind: so many faces may be without an embedding there; no search finds them.
            even_if_unready: whatever live replicas have said of that space.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            NoOtherSpace: it has one space only.
            FacesMissing: more are; nothing was changed.
            ReplicasNotReady: not all of them have said that they can search there; likewise.
        """

        def check(tx: Transaction, gallery: Gallery) -> int:
            if not even_if_unready:
                _check_ready(tx, gallery)
            return _check_missing(tx, gallery, leave_behind)

        def work(tx: Transaction) -> Switched:
            gallery = existing(tx, name, caller)
            if not _is_there(gallery, back=back):
                check(tx, gallery)  # before the writers have to wait
                tx.clear_gallery(name)
                gallery = existing(tx, name, caller)
            if _is_there(gallery, back=back):
                return Switched(gallery, False, tx.reembedding.count_missing(gallery))
            missing = check(tx, gallery)
            tx.reembedding.switch(gallery)
            tx.made_version(gallery.id)
            return Switched(existing(tx, name, caller), True, missing)

        return self.store.write(work, by=caller)

    def discard(
        self,
        caller: Caller,
        name: str,
        leave_behind: int = 0,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Give up the other space and delete every embedding in it; returns how many. Whoever
        breaks it off, or is broken off, runs it again.

        Args:
            leave_behind: so many faces may lose their only embedding.
            progress: called with how many are deleted, and how many there were.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            FacesMissing: more faces would; nothing was changed.
        """

        def end(tx: Transaction) -> Gallery:
            gallery = existing(tx, name, caller, lock=True)
            if gallery.other is not None:
                missing = tx.reembedding.count_missing(gallery)
                if missing > leave_behind:
                    raise FacesMissing(name, missing)
                tx.reembedding.end(gallery)
            return gallery

        gallery = self.store.write(end, by=caller)
        with self.store.transaction(read_only=True) as tx:
            total = tx.reembedding.count_useless(gallery)
        done = 0
        while deleted := self.store.write(
            lambda tx: tx.reembedding.delete_useless(gallery, DISCARDED), by=caller
        ):
            done += deleted
            progress(done, max(done, total))
        return done


def _has(gallery: Gallery, space: EmbeddingSpace) -> bool:
    """Whether that is the gallery's other space; raises RequestInvalid and OtherSpaceExists."""
    if gallery.space.serves(space):
        raise RequestInvalid(
            f"Gallery '{gallery.name}' is in that space already: {space.describe()}. Name the "
            "model, detector or alignment that it is to be embedded with besides."
        )
    if gallery.other is not None and not gallery.other.space.serves(space):
        raise OtherSpaceExists(gallery.name, gallery.other.space.describe())
    return gallery.other is not None


def _is_there(gallery: Gallery, *, back: bool) -> bool:
    """Raises NoOtherSpace."""
    if gallery.other is None:
        raise NoOtherSpace(gallery.name)
    return (gallery.other.switched_at is None) is back


def _unready(tx: Transaction, gallery: Gallery) -> list[ReplicaState]:
    return unready(tx.replicas(gallery.id), gallery.in_other().space_id)


def _check_ready(tx: Transaction, gallery: Gallery) -> None:
    found = {each.name: each.older_release for each in _unready(tx, gallery)}
    if found:
        raise ReplicasNotReady(gallery.name, gallery.in_other().space.model, found)


def _check_missing(tx: Transaction, gallery: Gallery, leave_behind: int) -> int:
    missing = tx.reembedding.count_missing(gallery.in_other())
    if missing > leave_behind:
        raise FacesMissing(gallery.name, missing)
    return missing


@dataclass(frozen=True, slots=True)
class Filling:
    """Embeds a gallery's faces in its other space, from the first of the `sources` that has their
    photograph, `threads` at a time."""

    store: Store
    caller: Caller
    gallery: Gallery
    analyser: FaceAnalyser
    limits: ImageLimits
    sources: Sequence[Source]
    threads: int
    _failed: dict[UUID, str] = field(default_factory=dict, init=False)

    def count(self) -> int:
        """Of the faces that are missing there."""
        with self.store.transaction(read_only=True) as tx:
            return tx.reembedding.count_missing(self.gallery.in_other())

    def run(self, advance: Callable[[int], None] = lambda done: None) -> Filled:
        """Embed what is missing, committed in batches; safe to break off and to run again, beside
        enrolments and beside itself. What cannot be embedded is noted with its reason.

        Args:
            advance: called with the number of faces done since the last call.

        Raises:
            NoOtherSpace, GalleryMoved: somebody gave the space up, or had the gallery change over.
            PhotographKeyMissing: photographs are kept under a key that is not here.
            Overloaded, DatabaseUnavailable, DatabaseBusy: run it again.
        """
        embedded = 0
        with ThreadPoolExecutor(self.threads) as pool:
            # whoever began to enrol before there was this space, may commit behind the last page
            while done := self._pass(pool, advance):
                embedded += done
        return Filled(embedded, Counter(self._failed.values()))

    def _pass(self, pool: ThreadPoolExecutor, advance: Callable[[int], None]) -> int:
        """Every missing face that has not failed in this run; returns how many were embedded."""
        embedded, after = 0, None
        while page := self._page(after):
            after = page[-1].face_id
            new = [face for face in page if face.face_id not in self._failed]
            results = list(zip(new, pool.map(self._tried, new), strict=True))
            embedded += self.store.write(partial(self._stored, results), by=self.caller)
            advance(len(new))
        return embedded

    def _page(self, after: UUID | None) -> list[MissingFace]:
        with self.store.transaction(read_only=True) as tx:
            return tx.reembedding.missing(self.gallery.in_other(), after, BATCH)

    def _tried(self, face: MissingFace) -> Embedding | Failure:
        try:
            material = self._material(face)
            return NO_PHOTOGRAPH if material is None else self._embedding(face, material)
        except PhotographKeyMissing:
            raise  # of all that are kept under it
        except RequestError as error:
            return error.code, str(error)

    def _material(self, face: MissingFace) -> Material | None:
        found = (source.of(face) for source in self.sources)
        return next((each for each in found if each is not None), None)

    def _embedding(self, face: MissingFace, material: Material) -> Embedding:
        with self.limits.gate.place():
            picture = decode(material.data, self.limits)
            seen = _seen(face, material, picture, self.analyser.detect(picture, thorough=True))
            if seen is None:
                raise FaceNotDetected
            return self.analyser.embed(picture, seen)

    def _stored(
        self, results: Sequence[tuple[MissingFace, Embedding | Failure]], tx: Transaction
    ) -> int:
        present = existing(tx, self.gallery.name, self.caller)
        in_space(present.in_other(), self.analyser.space)
        failures = [(face, *made) for face, made in results if isinstance(made, tuple)]
        tx.reembedding.note_failures(present, failures)
        self._failed.update({face.face_id: code for face, code, _ in failures})
        return sum(
            tx.reembedding.add(present, face, made)
            for face, made in results
            if not isinstance(made, tuple)
        )


def _seen(
    face: MissingFace, material: Material, picture: Picture, found: Sequence[DetectedFace]
) -> DetectedFace | None:
    """The enrolled face among those that the other space's detector found."""
    if material.chip:
        return middle_face(picture.shape[1], picture.shape[0], found)
    if face.box is None:
        return next(iter(found), None)
    return same_face(face.box, found)
