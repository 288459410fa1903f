"""Calibrations: a gallery's threshold, and the tail of its impostor scores that it rests on."""

from dataclasses import dataclass
from datetime import datetime

GROWN = 1.25
"""A gallery with so many times the faces it was calibrated with needs calibrating anew."""


@dataclass(frozen=True, slots=True)
class Tail:
    """How often a stranger's best similarity in a gallery reaches a high value.

    A share of `share`, 0..1, lies above `start`, -1..1; from there on, with `power` > 0,
    P(score >= s) = share * ((1 - s) / (1 - start)) ** power. That is the generalised Pareto
    distribution of extreme value theory (S. Coles, "An Introduction to Statistical Modeling of
    Extreme Values", Springer, 2001, chapter 4) with its end put where similarities end, at 1.
    """

    start: float
    share: float
    power: float

    def exceedance(self, similarity: float) -> float:
        """The estimated FPIR at a similarity, 0..1; 1.0 below the start, where nothing is said."""
        if similarity < self.start:
            return 1.0
        # rounding makes similarities a little larger than 1
        left = max(0.0, 1.0 - similarity) / (1.0 - self.start)
        return float(self.share * left**self.power)

    def threshold(self, fpir: float) -> float:
        """The similarity with that FPIR, above 0 and at most `share`; below 1."""
        return float(1.0 - (1.0 - self.start) * (fpir / self.share) ** (1.0 / self.power))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold for a wanted FPIR, and its evidence.

    `threshold` with its 95 % interval `low`..`high` is on similarity, -1..1. `subjects` and
    `faces` are those that were compared, as of version number `version`; `suspects` counts the
    pairs of subjects that were taken for one person each. `release` is facematch's.
    """

    fpir: float
    threshold: float
    low: float
    high: float
    subjects: int
    faces: int
    suspects: int
    tail: Tail
    version: int
    release: str
    calibrated_at: datetime

    def outgrown(self, faces: int) -> bool:
        """Whether a gallery of so many faces has grown too much for this threshold."""
        return faces > GROWN * self.faces
