"""Templates: photographs brought to embeddings by the path that serves probes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Embedding
from service.domain.faces import DetectedFace
from service.domain.quality import QualityPolicy, QualityRules, check
from service.errors import FaceNotDetected, FaceUnfit, RequestError
from service.evaluation.pairs import Numbers
from service.evaluation.photographs import Photograph
from service.images import ImageLimits, decode, too_many_bytes
from service.ports import FaceAnalyser

CHUNK = 16_384
"""Pairs whose vectors are gathered at once: 70 MB at 512 dimensions."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A photograph, and why it got no template, or would not be enrolled.

    `codes` are those of the error (`no_face`), or of a poor face the reasons (`too_blurred`).
    """

    name: str
    reason: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Templates:
    """`embeddings` has dtype float32 and shape (n, dimension), unit length; `rows` has shape
    (photographs,) and says in which row a photograph's is, -1 where it was skipped. `seconds` has
    shape (n,): decoding, detection and embedding of each, one after the other. `skipped` have no
    template, `unfit` have one and would be refused at enrolment."""

    embeddings: NDArray[np.float32]
    rows: Numbers
    seconds: NDArray[np.float64]
    skipped: tuple[Refused, ...]
    unfit: tuple[Refused, ...] = ()

    def similarities(self, one: Numbers, other: Numbers) -> NDArray[np.float32]:
        """Cosine similarities, shape (n,), of photographs by number; none may be a skipped one."""
        scores = np.empty(len(one), dtype=np.float32)
        for start in range(0, len(one), CHUNK):
            part = slice(start, start + CHUNK)
            left = self.embeddings[self.rows[one[part]]]
            right = self.embeddings[self.rows[other[part]]]
            np.einsum("ij,ij->i", left, right, out=scores[part])
        return scores


def make_templates(
    analyser: FaceAnalyser,
    limits: ImageLimits,
    quality: QualityPolicy,
    photographs: Sequence[Photograph],
    advance: Callable[[], None] = lambda: None,
) -> Templates:
    """Embed the largest face of every photograph, as a probe's is; one picture is in memory.

    A face that a search would refuse for its quality is skipped; one that only enrolment would
    refuse is embedded, and named.

    `advance` is called after each photograph.

    Raises:
        Overloaded: somebody else uses the analyser.
    """
    embeddings = np.empty((len(photographs), analyser.space.dimension), dtype=np.float32)
    rows = np.full(len(photographs), -1, dtype=np.int64)
    seconds: list[float] = []
    skipped: list[Refused] = []
    unfit: list[Refused] = []
    for number, photograph in enumerate(photographs):
        try:
            face, embedding, taken = _template(analyser, limits, quality.search, photograph)
        except (RequestError, OSError) as error:
            skipped.append(_refused(photograph, error))
        else:
            embeddings[len(seconds)] = embedding
            rows[number] = len(seconds)
            seconds.append(taken)
            unfit.extend(_unfit(photograph, face, quality.enrolment))
        advance()
    return Templates(
        embeddings[: len(seconds)], rows, np.array(seconds), tuple(skipped), tuple(unfit)
    )


def _refused(photograph: Photograph, error: RequestError | OSError) -> Refused:
    codes: tuple[str, ...] = ("unreadable",)
    if isinstance(error, RequestError):
        codes = error.reasons if isinstance(error, FaceUnfit) else (error.code,)
    return Refused(photograph.name, str(error), codes)


def _unfit(photograph: Photograph, face: DetectedFace, rules: QualityRules) -> Iterator[Refused]:
    try:
        check(face.quality, rules)
    except FaceUnfit as error:
        yield _refused(photograph, error)


def _template(
    analyser: FaceAnalyser, limits: ImageLimits, rules: QualityRules, photograph: Photograph
) -> tuple[DetectedFace, Embedding, float]:
    if photograph.path.stat().st_size > limits.max_bytes:
        raise too_many_bytes(limits)
    data = photograph.path.read_bytes()
    start = time.perf_counter()
    with limits.gate.place():
        picture = decode(data, limits)
        faces = analyser.detect(picture)
        if not faces:
            raise FaceNotDetected
        check(faces[0].quality, rules)
        embedding = analyser.embed(picture, faces[0])
    return faces[0], embedding, time.perf_counter() - start
