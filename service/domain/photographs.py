"""Photographs that a gallery keeps, sealed: what allows re-embedding."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
    content: bytes = field(repr=False)


Sealing = Callable[[UUID, UUID], Sealed]
"""Seals a photograph for the face to whose gallery, and which itself, these ids belong: a face's id
is known only when it is stored."""


@dataclass(frozen=True, slots=True)
class KeptPhotograph:
    """The face, its gallery and `image_sha256`, which is of the uploaded file, are bound to what is
    sealed: it does not open as another face's."""

    face_id: UUID
    gallery_id: UUID
    image_sha256: bytes
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class OpenPhotograph:
    """What was sealed. `content` is a JPEG, PNG or WebP file, for `images.decode`: of ORIGINALS the
    uploaded one, whose SHA-256 is `image_sha256`; of CHIPS the face cut out of it, as a JPEG."""

    face_id: UUID
    gallery_id: UUID
    kind: Keeping
    image_sha256: bytes
    content: bytes = field(repr=False)
