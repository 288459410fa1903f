"""Faces: found in a picture, about to be enrolled, and enrolled."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.embeddings import Embedding
from service.domain.photographs import Sealing
from service.domain.quality import Quality

Point = tuple[float, float]
"""x and y in pixels of the upright picture, origin top left."""


@dataclass(frozen=True, slots=True)
class Box:
    """A face's bounding box in pixels of the upright picture; may reach beyond its edges."""

    left: int
    top: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face found in a picture.

    `landmarks` are five points for a native alignment (dlib's own five, or eyes, nose and corners
    of the mouth; see `service.vision.landmarks`), both eyes or nothing for DeepFace's. `score` is
    the detector's own, on its own scale.
    """

    box: Box
    score: float
    landmarks: tuple[Point, ...] = ()
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """The embedding of a face in the other space of its gallery."""

    space_id: UUID
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face about to be enrolled. `image_sha256` is of the uploaded bytes, None for imports;
    `photograph` seals what its gallery keeps of it; `beside` is there where its gallery has another
    space, and the face was seen by that one too."""

    embedding: Embedding
    image_sha256: bytes | None
    image_name: str | None
    box: Box | None
    created_by: str
    created_at: datetime | None = None
    quality: Quality | None = None
    photograph: Sealing | None = None
    beside: Beside | None = None


@dataclass(frozen=True, slots=True)
class IndexedFace:
    """What the index holds of an enrolled face."""

    face_id: UUID
    subject_id: UUID
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class ListedFace:
    external_id: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Face:
    """An enrolled face as it is shown. `image_sha256` None: enrolled as an embedding; `embedding`:
    only for those who asked and may see it."""

    id: UUID
    external_id: str
    created_at: datetime
    created_by: str
    image_name: str | None
    image_sha256: bytes | None
    box: Box | None
    quality: Quality | None
    embedding: Embedding | None = None

    @property
    def etag(self) -> str:
        """Differs whenever another photograph has taken its place."""
        shown = repr((self.id, self.created_at, self.created_by, self.image_sha256, self.box))
        return hashlib.sha256(shown.encode()).hexdigest()[:32]
