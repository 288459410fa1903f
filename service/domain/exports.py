"""Exports: what a gallery's file says of the gallery, its subjects and their faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain.calibrations import Calibration
from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.faces import Box
from service.domain.galleries import GallerySettings
from service.domain.photographs import KeptPhotograph, Sealing


@dataclass(frozen=True, slots=True)
class Totals:
    subjects: int
    faces: int
    photographs: int = 0

    @property
    def without_photograph(self) -> int:
        """Faces."""
        return self.faces - self.photographs


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """`release` is facematch's, `version` the exported gallery's as callers know it, `totals` what
    follows."""

    release: str
    exported_at: datetime
    name: str
    version: str
    settings: GallerySettings
    space: EmbeddingSpace
    calibration: Calibration | None
    totals: Totals


@dataclass(frozen=True, slots=True)
class ExportedConsent:
    text_version: str
    purpose: str
    given_at: datetime
    expires_at: datetime | None
    recorded_by: str
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportedSubject:
    external_id: str
    metadata: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime | None
    consents: tuple[ExportedConsent, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedFace:
    """Of the subject last named. `image_sha256` and `image_name` None: enrolled as an embedding;
    `quality` as it was measured; `embedding` None: the gallery's space has none for this face;
    `photograph` where one is kept, and is to come along; `sealing` that of one which came along."""

    created_at: datetime
    created_by: str
    image_sha256: bytes | None
    image_name: str | None
    box: Box | None
    quality: Mapping[str, Any] | None
    embedding: Embedding | None
    photograph: KeptPhotograph | None = None
    sealing: Sealing | None = None


Exported = ExportedSubject | ExportedFace
