"""What the use cases ask of the outside: faces from pictures, rows from SQL, hits from an index."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.calibrations import Calibration
from service.domain.decisions import Candidate, Likeness
from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace, Face, IndexedFace, ListedFace, NewFace
from service.domain.galleries import (
    Change,
    Gallery,
    GalleryHead,
    GallerySettings,
    GalleryVersion,
)
from service.domain.keys import HashedKey, Key, NewKey
from service.domain.matches import EVERYBODY, EnrolledFace, SubjectFilter
from service.domain.models import Model
from service.domain.repeats import Attempt, KeptAnswer, Once
from service.domain.replicas import ReplicaState, Report
from service.domain.subjects import Metadata, NewSubject, Subject

Result = TypeVar("Result")

Picture = NDArray[np.uint8]
"""A decoded, upright photograph: shape (height, width, 3), RGB, 0..255."""


class FaceAnalyser(Protocol):
    """Finds faces and embeds them in one embedding space. Safe to call from many threads."""

    @property
    def space(self) -> EmbeddingSpace: ...

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """All faces in the picture, largest box first; empty when there is none.

        `thorough`, for enrolment: look for much smaller faces too, and leave out doubtful ones.

        Raises:
            Overloaded: no worker became free in time.
        """
        ...

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The embedding of one face that `detect` found in this very picture.

        Raises:
            FaceNotDetected: nothing is left of the face once it is cut out.
            Overloaded: no worker became free in time.
        """
        ...

    def close(self) -> None: ...


class Analysers(Protocol):
    """The models of this process, one for each embedding space, loaded when first needed."""

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        """The analyser that makes embeddings of that space.

        Raises:
            ModelUnavailable: it cannot be loaded here, or its weights are others.
        """
        ...

    def like(self, model: str, detector: str | None, alignment: Alignment | None) -> FaceAnalyser:
        """The analyser of a new gallery; None takes the model's default.

        Raises:
            RequestInvalid: no such model or detector, or an alignment that it does not allow.
            ModelUnavailable: its weights are not here.
        """
        ...

    def usual(self, model: str | None) -> FaceAnalyser:
        """The default gallery's analyser, or a model's own with its default detector and alignment.

        Raises:
            RequestInvalid, ModelUnavailable: as `like`.
        """
        ...


class Models(Protocol):
    """The recognition models that there are."""

    def all(self) -> tuple[Model, ...]: ...

    def named(self, name: str) -> Model:
        """Raises ModelNotFound; letter case matters."""
        ...


class KeyRows(Protocol):
    """The keys, within one transaction. A key's state is told by the database's clock."""

    def pepper(self) -> bytes:
        """What secrets are hashed with, 32 bytes; the same for every replica."""
        ...

    def hashed(self, prefix: str) -> HashedKey | None: ...

    def find(self, reference: str, *, lock: bool = False) -> Key | None:
        """By id or prefix; with `lock` nobody else changes it before this transaction ends."""
        ...

    def listed(self, after: UUID | None, limit: int, among: frozenset[UUID] | None) -> list[Key]:
        """Oldest first, those after that id; `among`: only those bound to some of these galleries
        and no other, None for every key."""
        ...

    def add(
        self,
        new: NewKey,
        galleries: frozenset[UUID] | None,
        prefix: str,
        key_hash: bytes,
        created_by: str,
    ) -> Key: ...

    def rotate(self, key_id: UUID, key_hash: bytes, grace_s: int) -> None:
        """Put the hash in place of the present one, which stays valid for `grace_s` seconds."""
        ...

    def revoke(self, key_id: UUID) -> None: ...

    def be_first(self) -> bool:
        """Whether no key was ever made; nobody else makes one before this transaction ends."""
        ...


