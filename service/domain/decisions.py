"""The decision: is the best candidate the person, and how sure is that."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Confidence(StrEnum):
    VERY_HIGH = "very_high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject with the similarity of its best face, -1..1."""

    subject_id: UUID
    face_id: UUID
    similarity: float


def accepted(similarity: float, threshold: float) -> bool:
    """A similarity equal to the threshold is a match."""
    return similarity >= threshold


def confidence(similarity: float, threshold: float) -> Confidence:
    """Label an accepted match by how far it lies between the threshold and identity (1.0).

    The quarters of that way are low, medium, high and very_high. The labels order matches; they
    are not probabilities.
    """
    way = (similarity - threshold) / (1.0 - threshold) if threshold < 1.0 else 1.0
    if way >= 0.75:
        return Confidence.VERY_HIGH
    if way >= 0.5:
        return Confidence.HIGH
    return Confidence.MEDIUM if way >= 0.25 else Confidence.LOW
