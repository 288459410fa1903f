"""Galleries: the one that the plain endpoints use, its state and its figures."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.domain.embeddings import EmbeddingSpace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.replicas import ReplicaState
from service.errors import GalleryBehind, GalleryNotReady, RequestError, SpaceConflict, VersionLost
from service.ports import Indexes, Store, Transaction

WAIT_ALL_LOOK_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GalleryDefaults:
    """What a new default gallery begins with; `threshold` None takes its space's default."""

    name: str
    threshold: float | None
    max_faces: int | None


@dataclass(frozen=True, slots=True)
class GalleryFigures:
    """`faces` counts the rows; `indexed` those in this replica's index, None while it loads."""

    gallery: Gallery
    faces: int
    database_bytes: int
    indexed: int | None
    replicas: list[ReplicaState]


def existing(tx: Transaction, name: str) -> Gallery:
    """The gallery of that name; raises GalleryNotReady when somebody has deleted it."""
    gallery = tx.find_gallery(name)
    if gallery is None:
        raise GalleryNotReady(f"Gallery '{name}' does not exist; restart the service to create it.")
    return gallery


def check_known(tx: Transaction, gallery: Gallery, version: GalleryVersion | None) -> None:
    """Raises VersionLost when the caller demands a version that the database does not know.

    Each answer checks it in its own transaction, however recently somebody else did: between two
    transactions there may be a failover. An answer from an index checks it after the search: a
    server that still answers then has not been replaced by one that lost commits.
    """
    if version is not None and not tx.knows(gallery.id, version):
        raise VersionLost


@contextmanager
def refusing_from(gallery: Gallery) -> Iterator[None]:
    """A refusal says from which state of the gallery it is, as answers do."""
    try:
        yield
    except RequestError as error:
        error.gallery_version = str(gallery.version)
        raise


def serving(tx: Transaction, name: str, space: EmbeddingSpace) -> Gallery:
    """The gallery, if its embeddings may be compared with those of `space`.

    Raises:
        GalleryNotReady: it does not exist, or was bound to another space after the start.
    """
    gallery = existing(tx, name)
    if not gallery.space.serves(space):
        raise GalleryNotReady(
            f"Gallery '{name}' is now bound to {gallery.space.describe()} and this service makes "
            f"embeddings of {space.describe()}; restart the service."
        )
    return gallery


def open_gallery(store: Store, defaults: GalleryDefaults, space: EmbeddingSpace) -> Gallery:
    """Return the gallery, created when it is new, after checking that its space is this one.

    Raises:
        SpaceConflict: the gallery holds embeddings of another space.
    """

    def work(tx: Transaction) -> Gallery:
        gallery = tx.find_gallery(defaults.name)
        if gallery is None:
            threshold = (
                space.default_threshold if defaults.threshold is None else defaults.threshold
            )
            gallery = tx.create_gallery(defaults.name, space, threshold, defaults.max_faces)
        _check_space(gallery, space)
        if gallery.space.weights_sha256 is None and space.weights_sha256 is not None:
            tx.pin_weights(gallery.space_id, space.weights_sha256)
            # where a space of that digest existed already, it has taken over
            gallery = existing(tx, defaults.name)
            # and another service may have filled in the digest of other weights at this moment
            _check_space(gallery, space)
        return gallery

    return store.write(work)


def _check_space(gallery: Gallery, space: EmbeddingSpace) -> None:
    if not gallery.space.serves(space):
        raise SpaceConflict(
            f"Gallery '{gallery.name}' holds embeddings of {gallery.space.describe()}; they "
            f"cannot be compared with those of {space.describe()}. Choose another gallery "
            "(DEFAULT_GALLERY, or --gallery), or the weights and settings it was made with."
        )


def report_differences(gallery: Gallery, defaults: GalleryDefaults) -> None:
    """Say where the environment differs from the row, which rules so that replicas agree."""
    if defaults.threshold is not None and defaults.threshold != gallery.threshold:
        log.warning(
            "gallery '%s' has threshold %g in the database, which rules; the environment says %g",
            gallery.name,
            gallery.threshold,
            defaults.threshold,
        )
    if defaults.max_faces is not None and defaults.max_faces != gallery.max_faces:
        log.warning(
            "gallery '%s' has max_faces %s in the database, which rules; the environment says %d",
            gallery.name,
            gallery.max_faces,
            defaults.max_faces,
        )


@dataclass(frozen=True, slots=True)
class Galleries:
    """`wait_all_s`: longest wait for all live replicas, in seconds."""

    store: Store
    indexes: Indexes
    wait_all_s: float

    def demand(self, name: str, version: GalleryVersion | None) -> None:
        """See to it that what follows is answered from at least that version, if the database
        does not lose it meanwhile; see `check_known`.

        Raises:
            VersionLost: the database does not know it.
            GalleryBehind: this replica did not reach it in time.
        """
        if version is None:
            return
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name)
            check_known(tx, gallery, version)
        if not self.indexes.wait_for(gallery.id, version):
            raise GalleryBehind

    def figures(self, name: str, at_least: GalleryVersion | None = None) -> GalleryFigures:
        """Raises VersionLost when the database does not know `at_least`."""
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name)
            check_known(tx, gallery, at_least)
            faces, size = tx.count_faces(gallery.id), tx.database_bytes()
            replicas = tx.replicas(gallery.id)
        return GalleryFigures(gallery, faces, size, self._indexed(gallery), replicas)

    def _indexed(self, gallery: Gallery) -> int | None:
        try:
            return len(self.indexes.index(gallery.id))
        except GalleryNotReady:
            return None

    def everywhere(self, gallery: Gallery, version: GalleryVersion) -> list[ReplicaState]:
        """Wait, bounded, until every live replica holds that version; what was seen at the end."""
        end = time.monotonic() + self.wait_all_s
        while True:
            with self.store.transaction(read_only=True) as tx:
                replicas = tx.replicas(gallery.id)
            late = [each for each in replicas if each.live and not each.holds(version)]
            if not late or time.monotonic() > end:
                return replicas
            time.sleep(WAIT_ALL_LOOK_S)

    def faces_after(self, gallery: Gallery, version: GalleryVersion) -> int:
        """The number of faces once this replica holds `version`; counted in SQL if it lags."""
        if self.indexes.wait_for(gallery.id, version):
            return len(self.indexes.index(gallery.id))
        log.warning("gallery '%s': this replica lags behind %s", gallery.name, version)
        with self.store.transaction(read_only=True) as tx:
            return tx.count_faces(gallery.id)
