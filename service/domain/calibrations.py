"""Calibrations: a gallery's threshold, and the tail of its impostor scores that it rests on."""

import math
from dataclasses import dataclass
from datetime import datetime

GROWN = 1.25
"""A gallery with so many times the faces it was calibrated with needs calibrating anew."""


@dataclass(frozen=True, slots=True)
class Tail:
    """How often a stranger's best similarity in a gallery exceeds a high value.

    Above `start`, which a share of `share`, 0..1, exceeds, scores follow the generalised Pareto
    distribution with that `scale` (> 0, in similarity) and `shape` (< 1, without a unit):
    P(score >= s) = share * (1 + shape * (s - start) / scale) ** (-1 / shape), exponential at
    shape 0 (J. Pickands, "Statistical inference using extreme order statistics", Annals of
    Statistics 3, 1975; S. Coles, "An Introduction to Statistical Modeling of Extreme Values",
    Springer, 2001, chapter 4). With a negative shape no score lies beyond start - scale / shape.
    """

    start: float
    share: float
    scale: float
    shape: float

    def exceedance(self, similarity: float) -> float:
        """The estimated FPIR at a similarity, 0..1; 1.0 below the start, where nothing is said."""
        if similarity < self.start:
            return 1.0
        way = (similarity - self.start) / self.scale
        if self.shape == 0.0:
            return self.share * math.exp(-way)
        base = 1.0 + self.shape * way
        if base <= 0.0:
            return 0.0
        return self.share * math.exp(-math.log(base) / self.shape)

    def threshold(self, fpir: float) -> float:
        """The similarity with that FPIR, above 0 and at most `share`; may lie beyond 1."""
        steps = math.log(self.share / fpir)
        if self.shape == 0.0:
            return self.start + self.scale * steps
        return self.start + self.scale * math.expm1(self.shape * steps) / self.shape


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
