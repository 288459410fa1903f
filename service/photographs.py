"""Photographs: what is kept of those that are enrolled, and under which key."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.domain.photographs import Keeping, KeptPhotograph, OpenPhotograph, Sealed, Sealing
from service.domain.quality import UNCHECKED, QualityRules
from service.errors import DatabaseBusy, GalleryNotReady, PhotographDamaged, SettingsInvalid
from service.galleries import existing
from service.images import encode
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.ports import FaceAnalyser, Picture, Store, Transaction
from service.vision.chips import chip

BATCH = 16
"""Photographs sealed anew, and committed, at once."""
DELETED = 100
"""Photographs deleted in one transaction."""
TRIES = 40
PAUSE_S = 0.5
HELD_UP = (
    "Another transaction holds up the deletion of what the gallery kept before; none of it opens. "
    "Run it again."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a photograph must be to be enrolled, and what is kept of it.

    `one_face`: it shows nobody else; `rules`: how well the face is seen; `keeping`: what stays of
    it, sealed by one of the `keys`.
    """

    one_face: bool = True
    rules: QualityRules = UNCHECKED
    keeping: Keeping = Keeping.NONE
    keys: PhotographKeys = NO_KEYS

    @classmethod
    def of(cls, gallery: Gallery, rules: QualityRules, keys: PhotographKeys) -> "Terms":
        """A gallery's own; `rules` as the settings say.

        Raises:
            PhotographKeyMissing: it keeps photographs, and no key is here.
        """
        gates, keeping = gallery.rules.gates, gallery.rules.keep_photographs
        keys.check(keeping)
        return cls(gates.one_face, rules if gates.quality else UNCHECKED, keeping, keys)

    def kept(
        self, analyser: FaceAnalyser, data: bytes, picture: Picture, face: DetectedFace
    ) -> Sealing | None:
        """What seals that which is to be kept of a face's photograph, whose bytes and pixels these
        are."""
        if self.keeping is Keeping.NONE:
            return None
        if self.keeping is Keeping.CHIPS:
            content = encode(chip(picture, face, analyser.space.detector))
        else:
            content = data
        sha256 = hashlib.sha256(data).digest()
        return lambda gallery_id, face_id: self.keys.seal(
            OpenPhotograph(face_id, gallery_id, self.keeping, sha256, content)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a gallery's `faces`: how many photographs, by the id of the key that seals
    them, and which of these keys are not here. `unkept`: how many it does not keep any more, which
    nothing here opens and which are still to be deleted."""

    gallery: Gallery
    faces: int
    by_key: Mapping[str, int]
    missing: frozenset[str]
    unkept: int


@dataclass(frozen=True, slots=True)
class Resealed:
    """`key_id` is the first key's; `left`: photographs under other keys, which came meanwhile or
    cannot be opened: `damaged` has the faces of those."""

    key_id: str
    done: int
    left: int
    damaged: tuple[UUID, ...]


def require_key(store: Store, keys: PhotographKeys) -> None:
    """Raises SettingsInvalid where galleries keep photographs and there is no key: whatever starts
    here would refuse every enrolment into them."""
    if keys.keys:
        return
    with store.transaction(read_only=True) as tx:
        names = tx.keeping_galleries()
    if names:
        raise SettingsInvalid(
            f"Gallery '{names[0]}' keeps photographs, and there is no key to seal them with: set "
            "PHOTOGRAPH_KEYS, or put photograph.keys into FACEMATCH_HOME, as on the other replicas."
        )


def delete_unkept(
    store: Store, stopping: Callable[[], bool] = lambda: False, gallery_id: UUID | None = None
) -> int:
    """Delete the photographs that their gallery does not keep any more, of that gallery or of all,
    or as many as can be before `stopping()`; returns how many."""
    deleted = 0
    while not stopping() and (
        done := store.write(lambda tx: tx.delete_unkept(gallery_id, DELETED))
    ):
        deleted += done
    return deleted


@dataclass(frozen=True, slots=True)
class Photographs:
    store: Store
    keys: PhotographKeys

    def keep(self, caller: Caller, name: str, keeping: Keeping) -> Kept:
        """Have a gallery keep such of what is enrolled from now on, and nothing else; on return
        nothing else is there. Safe to break off and run again: the change holds before what was
        kept is deleted, and from the change on nothing opens that.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            PhotographKeyMissing: there is no key to seal it with.
            GalleryNotReady: somebody holds up the deletion; the change may hold already.
        """
        self.keys.check(keeping)
        # what goes already must not be kept again
        self._clear(caller, name)

        def work(tx: Transaction) -> None:
            gallery = existing(tx, name, caller, lock=True)
            rules = replace(gallery.rules, keep_photographs=keeping)
            tx.change_gallery(gallery.id, replace(gallery.settings, rules=rules))

        self.store.write(work, by=caller)
        self._clear(caller, name)
        return self.kept(caller, name)

    def kept(self, caller: Caller, name: str) -> Kept:
        """Raises GalleryNotFound, see `galleries.existing`."""
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            by_key = tx.count_photographs(gallery.id)
            here = {key.id for key in self.keys.keys}
            missing = frozenset(by_key.keys() - here)
            unkept = tx.count_unkept(gallery.id)
            return Kept(gallery, tx.count_faces(gallery.id), by_key, missing, unkept)

    def _clear(self, caller: Caller, name: str) -> None:
        with self.store.transaction(read_only=True) as tx:
            gallery_id = existing(tx, name, caller).id
        for _ in range(TRIES):
            with suppress(DatabaseBusy):
                self.store.write(lambda tx: tx.await_keepers(gallery_id))
                break
            # whoever had to wait for us goes first
            time.sleep(PAUSE_S)
        else:
            raise GalleryNotReady(HELD_UP)
        for _ in range(TRIES):
            delete_unkept(self.store, gallery_id=gallery_id)
            with self.store.transaction(read_only=True) as tx:
                if not tx.count_unkept(gallery_id):
                    return
            # another one is deleting the rest, and has not committed
            time.sleep(PAUSE_S)
        raise GalleryNotReady(HELD_UP)

    def rotate(
        self, caller: Caller, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Resealed:
        """Seal with the first key whatever another one seals. Safe to break off and run again.

        `progress` is told how many are done, and how many there are. What cannot be opened, since
        somebody changed it, stays as it is.

        Raises:
            PhotographKeyMissing: there is no key, or one that seals photographs is not among them.
        """
        key_id = self.keys.sealing.id
        with self.store.transaction(read_only=True) as tx:
            _, total = tx.count_sealed(key_id)
        done = 0
        damaged: list[UUID] = []
        after: UUID | None = None
        while page := self._page(key_id, after):
            tried = [(each, self._anew(each)) for each in page]
            sealed = [(each, anew) for each, anew in tried if anew is not None]
            damaged += [each.face_id for each, anew in tried if anew is None]
            done += self.store.write(partial(_store, sealed), by=caller)
            after = page[-1].face_id
            progress(done, total)
        left = self.store.write(lambda tx: _noted(tx, key_id, done), by=caller)
        return Resealed(key_id, done, left, tuple(damaged))

    def _page(self, key_id: str, after: UUID | None) -> list[KeptPhotograph]:
        with self.store.transaction(read_only=True) as tx:
            return tx.sealed_otherwise(key_id, after, BATCH)

    def _anew(self, kept: KeptPhotograph) -> Sealed | None:
        with suppress(PhotographDamaged):
            return self.keys.seal(self.keys.open(kept))
        return None


def _store(sealed: Sequence[tuple[KeptPhotograph, Sealed]], tx: Transaction) -> int:
    return tx.seal_anew(sealed)


def _noted(tx: Transaction, key_id: str, done: int) -> int:
    tx.note("rotate_photograph_keys", None, key=key_id, photographs=done)
    return tx.count_sealed(key_id)[1]
