"""Identification, 1:N, open set: is the person on the probe in the gallery, and which one?

Every labelled photograph is a probe twice. Its mated search goes to the gallery of all other
photographs; its non-mated search to the gallery without any photograph of its person. As in the
service, a subject's similarity is its best face's, and the best subject alone is the answer.

Terms and definitions follow ISO/IEC 19795-1 and NIST's FRVT 1:N (P. Grother, M. Ngan, K. Hanaoka,
"Face Recognition Vendor Test (FRVT) Part 2: Identification", NISTIR 8271, 2019), with candidate
lists of length 1: the false negative identification rate (FNIR) is the share of mated searches
whose person is not the answer at or above the threshold; the false positive identification rate
(FPIR) the share of non-mated searches with any answer.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.evaluation.curves import Curve, thinned
from service.evaluation.intervals import (
    Evidence,
    Interval,
    allowed_errors,
    evidence,
    interval,
    people_drawn,
)
from service.evaluation.pairs import Numbers
from service.evaluation.templates import Templates

FPIRS = (1e-2, 1e-3)
BLOCK_VALUES = 25_000_000
"""Similarities in memory at once: 100 MB."""


@dataclass(frozen=True, slots=True)
class OpenSetPoint:
    """The most lenient threshold whose share of false positives does not exceed `fpir`, the rate
    asked for. `fnir` and its interval are None where the non-mated searches are too few to tell,
    so `evidence` is NONE; `threshold` then is the lowest without a false positive."""

    fpir: float
    threshold: float
    false_positives: int
    evidence: Evidence
    fnir: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Identification:
    """`subjects` and `faces` are the gallery's with everybody in it; `at_rank_1` counts mated
    searches whose own person was the most similar, at whatever similarity. `det` has FPIR as x
    and FNIR as y."""

    subjects: int
    faces: int
    mated: int
    non_mated: int
    at_rank_1: int
    rank_1_interval: Interval
    points: tuple[OpenSetPoint, ...]
    fpir_at_default: float
    fnir_at_default: float
    fnir_without_false_positive: float
    det: Curve

    @property
    def rank_1(self) -> float:
        return self.at_rank_1 / self.mated


@dataclass(frozen=True, slots=True)
class Searches:
    """All of shape (photographs with a template and a person,): the person on each probe, the
    best similarity of that person's other photographs (-inf where there is none) and of anybody
    else's."""

    people: Numbers
    own: NDArray[np.float32]
    others: NDArray[np.float32]


def search_all(templates: Templates, people: Numbers) -> Searches:
    """Search for every labelled photograph; `people` has shape (photographs,), -1: not labelled."""
    chosen = np.flatnonzero((people >= 0) & (templates.rows >= 0))
    persons, vectors = people[chosen], templates.embeddings[templates.rows[chosen]]
    own = np.empty(len(chosen), dtype=np.float32)
    others = np.empty(len(chosen), dtype=np.float32)
    block = max(1, BLOCK_VALUES // max(1, len(chosen)))
    for start in range(0, len(chosen), block):
        part = slice(start, min(start + block, len(chosen)))
        similarities = vectors[part] @ vectors.T
        similarities[np.arange(len(similarities)), np.arange(part.start, part.stop)] = -np.inf
        mate = persons[part, None] == persons[None, :]
        own[part] = np.where(mate, similarities, -np.inf).max(axis=1)
        others[part] = np.where(mate, -np.inf, similarities).max(axis=1)
    return Searches(persons, own, others)


def identify(searches: Searches, default_threshold: float) -> Identification | None:
    """Measure on the searches; None where there is no mated or no non-mated one."""
    mated = np.isfinite(searches.own)
    if not mated.any() or not np.isfinite(searches.others).all():
        return None
    # a person who is not the answer is missed at every threshold
    hits = np.where(searches.own > searches.others, searches.own, -np.inf)[mated].astype(np.float64)
    false = np.sort(searches.others.astype(np.float64))[::-1]
    mates = searches.people[mated]
    no_false_positive = math.nextafter(float(false[0]), math.inf)
    found = np.isfinite(hits)
    return Identification(
        subjects=len(np.unique(searches.people)),
        faces=len(searches.people),
        mated=len(hits),
        non_mated=len(false),
        at_rank_1=int(found.sum()),
        rank_1_interval=_interval(found, mates),
        points=tuple(_point(fpir, false, hits, mates) for fpir in FPIRS),
        fpir_at_default=float((false >= default_threshold).mean()),
        fnir_at_default=float((hits < default_threshold).mean()),
        fnir_without_false_positive=float((hits < no_false_positive).mean()),
        det=_det(false, hits),
    )


def _point(
    fpir: float, false: NDArray[np.float64], hits: NDArray[np.float64], mates: Numbers
) -> OpenSetPoint:
    threshold = math.nextafter(float(false[allowed_errors(fpir, len(false))]), math.inf)
    known = evidence(fpir, len(false))
    missed = hits < threshold
    told = known is not Evidence.NONE
    return OpenSetPoint(
        fpir=fpir,
        threshold=threshold,
        false_positives=int((false >= threshold).sum()),
        evidence=known,
        fnir=float(missed.mean()) if told else None,
        interval=_interval(missed, mates) if told else None,
    )


def _interval(events: NDArray[np.bool_], people: Numbers) -> Interval:
    """Of the share of events among searches, of which each person has some; the gallery and the
    threshold are taken as given."""
    _, numbers = np.unique(people, return_inverse=True)
    searches = np.bincount(numbers)
    happened = np.bincount(numbers, weights=events)
    drawn = [
        float(weights @ happened / (weights @ searches))
        for weights in people_drawn(len(searches), len(searches))
    ]
    return interval(float(events.mean()), len(searches), drawn)


def _det(false: NDArray[np.float64], hits: NDArray[np.float64]) -> Curve:
    finite = hits[np.isfinite(hits)]
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([false, finite]))[::-1]])
    fpir = (len(false) - np.searchsorted(false[::-1], thresholds, side="left")) / len(false)
    fnir = np.searchsorted(np.sort(hits), thresholds, side="left") / len(hits)
    return thinned(Curve(fpir, fnir, thresholds))
