"""Galleries: made, read, changed and deleted; their state on every replica."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import (
    DEFAULT_RULES,
    Gallery,
    GalleryRules,
    GallerySettings,
    GalleryVersion,
)
from service.domain.keys import Caller, trusted
from service.domain.matches import EVERYBODY, Glance, SubjectFilter
from service.domain.repeats import Once
from service.domain.replicas import ReplicaState
from service.errors import (
    GalleryBehind,
    GalleryMoved,
    GalleryNotFound,
    GalleryNotReady,
    NameUnconfirmed,
    PreconditionFailed,
    RequestError,
    ScopeMissing,
    SpaceConflict,
    VersionLost,
)
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.ports import Analysers, FaceIndex, Indexes, Store, Transaction

SERVICE = trusted("facematch")
"""The service itself, when it starts."""
WAIT_ALL_LOOK_S = 0.1
TRIES = 3

Given = ParamSpec("Given")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GalleryDefaults:
    """What a new default gallery begins with; `threshold` None takes its space's default."""

    name: str
    threshold: float | None
    max_faces: int | None


@dataclass(frozen=True, slots=True)
class GalleryFigures:
    """`subjects` and `faces` count the rows; `database_bytes` is the whole database's size, or that
    of this gallery's rows for a caller who is bound to certain galleries; `indexed` is what this
    replica's index holds, None while it loads."""

    gallery: Gallery
    subjects: int
    faces: int
    database_bytes: int
    indexed: int | None
    replicas: list[ReplicaState]


def existing(tx: Transaction, name: str, caller: Caller, *, lock: bool = False) -> Gallery:
    """The gallery of that name, as far as the caller may know of it.

    Raises:
        GalleryNotFound: there is none, or none for this caller; nobody can tell which.
    """
    gallery = tx.find_gallery(name, lock=lock)
    if gallery is None or not caller.reaches(gallery.id):
        raise GalleryNotFound(name)
    return gallery


def glanced(
    store: Store,
    name: str,
    caller: Caller,
    face_ids: Sequence[UUID] = (),
    among: SubjectFilter = EVERYBODY,
) -> Glance:
    """See `Store.glance`, which raises GalleryMoved too; raises GalleryNotFound as `existing`."""
    glance = store.glance(name, face_ids, among)
    if glance is None or not caller.reaches(glance.gallery.id):
        raise GalleryNotFound(name)
    return glance


def read_gallery(store: Store, caller: Caller, name: str) -> Gallery:
    """Raises GalleryNotFound, GalleryMoved: see `glanced`."""
    return glanced(store, name, caller).gallery


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


def serving(tx: Transaction, name: str, caller: Caller, space: EmbeddingSpace) -> Gallery:
    """The gallery, if its embeddings may be compared with those of `space`.

    Raises:
        GalleryNotFound: see `existing`.
        GalleryMoved: it changed over to another space meanwhile.
    """
    return in_space(existing(tx, name, caller), space)


def in_space(gallery: Gallery, space: EmbeddingSpace) -> Gallery:
    """That gallery; raises GalleryMoved where its embeddings are of another space."""
    if not gallery.space.serves(space):
        raise GalleryMoved
    return gallery


def as_seen(gallery: Gallery, seen: Gallery) -> Gallery:
    """That gallery, if what was embedded for it as it was `seen` is what it needs now; raises
    GalleryMoved where it is in another space, or has another second one."""
    in_space(gallery, seen.space)
    if gallery.other is not None:
        if seen.other is None:
            raise GalleryMoved
        in_space(gallery.in_other(), seen.other.space)
    return gallery


