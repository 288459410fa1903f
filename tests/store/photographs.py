"""Faces whose photographs are kept, for the tests of whatever reads or erases them."""

from dataclasses import replace
from functools import partial
from uuid import UUID

from service.domain.faces import NewFace
from service.domain.galleries import Gallery, GalleryRules, GallerySettings
from service.domain.photographs import Keeping, KeptPhotograph, OpenPhotograph, Sealed
from service.photograph_keys import PhotographKey, PhotographKeys
from service.ports import Store, Transaction
from tests.store.values import SPACE, new_face

KEYS = PhotographKeys((PhotographKey(b"\x0a" * 32),))


def content_of(seed: int) -> bytes:
    """What stands for a photograph's bytes."""
    return b"photograph %d of a person, " % seed * 40


def kept_face(seed: int, kind: Keeping = Keeping.ORIGINALS, keys: PhotographKeys = KEYS) -> NewFace:
    new = new_face(seed)
    return replace(new, photograph=partial(_sealed, keys, kind, new.image_sha256 or b"", seed))


def _sealed(
    keys: PhotographKeys, kind: Keeping, sha256: bytes, seed: int, gallery_id: UUID, face_id: UUID
) -> Sealed:
    return keys.seal(OpenPhotograph(face_id, gallery_id, kind, sha256, content_of(seed)))


def keeping_gallery(store: Store, name: str = "kept", kind: Keeping = Keeping.ORIGINALS) -> Gallery:
    rules = GalleryRules(keep_photographs=kind)
    with store.transaction() as tx:
        return tx.create_gallery(name, SPACE, GallerySettings(0.5, None, rules))


def enrol_kept(
    store: Store,
    gallery: Gallery,
    name: str,
    seed: int = 0,
    kind: Keeping = Keeping.ORIGINALS,
    keys: PhotographKeys = KEYS,
) -> UUID:
    """The face's id."""
    with store.transaction() as tx:
        subject_id = tx.add_subject(gallery.id, name)
        return tx.add_face(gallery, subject_id, kept_face(seed, kind, keys))


def all_kept(tx: Transaction, gallery: Gallery) -> list[KeptPhotograph]:
    """A gallery's kept photographs, by face."""
    every = tx.sealed_otherwise("sealed by whatever key", None, 10_000)
    return [each for each in every if each.gallery_id == gallery.id]
