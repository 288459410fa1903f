"""Photographs: what is kept of those that are enrolled, and under which key."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.domain.photographs import Keeping, KeptPhotograph, OpenPhotograph, Sealed, Sealing
from service.domain.quality import UNCHECKED, QualityRules
from service.galleries import existing
from service.images import encode
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.ports import FaceAnalyser, Picture, Store, Transaction
from service.vision.chips import chip

BATCH = 16
"""Photographs sealed anew, and committed, at once."""


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
    them, and which of these keys are not here."""

    gallery: Gallery
    faces: int
    by_key: Mapping[str, int]
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Resealed:
    """`key_id` is the first key's; `left`: photographs under other keys, which came meanwhile."""

    key_id: str
    done: int
    left: int


@dataclass(frozen=True, slots=True)
class Photographs:
    store: Store
    keys: PhotographKeys

    def keep(self, caller: Caller, name: str, keeping: Keeping) -> Kept:
        """Have a gallery keep such of what is enrolled from now on, and nothing else.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            PhotographKeyMissing: there is no key to seal it with.
        """
        self.keys.check(keeping)

        def work(tx: Transaction) -> Kept:
            gallery = existing(tx, name, caller, lock=True)
            rules = replace(gallery.rules, keep_photographs=keeping)
            tx.change_gallery(gallery.id, replace(gallery.settings, rules=rules))
            return self._kept(tx, existing(tx, name, caller))

        return self.store.write(work, by=caller)

    def kept(self, caller: Caller, name: str) -> Kept:
        """Raises GalleryNotFound, see `galleries.existing`."""
        with self.store.transaction(read_only=True) as tx:
            return self._kept(tx, existing(tx, name, caller))

    def _kept(self, tx: Transaction, gallery: Gallery) -> Kept:
        by_key = tx.count_photographs(gallery.id)
        here = {key.id for key in self.keys.keys}
        return Kept(gallery, tx.count_faces(gallery.id), by_key, frozenset(by_key.keys() - here))

    def rotate(
        self, caller: Caller, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Resealed:
        """Seal with the first key whatever another one seals. Safe to break off and run again.

        `progress` is told how many are done, and how many there are.

        Raises:
            PhotographKeyMissing: there is no key, or one that seals photographs is not among them.
            PhotographDamaged: one of them cannot be opened; those before it are done.
        """
        key_id = self.keys.sealing.id
        with self.store.transaction(read_only=True) as tx:
            _, total = tx.count_sealed(key_id)
        done = 0
        after: UUID | None = None
        while page := self._page(key_id, after):
            sealed = [(each, self._anew(each)) for each in page]
            done += self.store.write(partial(_store, sealed), by=caller)
            after = page[-1].face_id
            progress(done, total)
        left = self.store.write(lambda tx: _noted(tx, key_id, done), by=caller)
        return Resealed(key_id, done, left)

    def _page(self, key_id: str, after: UUID | None) -> list[KeptPhotograph]:
        with self.store.transaction(read_only=True) as tx:
            return tx.sealed_otherwise(key_id, after, BATCH)

    def _anew(self, kept: KeptPhotograph) -> Sealed:
        return self.keys.seal(self.keys.open(kept))


def _store(sealed: Sequence[tuple[KeptPhotograph, Sealed]], tx: Transaction) -> int:
    return tx.seal_anew(sealed)


def _noted(tx: Transaction, key_id: str, done: int) -> int:
    tx.note("rotate_photograph_keys", None, key=key_id, photographs=done)
    return tx.count_sealed(key_id)[1]
