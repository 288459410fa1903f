"""Runs: one model with its detector, alignment and engine, measured on labelled photographs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from service.domain.embeddings import EmbeddingSpace
from service.domain.quality import QualityPolicy
from service.errors import InputFileInvalid
from service.evaluation.identification import Identification, identify, search_all
from service.evaluation.labels import Labels
from service.evaluation.pairs import people_of
from service.evaluation.scores import Histogram, Scores, Side, histogram, score_pairs
from service.evaluation.templates import Refused, Templates, make_templates
from service.evaluation.verification import Verification, verify
from service.images import ImageLimits
from service.ports import FaceAnalyser

HARDEST = 5


@dataclass(frozen=True, slots=True)
class HardPair:
    """A pair near the other kind, by the names of its photographs."""

    one: str
    other: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a photograph that got a template: decoding, detection and embedding, one
    photograph at a time; reading the file is not counted."""

    median: float
    percentile_95: float
    slowest: float


@dataclass(frozen=True, slots=True)
class Run:
    """`engine` is as asked for; `contradictions` counts pairs labelled as two people though other
    labels make them one; `drawn` says that only a random part of all pairs was compared; `unfit`
    photographs took part and would be refused at enrolment."""

    engine: str
    space: EmbeddingSpace
    photographs: int
    skipped: tuple[Refused, ...]
    unfit: tuple[Refused, ...]
    seconds: Timing
    verification: Verification
    identification: Identification | None
    histogram: Histogram
    lowest_genuine: tuple[HardPair, ...]
    highest_impostors: tuple[HardPair, ...]
    contradictions: int
    drawn: bool

    @property
    def label(self) -> str:
        engine = "" if self.engine == "auto" else f", {self.engine}"
        return f"{self.space.model}, {self.space.alignment}, {self.space.detector}{engine}"


def measure(
    analyser: FaceAnalyser,
    limits: ImageLimits,
    quality: QualityPolicy,
    labels: Labels,
    engine: str,
    advance: Callable[[], None] = lambda: None,
) -> Run:
    """Embed the photographs, compare them as the labels say, and measure.

    `advance` is called after each photograph.

    Raises:
        InputFileInvalid: no pair of one person, or none of two, is left with templates.
    """
    templates = make_templates(analyser, limits, quality, labels.photographs, advance)
    people, contradictions = people_of(labels.pairs, len(labels.photographs), labels.people)
    scores = score_pairs(templates, labels.pairs, people)
    _check(scores, templates)
    threshold = analyser.space.default_threshold
    return Run(
        engine=engine,
        space=analyser.space,
        photographs=len(labels.photographs),
        skipped=templates.skipped,
        unfit=templates.unfit,
        seconds=_timing(templates),
        verification=verify(scores, threshold),
        identification=None
        if labels.people is None
        else identify(search_all(templates, labels.people), threshold),
        histogram=histogram(scores),
        lowest_genuine=_hardest(scores.genuine, labels, slice(None, -HARDEST - 1, -1)),
        highest_impostors=_hardest(scores.impostors, labels, slice(HARDEST)),
        contradictions=contradictions,
        drawn=labels.pairs.drawn,
    )


def _check(scores: Scores, templates: Templates) -> None:
    for side, what in ((scores.genuine, "one person"), (scores.impostors, "two people")):
        if not len(side):
            first = templates.skipped[0]
            raise InputFileInvalid(
                f"No pair of {what} is left: {len(templates.skipped)} photographs were skipped, "
                f"the first '{first.name}': {first.reason}"
            )


def _timing(templates: Templates) -> Timing:
    median, percentile_95, slowest = np.percentile(templates.seconds, [50, 95, 100])
    return Timing(float(median), float(percentile_95), float(slowest))


def _hardest(side: Side, labels: Labels, chosen: slice) -> tuple[HardPair, ...]:
    rows = zip(side.one[chosen], side.other[chosen], side.scores[chosen], strict=True)
    names = [photograph.name for photograph in labels.photographs]
    return tuple(HardPair(names[one], names[other], float(score)) for one, other, score in rows)
