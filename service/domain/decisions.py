"""The decision: is the best candidate the person, and how sure is that."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from service.domain.calibrations import Calibration


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


@dataclass(frozen=True, slots=True)
class Likeness:
    """A subject by its name, with the similarity of its best face, -1..1."""

    external_id: str
    similarity: float


def accepted(similarity: float, threshold: float) -> bool:
    """A similarity equal to the threshold is a match."""
    return similarity >= threshold


def confidence(
    similarity: float, threshold: float, calibration: Calibration | None = None
) -> Confidence:
    """Label an accepted match.

    In a calibrated gallery, by how seldom a stranger reaches this similarity there: low, and from
    a tenth, a hundredth and a thousandth of the calibration's FPIR on medium, high and very_high.
    Else by how far it lies between the threshold and identity (1.0), in quarters of that way:
    then the labels order matches and estimate nothing.
    """
    if calibration is not None:
        return _by_strangers(calibration.tail.exceedance(similarity) / calibration.fpir)
    way = (similarity - threshold) / (1.0 - threshold) if threshold < 1.0 else 1.0
    if way >= 0.75:
        return Confidence.VERY_HIGH
    if way >= 0.5:
        return Confidence.HIGH
    return Confidence.MEDIUM if way >= 0.25 else Confidence.LOW


def _by_strangers(share: float) -> Confidence:
    if share <= 1e-3:
        return Confidence.VERY_HIGH
    if share <= 1e-2:
        return Confidence.HIGH
    return Confidence.MEDIUM if share <= 1e-1 else Confidence.LOW
