"""Photographs that a gallery keeps, sealed: what allows re-embedding."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Keeping(StrEnum):
    """What a gallery keeps of an enrolled photograph; what it keeps is of this kind, all of it."""

    NONE = "none"
    ORIGINALS = "originals"
    """The uploaded files as they came, with everything that their makers wrote into them."""
    CHIPS = "chips"
    """The enrolled face alone, turned upright, with a margin; see `service.vision.chips`."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A photograph that only the holder of the key can read. `key_id` names the key, of which it
    says nothing; `content` is unreadable also for the database."""

    kind: Keeping
    key_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptPhotograph:
    """`image_sha256` is the face's: it is bound to the content, so that no other face's photograph
    can take its place."""

    face_id: UUID
    gallery_id: UUID
    image_sha256: bytes
    sealed: Sealed
