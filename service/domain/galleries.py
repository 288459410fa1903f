"""Galleries and their versions."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from service.domain.calibrations import Calibration
from service.domain.embeddings import EmbeddingSpace
from service.errors import FormInvalid

VERSION_TEXT = re.compile("([0-9]{1,18})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class GalleryVersion:
    """A committed state of a gallery: its number and the random mark drawn with it.

    The mark tells apart two states of one number, as they arise when a failover loses commits.
    To callers it is opaque text.
    """

    number: int
    mark: UUID

    def __str__(self) -> str:
        return f"{self.number}-{self.mark.hex}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; raises FormInvalid for any other text."""
        match = VERSION_TEXT.fullmatch(text)
        if match is None:
            raise FormInvalid("X-Min-Gallery-Version: not a value that X-Gallery-Version had")
        return cls(int(match[1]), UUID(match[2]))


@dataclass(frozen=True, slots=True)
class Gallery:
    """`threshold` is on cosine similarity, -1..1; `max_faces` None means no limit.

    `calibration` is the last one in its present space; the threshold may have been set by hand
    since.
    """

    id: UUID
    name: str
    space_id: UUID
    space: EmbeddingSpace
    threshold: float
    max_faces: int | None
    version: GalleryVersion
    updated_at: datetime
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class GalleryHead:
    """The little of a gallery's row that tells a replica whether it is behind."""

    id: UUID
    name: str
    space_id: UUID
    dimension: int
    version: GalleryVersion


@dataclass(frozen=True, slots=True)
class Change:
    """One numbered transaction on a gallery: the faces it touched, or everything."""

    version: GalleryVersion
    previous_mark: UUID
    faces: tuple[UUID, ...]
    everything: bool
