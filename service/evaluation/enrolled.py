"""A gallery's enrolled faces, read as replicas read them; no model is loaded."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.galleries import Gallery, GalleryHead, GalleryVersion
from service.errors import GalleryNotReady, GalleryUnknown
from service.evaluation.pairs import Numbers
from service.ports import FaceBatch, FaceRead, Store


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The faces of a gallery at one version, those of a subject beside one another.

    `embeddings` has dtype float32 and shape (n, dimension); `subjects`, shape (n,), ascends and
    numbers each face's subject from 0. `face_ids`, shape (n,), and `subject_ids`, shape
    (subjects,), have dtype S16, a UUID's bytes.
    """

    gallery: Gallery
    version: GalleryVersion
    embeddings: NDArray[np.float32]
    subjects: Numbers
    face_ids: NDArray[Any]
    subject_ids: NDArray[Any]

    def __len__(self) -> int:
        return len(self.subjects)

    def face_id(self, face: int) -> UUID:
        return _uuid(self.face_ids, face)

    def subject_id(self, subject: int) -> UUID:
        return _uuid(self.subject_ids, subject)


def read_enrolled(store: Store, name: str, *, other_space: bool = False) -> Enrolled:
    """All faces of the gallery, expired subjects' too: they are in the index until deleted; in its
    own space or the other one.

    Raises:
        GalleryUnknown: there is no gallery of that name.
        NoOtherSpace: it has one space only.
        GalleryNotReady: it was deleted or bound to another space at this moment.
        DatabaseUnavailable: try again.
    """
    gallery = _gallery(store, name)
    (enrolled,) = _read(store, gallery.in_other() if other_space else gallery)
    return enrolled


def read_both(store: Store, name: str) -> tuple[Enrolled, Enrolled]:
    """As `read_enrolled`, of one version, in the gallery's own space and in its other one.

    Raises NoOtherSpace too.
    """
    gallery = _gallery(store, name)
    own, other = _read(store, gallery, gallery.in_other())
    return own, other


def _gallery(store: Store, name: str) -> Gallery:
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery(name)
    if gallery is None:
        raise GalleryUnknown(_unknown(store, name))
    return gallery


def _read(store: Store, *galleries: Gallery) -> list[Enrolled]:
    with closing(store.feed()) as feed, feed.read() as read:
        heads = {head.key: head for head in read.heads()}
        if not all(each.key in heads for each in galleries):
            raise GalleryNotReady(f"Gallery '{galleries[0].name}' is being changed; try again.")
        return [_ordered(each, heads[each.key], read) for each in galleries]


def _unknown(store: Store, name: str) -> str:
    with closing(store.feed()) as feed:
        names = ", ".join(repr(head.name) for head in feed.heads())
    return f"There is no gallery '{name}'; there are: {names or 'none yet'}."


def _ordered(gallery: Gallery, head: GalleryHead, read: FaceRead) -> Enrolled:
    batches = list(read.all_faces(head))
    faces, owners = _ids(batches, "face_ids"), _ids(batches, "subject_ids")
    subject_ids, subjects = np.unique(owners, return_inverse=True)
    order = np.lexsort((faces, subjects))
    return Enrolled(
        gallery,
        head.version,
        _gathered(batches, np.argsort(order), head.dimension),
        subjects[order],
        faces[order],
        subject_ids,
    )


def _ids(batches: Sequence[FaceBatch], kind: str) -> NDArray[Any]:
    # numpy orders text of 16 bytes and does not order opaque ones
    parts = [np.ascontiguousarray(getattr(batch, kind)).view("S16") for batch in batches]
    return np.concatenate([np.empty(0, "S16"), *parts])


def _gathered(batches: list[FaceBatch], places: Numbers, dimension: int) -> NDArray[np.float32]:
    """The embeddings in their places; each batch is let go once copied, so that memory holds
    little more than all of them once."""
    out = np.empty((len(places), dimension), dtype=np.float32)
    start = 0
    batches.reverse()
    while batches:
        vectors = batches.pop().embeddings
        out[places[start : start + len(vectors)]] = vectors
        start += len(vectors)
    return out


def _uuid(ids: NDArray[Any], place: int) -> UUID:
    return UUID(bytes=ids[place : place + 1].tobytes())
