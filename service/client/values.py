"""What the service answers with, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

Json = Mapping[str, Any]


class _Named:
    """Made of the keys of an answer that its fields are called after; others are passed over, so
    that a newer service may say more."""

    @classmethod
    def of(cls, answer: Json) -> Self:
        names = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # dataclasses all
        return cls(**{name: value for name, value in answer.items() if name in names})


@dataclass(frozen=True, slots=True)
class Gallery(_Named):
    """`space` says what makes its embeddings comparable; send it along with an embedding."""

    name: str
    space: Json
    threshold: float
    max_faces: int | None
    max_faces_per_subject: int
    subject_lifetime_s: int | None
    gates: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Subject(_Named):
    id: str
    metadata: Json
    created_at: str
    expires_at: str | None
    expired: bool
    faces: int


@dataclass(frozen=True, slots=True)
class Consent(_Named):
    """`state` is valid, expired or withdrawn."""

    id: str
    text_version: str
    purpose: str
    given_at: str
    expires_at: str | None
    withdrawn_at: str | None
    recorded_by: str
    state: str


@dataclass(frozen=True, slots=True)
class EnrolledFace(_Named):
    """`box` in pixels of the upright photograph; `embedding` None unless asked for."""

    id: str
    subject: str
    created_at: str
    created_by: str
    image_name: str | None
    image_sha256: str | None
    box: Json | None
    quality: Json | None
    embedding: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Match(_Named):
    """`similarity` is the cosine, -1..1, of the probe and the enrolled face `face`."""

    gallery: str
    subject: str
    face: str
    similarity: float
    confidence: str
    metadata: Json | None = None


@dataclass(frozen=True, slots=True)
class FoundFace:
    """The answer to one face of the probe: `matches` are most similar first, empty for nobody."""

    face: Json | None
    best_similarity: float | None
    matches: tuple[Match, ...]
    flaws: tuple[Json, ...]

    @classmethod
    def of(cls, answer: Json) -> Self:
        matches = tuple(Match.of(each) for each in answer["matches"])
        flaws = tuple(answer["flaws"])
        return cls(answer["face"], answer["best_similarity"], matches, flaws)


@dataclass(frozen=True, slots=True)
class Searched:
    """`faces`, largest first."""

    faces: tuple[FoundFace, ...]

    @property
    def best(self) -> Match | None:
        """Whose the largest face is; None: nobody's."""
        return next((match for face in self.faces[:1] for match in face.matches), None)

    @classmethod
    def of(cls, answer: Json) -> Self:
        return cls(tuple(FoundFace.of(each) for each in answer["faces"]))


@dataclass(frozen=True, slots=True)
class Verified(_Named):
    matched: bool
    similarity: float | None
    threshold: float
    confidence: str | None
    face: str | None


@dataclass(frozen=True, slots=True)
class Compared(_Named):
    """One photograph beside the first one."""

    matched: bool
    similarity: float


@dataclass(frozen=True, slots=True)
class DetectedFace(_Named):
    box: Json
    score: float
    quality: Json | None
    flaws: list[Json]
    landmarks: Json
    embedding: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Job(_Named):
    id: str
    gallery: str
    state: str
    total: int
    done: int
    enrolled: int
    skipped: int
    rejected: int
    cancelled: int

    @property
    def ended(self) -> bool:
        return self.state in {"finished", "cancelled"}


@dataclass(frozen=True, slots=True)
class Item(_Named):
    number: int
    file: str | None
    id: str | None
    status: str
    code: str | None
    reason: str | None
    face: str | None


@dataclass(frozen=True, slots=True)
class Erasure(_Named):
    """The receipt of a deletion; see docs/operations.md."""

    id: str
    gallery: str | None
    gallery_version: int | None
    erased_at: str
    subjects: int
    faces: int
    replicas_passed_at: str | None
    replicas: list[str]
    data_files_rewritten_at: str | None
    backups: str

    @property
    def erased(self) -> datetime:
        return datetime.fromisoformat(self.erased_at)
