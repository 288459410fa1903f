"""Bulk imports: a job, its items, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.domain.consents import Consent
from service.domain.galleries import GalleryVersion
from service.domain.keys import Caller
from service.errors import AttemptErased


class ImportState(StrEnum):
    UPLOADING = "uploading"
    """Nobody sees it yet; it goes when the upload breaks off."""
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    """What was enrolled before stays."""


class ItemStatus(StrEnum):
    WAITING = "waiting"
    ENROLLED = "enrolled"
    SKIPPED = "skipped"
    """The subject has this very photograph, or embedding, already."""
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is not enrolled: a code of `service.errors`, and a sentence."""

    code: str
    text: str


ERASED = Reason(AttemptErased.code, "The ID was erased while this waited.")
"""As the trigger audit_clear has it."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item about to be spooled: a photograph, an embedding (its float32 values as bytes, in
    this machine's order), or neither and the reason for that.

    `external_id` None: the manifest, which comes later, will say. `several` items may have one.
    """

    number: int
    file: str | None
    external_id: str | None
    metadata: Mapping[str, Any] | None = None
    photograph: bytes | None = None
    image_sha256: bytes | None = None
    embedding: bytes | None = None
    status: ItemStatus = ItemStatus.WAITING
    reason: Reason | None = None
    consent: Consent | None = None

    @property
    def size(self) -> int:
        """Bytes of its payload."""
        return len(self.photograph or b"") + len(self.embedding or b"")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What a manifest says of one file."""

    file: str
    external_id: str
    metadata: Mapping[str, Any]
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker needs to know of a running import. `caller` sent it, and is who enrols;
    `space_id` was the gallery's when it came, and is that of its embeddings."""

    job_id: UUID
    gallery: str
    space_id: UUID
    caller: Caller
    several: bool


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """An item that one worker has taken. `known`: its subject has this very photograph already;
    its payload is read when it is needed, so that one is in memory at a time."""

    number: int
    file: str | None
    external_id: str
    metadata: Mapping[str, Any]
    known: bool
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """Exactly one of them; see `NewItem`."""

    photograph: bytes | None
    embedding: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a claimed item: `face_id` when it was enrolled, else why not."""

    number: int
    status: ItemStatus
    reason: Reason | None = None
    face_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A job as it stands. `version` is the gallery's in the same reading: it holds everything
    that `counts` says is enrolled. `several`: an id that is enrolled gets a further face."""

    id: UUID
    gallery_id: UUID
    gallery: str
    version: GalleryVersion
    created_by: str
    several: bool
    state: ImportState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Mapping[ItemStatus, int] = field(default_factory=dict)

    def count(self, status: ItemStatus) -> int:
        return self.counts.get(status, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return self.total - self.count(ItemStatus.WAITING)

    @property
    def ended(self) -> bool:
        return self.state in {ImportState.FINISHED, ImportState.CANCELLED}


@dataclass(frozen=True, slots=True)
class ListedItem:
    number: int
    file: str | None
    external_id: str | None
    status: ItemStatus
    reason: Reason | None
    face_id: UUID | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueState:
    """`unfinished` imports, and the `workers` whose heart was heard within the last minute."""

    unfinished: int
    workers: int
