"""Verification, 1:1: how well two photographs of one person are told from those of two.

Terms and definitions follow ISO/IEC 19795-1: the false match rate (FMR) is the share of impostor
comparisons at the threshold or above, the false non-match rate (FNMR) that of genuine comparisons
below it; the true accept rate (TAR) is 1 - FNMR.
"""

import math
from dataclasses import dataclass

import numpy as np

from service.evaluation.curves import Curve, thinned
from service.evaluation.intervals import (
    Evidence,
    Interval,
    Weights,
    allowed_errors,
    evidence,
    interval,
    people_drawn,
)
from service.evaluation.scores import Scores, Side

FMRS = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The most lenient threshold whose share of false matches does not exceed `fmr`, the rate
    asked for. `tar` and its interval are None where the impostors are too few to tell, so
    `evidence` is NONE; `threshold` then is the lowest without a false match."""

    fmr: float
    threshold: float
    false_matches: int
    evidence: Evidence
    tar: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """At a given threshold: `errors` among `trials`, and the interval of their share."""

    errors: int
    trials: int
    interval: Interval

    @property
    def rate(self) -> float:
        return self.errors / self.trials


@dataclass(frozen=True, slots=True)
class Verification:
    """`pairs` counts the labelled pairs, `skipped` those of them without a score."""

    pairs: int
    skipped: int
    genuine: int
    impostors: int
    people: int
    default_threshold: float
    fmr: ErrorRate
    fnmr: ErrorRate
    points: tuple[OperatingPoint, ...]
    equal_error_rate: float
    best_accuracy: float
    best_threshold: float
    lowest_genuine: float
    highest_impostor: float
    tar_without_false_match: float
    roc: Curve

    @property
    def correct_at_default_threshold(self) -> int:
        """Pairs decided rightly; a skipped pair is not."""
        return self.genuine - self.fnmr.errors + self.impostors - self.fmr.errors

    @property
    def margin(self) -> float:
        """Lowest genuine less highest impostor: above 0, one threshold decides every pair."""
        return self.lowest_genuine - self.highest_impostor


def verify(scores: Scores, default_threshold: float) -> Verification:
    """Measure on the scores; there must be a genuine and an impostor one at least.

    Args:
        default_threshold: on similarity; a score equal to it is a match.
    """
    genuine, impostors = scores.genuine, scores.impostors
    roc = _roc(genuine, impostors)
    best_accuracy, best_threshold = _best(roc, len(genuine), len(impostors))
    draws = _Draws(scores, default_threshold)
    no_false_match = math.nextafter(float(impostors.scores[0]), math.inf)
    return Verification(
        pairs=len(genuine) + len(impostors) + scores.skipped,
        skipped=scores.skipped,
        genuine=len(genuine),
        impostors=len(impostors),
        people=scores.people,
        default_threshold=default_threshold,
        fmr=_error_rate(impostors.count_from(default_threshold), impostors, draws.fmr),
        fnmr=_error_rate(len(genuine) - genuine.count_from(default_threshold), genuine, draws.fnmr),
        points=tuple(_point(scores, fmr, draws.tar[fmr]) for fmr in FMRS),
        equal_error_rate=_equal_error_rate(roc),
        best_accuracy=best_accuracy,
        best_threshold=best_threshold,
        lowest_genuine=float(genuine.scores[-1]),
        highest_impostor=float(impostors.scores[0]),
        tar_without_false_match=genuine.share_from(no_false_match),
        roc=thinned(roc),
    )


def _roc(genuine: Side, impostors: Side) -> Curve:
    """TAR over FMR at every threshold that decides anything differently."""
    distinct = np.unique(np.concatenate([genuine.scores, impostors.scores]))[::-1]
    thresholds = np.concatenate([[np.inf], distinct])
    fmr, tar = (
        (len(side) - np.searchsorted(side.scores[::-1], thresholds, side="left")) / len(side)
        for side in (impostors, genuine)
    )
    return Curve(fmr, tar, thresholds)


def _best(roc: Curve, genuine: int, impostors: int) -> tuple[float, float]:
    """The highest accuracy over all thresholds, and the middle of the widest range of similarity
    that gives it: with every pair right, midway between the two kinds."""
    right = np.rint(roc.y * genuine + (1 - roc.x) * impostors).astype(np.int64)
    # a threshold decides as every other one does that is above the next lower score
    above = np.append(math.nextafter(roc.thresholds[1], math.inf), roc.thresholds[1:])
    below = np.append(roc.thresholds[1:], roc.thresholds[-1])
    widths = np.where(right == right.max(), above - below, -1.0)
    chosen = int(np.argmax(widths))
    # accepting nothing takes a threshold above every score, not midway to it
    threshold = above[0] if chosen == 0 else (above + below)[chosen] / 2
    return float(right.max() / (genuine + impostors)), float(threshold)


def _equal_error_rate(roc: Curve) -> float:
    """The mean of FMR and FNMR where they differ least, as FVC2000 takes it for finite data
    (D. Maio et al., IEEE Transactions on Pattern Analysis and Machine Intelligence 24, 2002)."""
    fnmr = 1 - roc.y
    nearest = int(np.argmin(np.abs(roc.x - fnmr)))
    return float((roc.x[nearest] + fnmr[nearest]) / 2)


def _point(scores: Scores, fmr: float, drawn: list[float]) -> OperatingPoint:
    genuine, impostors = scores.genuine, scores.impostors
    limit = impostors.scores[allowed_errors(fmr, len(impostors))]
    # a score equal to the threshold matches, so it is the next number above
    threshold = math.nextafter(float(limit), math.inf)
    known = evidence(fmr, len(impostors))
    tar = None if known is Evidence.NONE else genuine.share_from(threshold)
    return OperatingPoint(
        fmr=fmr,
        threshold=threshold,
        false_matches=impostors.count_from(threshold),
        evidence=known,
        tar=tar,
        interval=None if tar is None else interval(tar, genuine.units(), drawn),
    )


def _error_rate(errors: int, side: Side, drawn: list[float]) -> ErrorRate:
    return ErrorRate(errors, len(side), interval(errors / len(side), side.units(), drawn))


class _Draws:
    """The rates in every draw of the bootstrap. In a draw that has a person twice, each genuine
    pair of theirs is there twice and each impostor pair as often as both people's product."""

    def __init__(self, scores: Scores, default_threshold: float) -> None:
        genuine, impostors = scores.genuine, scores.impostors
        self.tar: dict[float, list[float]] = {fmr: [] for fmr in FMRS}
        self.fmr: list[float] = []
        self.fnmr: list[float] = []
        accepted = [side.count_from(default_threshold) for side in (genuine, impostors)]
        for weights in people_drawn(scores.people, len(genuine) + len(impostors)):
            hits = _cumulated(weights[genuine.person_one])
            misses = _cumulated(weights[impostors.person_one] * weights[impostors.person_other])
            if hits[-1] == 0 or misses[-1] == 0:
                continue  # nobody with two photographs was drawn, or one person alone
            self.fnmr.append(float(1 - hits[accepted[0]] / hits[-1]))
            self.fmr.append(float(misses[accepted[1]] / misses[-1]))
            for fmr, drawn in self.tar.items():
                drawn.append(_tar_at(fmr, scores, hits, misses))


def _cumulated(weights: Weights) -> Weights:
    """Element k is the weight of the k highest scores: shape (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(weights)])


def _tar_at(fmr: float, scores: Scores, hits: Weights, misses: Weights) -> float:
    """TAR in one draw, at the threshold that keeps the FMR in that draw."""
    kept = int(np.searchsorted(misses, fmr * misses[-1] + 1e-9, side="right")) - 1
    impostors = scores.impostors.scores
    limit = impostors[kept] if kept < len(impostors) else -np.inf
    threshold = math.nextafter(float(limit), math.inf)
    return float(hits[scores.genuine.count_from(threshold)] / hits[-1])