def again_if_moved(method: Callable[Given, Result]) -> Callable[Given, Result]:
    """Begin a use case again, a few times, if its gallery changes over to its other space, or gets
    one, meanwhile: what was embedded for the one cannot be compared in the other."""

    @wraps(method)
    def call(*args: Given.args, **named: Given.kwargs) -> Result:
        for _ in range(TRIES - 1):
            with suppress(GalleryMoved):
                return method(*args, **named)
        return method(*args, **named)

    return call


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
            settings = GallerySettings(threshold, defaults.max_faces)
            gallery = tx.create_gallery(defaults.name, space, settings)
        _check_space(gallery, space)
        if gallery.space.weights_sha256 is None and space.weights_sha256 is not None:
            tx.pin_weights(gallery.space_id, space.weights_sha256)
            # where a space of that digest existed already, it has taken over
            gallery = existing(tx, defaults.name, SERVICE)
            # and another service may have filled in the digest of other weights at this moment
            _check_space(gallery, space)
        return gallery

    return store.write(work, by=SERVICE)


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
class NewGallery:
    """What a gallery is made with; None takes the model's default."""

    name: str
    model: str
    detector: str | None = None
    alignment: Alignment | None = None
    threshold: float | None = None
    max_faces: int | None = None
    rules: GalleryRules = DEFAULT_RULES