class Transaction(Protocol):
    """One database transaction; it commits when its `with` block ends without an exception."""

    @property
    def keys(self) -> KeyRows: ...

    def find_gallery(self, name: str, *, lock: bool = False) -> Gallery | None:
        """With `lock`, nobody else changes the gallery, faces included, before this transaction
        ends: for changes of its settings."""
        ...

    def list_galleries(
        self, after: str | None, limit: int, among: frozenset[UUID] | None
    ) -> list[Gallery]:
        """By name (code point order), those after that name; `among` None means all."""
        ...

    def knows(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        """Whether the gallery's history, as far as it is kept, has that version and mark."""
        ...

    def create_gallery(
        self, name: str, space: EmbeddingSpace, settings: GallerySettings
    ) -> Gallery:
        """Create the gallery and, where new, its space; if the name exists, return that one.

        A space without a weights digest resolves to the one known digest of that model, detector
        and alignment, where there is exactly one.
        """
        ...

    def add_gallery(self, name: str, space: EmbeddingSpace, settings: GallerySettings) -> Gallery:
        """As `create_gallery`, but raises GalleryExists when the name is taken."""
        ...

    def change_gallery(self, gallery_id: UUID, settings: GallerySettings) -> None: ...

    def delete_gallery(self, gallery_id: UUID) -> None:
        """Delete the gallery with everything in it."""
        ...

    def begin_attempt(self, attempt: Attempt) -> KeptAnswer | None:
        """What was answered to this attempt before; None: it is this transaction's to carry out.

        Raises:
            AttemptInFlight: another transaction is at it.
            AttemptDiffers: the key was used for another request.
        """
        ...

    def keep_answer(self, attempt: Attempt, answer: KeptAnswer) -> None: ...

    def pin_weights(self, space_id: UUID, weights_sha256: str) -> None:
        """Fill in the digest of a space that has none."""
        ...

    def calibrate(self, gallery: Gallery, calibration: Calibration) -> None: ...

    def add_subject(self, gallery_id: UUID, external_id: str) -> UUID:
        """Raises SubjectExists when the gallery has a subject of that id."""
        ...

    def create_subject(self, gallery_id: UUID, new: NewSubject) -> None:
        """Raises SubjectExists as `add_subject`."""
        ...

    def find_subject(self, gallery_id: UUID, external_id: str) -> UUID | None: ...

    def read_subject(
        self, gallery_id: UUID, external_id: str, *, lock: bool = False
    ) -> Subject | None:
        """With `lock`, nobody else changes it, or adds a face to it, before this transaction
        ends."""
        ...

    def list_subjects(
        self, gallery_id: UUID, after: str | None, limit: int, containing: Metadata | None
    ) -> list[Subject]:
        """By external id (code point order), those after that one; `containing`: only those whose
        metadata contain it, as `@>` of jsonb says."""
        ...

    def change_subject(self, subject_id: UUID, to: NewSubject) -> None: ...

    def merge_subject(self, gallery_id: UUID, into: UUID, other: UUID) -> int:
        """Move the other's faces and those of its metadata that `into` has no key for, then delete
        it; returns how many faces moved. Faces that `into` has already go with the other."""
        ...

    def delete_subject(self, gallery_id: UUID, external_id: str) -> bool:
        """Delete a subject with all its faces; False when there is none of that id."""
        ...

    def subject_names(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The external ids of those subjects that exist and have not expired."""
        ...

    def enrolled_faces(
        self, gallery: Gallery, face_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        """Those of the faces that are in the gallery and its space now, whoever's; no order."""
        ...

    def faces_of_subjects(
        self, gallery: Gallery, subject_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        """Every face of those subjects in the gallery's space, expired ones' too; no order."""
        ...

    def permitted_subjects(self, gallery_id: UUID, among: SubjectFilter) -> NDArray[np.void]:
        """The ids of the subjects that have not expired and pass the filter; dtype V16 (a UUID's
        bytes), shape (n,)."""
        ...

    def subject_metadata(self, subject_ids: Sequence[UUID]) -> dict[UUID, Metadata]: ...

    def subject_has_image(self, subject_id: UUID, image_sha256: bytes) -> bool: ...

    def subject_has_embedding(self, subject_id: UUID, embedding: Embedding) -> bool:
        """Whether a face of the subject has this very embedding, bit for bit."""
        ...

    def add_face(self, gallery: Gallery, subject_id: UUID, face: NewFace) -> UUID: ...

    def faces_of(
        self,
        gallery: Gallery,
        subject_id: UUID,
        after: UUID | None = None,
        limit: int | None = None,
        *,
        embeddings: bool = False,
    ) -> list[Face]:
        """A subject's faces by id, which is the order of their enrolment; those after that one."""
        ...

    def read_face(
        self, gallery: Gallery, face_id: UUID, *, embeddings: bool = False
    ) -> Face | None: ...

    def replace_face(self, gallery: Gallery, face_id: UUID, new: NewFace) -> None:
        """Another photograph and its embedding in the place of a face's; its id stays."""
        ...

    def delete_face(self, gallery_id: UUID, face_id: UUID) -> None: ...

    def image_owner(
        self, gallery_id: UUID, image_sha256: bytes, besides: UUID | None = None
    ) -> str | None:
        """The external id of a subject with that photograph; the face `besides` does not count."""
        ...

    def hold_gallery(self, gallery_id: UUID) -> None:
        """From here on, and until this transaction ends, nobody else commits a change of the
        gallery's faces: what is read now stays true. Lock what else is needed before."""
        ...

    def changed_faces(
        self, gallery_id: UUID, since: GalleryVersion, most: int
    ) -> frozenset[UUID] | None:
        """The faces changed since that version, by this very transaction too; None: more than
        `most` versions ago, or its history does not tell. To be asked of a gallery that is held."""
        ...

    def subjects_like(self, gallery: Gallery, embedding: Embedding, threshold: float) -> list[UUID]:
        """The subjects that have a face of that similarity or more; reads all embeddings."""
        ...

    def most_alike(
        self,
        gallery: Gallery,
        embedding: Embedding,
        besides: str,
        among: tuple[Collection[UUID], Collection[UUID]] | None,
    ) -> Likeness | None:
        """The most similar subject, at the gallery's threshold or above, that has not expired and
        is not called `besides`; `among`: only by faces of these subjects, and by these faces."""
        ...

    def own_likeness(
        self, gallery: Gallery, subject_id: UUID, embedding: Embedding
    ) -> float | None:
        """The similarity of the subject's most similar face, -1..1; None where it has none."""
        ...

    def count_subjects(self, gallery_id: UUID) -> int: ...

    def count_faces(self, gallery_id: UUID) -> int: ...

    def face_images(self, face_ids: Sequence[UUID]) -> dict[UUID, str | None]: ...

    def list_faces(
        self, gallery_id: UUID, after: str | None, limit: int | None
    ) -> list[ListedFace]:
        """Faces by external id (code point order), then age; `after` is an external id.

        With a limit, as many faces as it says, and then the rest of the last one's subject, so
        that a page never splits a subject.
        """
        ...

    def database_bytes(self) -> int: ...

    def now(self) -> datetime:
        """The database's clock, with its time zone."""
        ...

    def replicas(self, gallery_id: UUID) -> list[ReplicaState]:
        """Every replica the database knows, with its version of that gallery, oldest first."""
        ...

    def made_version(self, gallery_id: UUID) -> GalleryVersion:
        """Number this transaction's change now and return it.

        The last thing before the block ends: from here to the commit it holds the gallery's row
        lock, for which every other writer of the gallery waits.

        Raises:
            GalleryFull: the change would leave more faces than the gallery's limit.
        """
        ...


class FaceRead(Protocol):
    """One consistent reading of a gallery, for replicas. See `ChangeFeed.read`."""

    def heads(self) -> list[GalleryHead]: ...

    def digest(self, head: GalleryHead) -> int:
        """The digest of the gallery's faces in its space, computed in SQL; see `index.digest`."""
        ...

    def trigger_faults(self) -> list[str]:
        """What is wrong with the feed's triggers, a sentence each; empty when all is well."""
        ...

    def changes(self, gallery_id: UUID, after: int) -> list[Change]:
        """The changes above version number `after` that are still kept, in order."""
        ...

    def faces(self, head: GalleryHead, face_ids: Sequence[UUID]) -> list[IndexedFace]:
        """The present state of those faces in the gallery's space; vanished ones are left out."""
        ...

    def all_faces(self, head: GalleryHead) -> Iterator["FaceBatch"]:
        """Every face of the gallery in its space, in batches of bounded size (binary COPY)."""
        ...


@dataclass(frozen=True, slots=True)
class FaceBatch:
    """`face_ids` and `subject_ids` have dtype V16 (a UUID's bytes) and shape (n,);
    `embeddings` has dtype float32 and shape (n, dimension)."""

    face_ids: NDArray[np.void]
    subject_ids: NDArray[np.void]
    embeddings: NDArray[np.float32]


class ChangeFeed(Protocol):
    """The reading side of the change feed, on connections of its own, primary only."""

    def heads(self) -> list[GalleryHead]:
        """Every gallery's version, cheaply; raises DatabaseUnavailable."""
        ...

    def read(self) -> AbstractContextManager[FaceRead]:
        """A repeatable-read transaction behind ACCESS SHARE locks on the face tables, so that a
        TRUNCATE cannot slip between its reads. Raises DatabaseUnavailable."""
        ...

    def report(self, report: Report) -> None:
        """Write what this replica says of itself. Raises DatabaseUnavailable."""
        ...

    def leave(self, replica_id: UUID) -> None:
        """Take this replica off the list: it ends in order. Raises DatabaseUnavailable."""
        ...

    def prune(self, keep_s: float) -> int:
        """Delete changes older than `keep_s` seconds that every live replica has applied; returns
        how many. Bounded: may be called again when it returns many. Raises DatabaseUnavailable."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Block until a NOTIFY arrives, `ring` is called or the time is over; True if woken.

        Raises:
            DatabaseUnavailable: the LISTEN connection is lost; the next call makes a new one.
        """
        ...

    def ring(self) -> None:
        """Wake a waiting `wait` from another thread."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """Open a transaction. A read-only one is repeatable read: all it reads is one state.

        Raises:
            DatabaseUnavailable: no connection, or it broke; nothing was committed that the
                caller knows of.
        """
        ...

    def write(
        self, work: Callable[[Transaction], Result], once: Once[Result] | None = None
    ) -> Result:
        """Run `work` in a transaction of its own; after a deadlock or a serialization failure
        run it again from its beginning, a few times. With `once`, its answer is kept in the same
        transaction.

        Raises:
            Repeated: `once` was carried out before.
            AttemptInFlight, AttemptDiffers: see `Transaction.begin_attempt`.
            DatabaseBusy: a lock was not had in time, or the conflict stayed.
            DatabaseUnavailable: as for `transaction`.
        """
        ...

    def feed(self) -> ChangeFeed: ...

    def close(self) -> None: ...


class FaceIndex(Protocol):
    """The faces of one gallery in memory. Many threads search while one applies."""

    def __len__(self) -> int: ...

    @property
    def version(self) -> GalleryVersion: ...

    @property
    def space_id(self) -> UUID | None:
        """The embedding space of its vectors."""
        ...

    def search(self, probe: Embedding, subjects: int) -> "SearchResult":
        """The best `subjects` subjects, each by its best face, most similar first."""
        ...

    def view(self) -> "IndexView":
        """What it holds now, for several searches of one state."""
        ...

    def apply(
        self,
        version: GalleryVersion,
        present: Iterable[IndexedFace],
        touched: Iterable[UUID],
    ) -> None:
        """Bring the touched faces to their present state: those not in `present` are dropped."""
        ...


class IndexView(Protocol):
    """One state of a gallery in memory, or a part of it; never changes."""

    @property
    def version(self) -> GalleryVersion: ...

    def search(self, probe: Embedding, subjects: int) -> "SearchResult":
        """As `FaceIndex.search`."""
        ...

    def among(self, subject_ids: NDArray[np.void]) -> "IndexView":
        """The part of it that is those subjects'; dtype V16 (a UUID's bytes), shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`version` is the state that was searched, and `faces` the number of faces in it."""

    version: GalleryVersion
    faces: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """How fresh this replica is.

    `loaded`: every gallery is in memory; `connected`: the last look at the database worked and was
    not long ago; `last_success`: when, None before the first; `reason`: why this replica should
    not be asked now, None when it may.
    """

    loaded: bool
    connected: bool
    last_success: datetime | None
    reason: str | None


class Indexes(Protocol):
    """This replica's indexes, as the use cases see them."""

    def index(self, gallery_id: UUID) -> FaceIndex:
        """Raises GalleryNotReady while the gallery is not loaded."""
        ...

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        """Wait, bounded, until the index holds that version, which must be in the database by
        now; False when it took too long."""
        ...
