"""Matches: who may be an answer, and who is one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.decisions import Confidence
from service.domain.embeddings import Embedding
from service.domain.galleries import Gallery
from service.domain.subjects import Metadata


@dataclass(frozen=True, slots=True)
class SubjectFilter:
    """Which subjects may be an answer: those whose metadata contains `metadata` (as PostgreSQL's
    `@>` on jsonb says), None for any, and not the subject `besides`."""

    metadata: Metadata | None = None
    besides: UUID | None = None


EVERYBODY = SubjectFilter()


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face as the table holds it now. `permitted`: its subject has not expired and passes the
    filter that was asked with."""

    face_id: UUID
    subject_id: UUID
    external_id: str
    permitted: bool
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Glance:
    """A gallery and some of its faces, all of one state of the tables, and the database's clock.
    Only what the gallery's second space is, if it has one, was read after that."""

    gallery: Gallery
    faces: tuple[EnrolledFace, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Match:
    """A subject that reaches the threshold, by its best face."""

    gallery: str
    external_id: str
    subject_id: UUID
    face_id: UUID
    similarity: float
    confidence: Confidence
    metadata: Metadata | None = None
    """None unless it was asked for."""