@dataclass(frozen=True, slots=True)
class Galleries:
    """`wait_all_s`: longest wait for all live replicas, in seconds; `photograph_keys`: of what is
    kept of photographs."""

    store: Store
    indexes: Indexes
    analysers: Analysers
    wait_all_s: float
    photograph_keys: PhotographKeys = NO_KEYS

    def demand(self, caller: Caller, name: str, version: GalleryVersion | None) -> None:
        """See to it that what follows is answered from at least that version, if the database
        does not lose it meanwhile; see `check_known`.

        Raises:
            GalleryNotFound: see `existing`.
            VersionLost: the database does not know it.
            GalleryBehind: this replica did not reach it in time.
        """
        if version is None:
            return
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            check_known(tx, gallery, version)
        if not self.indexes.wait_for(gallery.id, version):
            raise GalleryBehind

    def create(self, caller: Caller, new: NewGallery, once: Once[Gallery] | None = None) -> Gallery:
        """Create a gallery, searchable here on return.

        Raises:
            GalleryExists: the name is taken.
            RequestInvalid, ModelUnavailable: see `Analysers.like`.
            ScopeMissing: the caller is bound to certain galleries and could not reach it.
            PhotographKeyMissing: it is to keep photographs, and no key is here.
        """
        if caller.galleries is not None:
            raise ScopeMissing("admin of all galleries")
        self.photograph_keys.check(new.rules.keep_photographs)
        space = self.analysers.like(new.model, new.detector, new.alignment).space
        threshold = space.default_threshold if new.threshold is None else new.threshold
        settings = GallerySettings(threshold, new.max_faces, new.rules)
        made = self.store.write(
            lambda tx: tx.add_gallery(new.name, space, settings), once, by=caller
        )
        self.indexes.wait_for(made.id, made.version)
        return made

    def read(self, caller: Caller, name: str, at_least: GalleryVersion | None = None) -> Gallery:
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            check_known(tx, gallery, at_least)
            return gallery

    def page(self, caller: Caller, after: str | None, limit: int) -> list[Gallery]:
        """The galleries that the caller reaches, by name, those after `after`."""
        with self.store.transaction(read_only=True) as tx:
            return tx.list_galleries(after, limit, caller.galleries)

    def change(
        self,
        caller: Caller,
        name: str,
        changed: Callable[[GallerySettings], GallerySettings],
        etag: str | None = None,
    ) -> Gallery:
        """Change a gallery's settings; `changed` makes the new ones of the present ones.
        Photographs that it keeps no more do not open from then on; `Retention` deletes them.

        Raises:
            GalleryNotFound: see `existing`.
            PreconditionFailed: `etag` is given and not that of the present settings.
            PhotographKeyMissing: it is to keep photographs, and no key is here.
            GalleryNotReady: such ones as it is to keep are still being deleted.
        """

        def work(tx: Transaction) -> Gallery:
            gallery = existing(tx, name, caller, lock=True)
            if etag is not None and etag != gallery.settings.etag:
                raise PreconditionFailed
            to = changed(gallery.settings)
            keeping = to.rules.keep_photographs
            if keeping is not gallery.rules.keep_photographs:
                self.photograph_keys.check(keeping)
            tx.change_gallery(gallery.id, to)
            return existing(tx, name, caller)

        return self.store.write(work, by=caller)

    def delete(
        self, caller: Caller, name: str, confirm: str | None, etag: str | None = None
    ) -> None:
        """Delete a gallery with everything in it; `confirm` must repeat its name.

        Raises:
            GalleryNotFound: see `existing`.
            PreconditionFailed: `etag` is given and not that of the present settings.
            NameUnconfirmed: `confirm` is not its name; nothing was deleted.
        """

        def work(tx: Transaction) -> None:
            # before the writers have to wait
            if confirm != existing(tx, name, caller).name:
                raise NameUnconfirmed(name)
            tx.clear_gallery(name)
            gallery = existing(tx, name, caller)
            if etag is not None and etag != gallery.settings.etag:
                raise PreconditionFailed
            tx.delete_gallery(gallery.id)

        self.store.write(work, by=caller)

    @contextmanager
    def reading(
        self, caller: Caller, name: str, at_least: GalleryVersion | None = None
    ) -> Iterator[tuple[Transaction, Gallery]]:
        """One committed state of a gallery to read from; a refusal says which.

        Raises:
            GalleryNotFound: see `existing`.
            VersionLost: the database does not know `at_least`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            check_known(tx, gallery, at_least)
            with refusing_from(gallery):
                yield tx, gallery

    def write(
        self,
        caller: Caller,
        name: str,
        work: Callable[[Transaction, Gallery], Result],
        at_least: GalleryVersion | None = None,
        once: Once[Result] | None = None,
        seen: Gallery | None = None,
    ) -> Result:
        """One write in a gallery, prepared for it as it was `seen`; see `Store.write`.

        Raises:
            GalleryNotFound, GalleryMoved: see `existing` and `as_seen`.
            VersionLost: the database does not know `at_least`.
        """

        def whole(tx: Transaction) -> Result:
            tx.enter_gallery(name)
            gallery = existing(tx, name, caller)
            if seen is not None:
                as_seen(gallery, seen)
            check_known(tx, gallery, at_least)
            with refusing_from(gallery):
                return work(tx, gallery)

        return self.store.write(whole, once, by=caller)

    def figures(
        self, caller: Caller, name: str, at_least: GalleryVersion | None = None
    ) -> GalleryFigures:
        """Nothing of galleries that the caller does not reach.

        Raises VersionLost when the database does not know `at_least`.
        """
        with self.store.transaction(read_only=True) as tx:
            gallery = existing(tx, name, caller)
            check_known(tx, gallery, at_least)
            subjects, faces = tx.count_subjects(gallery.id), tx.count_faces(gallery.id)
            whole = caller.galleries is None
            size = tx.database_bytes() if whole else tx.gallery_bytes(gallery.id)
            replicas = tx.replicas(gallery.id)
        index = self.index_of(gallery)
        indexed = None if index is None else len(index)
        return GalleryFigures(gallery, subjects, faces, size, indexed, replicas)

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

    def index_of(self, gallery: Gallery) -> FaceIndex | None:
        """This replica's index; None while it loads."""
        try:
            return self.indexes.index(gallery.key)
        except GalleryNotReady:
            return None

    def followed(self, gallery: Gallery, version: GalleryVersion) -> bool:
        """Wait, bounded, until this replica holds `version`; False, and a warning, if it lags."""
        if self.indexes.wait_for(gallery.id, version):
            return True
        log.warning("gallery '%s': this replica lags behind %s", gallery.name, version)
        return False

    def faces_after(self, gallery: Gallery, version: GalleryVersion) -> int:
        """The number of faces once this replica holds `version`; counted in SQL if it lags."""
        if self.followed(gallery, version):
            return len(self.indexes.index(gallery.key))
        with self.store.transaction(read_only=True) as tx:
            return tx.count_faces(gallery.id)
