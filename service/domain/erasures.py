"""Erasures: what was deleted, and where it is gone by now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

BACKUPS = (
    "Write-ahead log, backups, and the snapshot files of replicas that were down hold the erased "
    "data until they are recycled or deleted, or the replica runs again; the service cannot reach "
    "them."
)
"""What every receipt says, since nobody here can know what was copied elsewhere."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The receipt of one committed deletion of faces or subjects in one gallery.

    `version` is the number of the gallery version without them, None where the gallery itself was
    deleted. `passed_at`: when every live replica was seen to have passed that version, and which
    those were (`replicas`); None: not yet. `vacuumed_at`: when the data files were rewritten
    without them; None: not yet.
    """

    id: UUID
    gallery_id: UUID
    gallery_name: str | None
    version: int | None
    erased_at: datetime
    caller: str
    key_id: UUID | None
    request_id: str | None
    subjects: int
    faces: int
    passed_at: datetime | None
    replicas: tuple[str, ...]
    vacuumed_at: datetime | None
