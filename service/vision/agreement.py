"""Whether an engine gives the vectors of the reference, measured once and kept.

An embedding space names its weights, not the engine that ran them; so an engine may serve only
once it was seen to agree with the reference on the same inputs. The reference is DeepFace's own
call, and for Dlib dlib itself. In the same way two weights files of one model are one embedding
space only once their vectors were seen to agree.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid
from service.vision.engines import OPENVINO_BF16
from service.vision.sessions import engine_version

LEAST_COSINE = 0.9999
LEAST_COSINE_BFLOAT16 = 0.999
"""bfloat16 has eight bits of mantissa; docs/models.md says what that does to similarities."""

Vectors = NDArray[np.float64]
"""Raw vectors, shape (inputs, dimension), one for each input, in the same order everywhere."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to be trusted: an engine of that version running these weights.

    `program_sha256` is the digest of what the engine runs: of the weights, or of the graph that
    was made of them by us, for another release may make it differently.
    """

    model: str
    weights_sha256: str
    engine: str
    engine_version: str
    program_sha256: str

    @classmethod
    def of(cls, model: str, engine: str, weights_sha256: str, program_sha256: str = "") -> Self:
        """`program_sha256` is left out where the weights themselves are run."""
        return cls(
            model=model,
            weights_sha256=weights_sha256,
            engine=engine,
            engine_version=engine_version(engine),
            program_sha256=program_sha256 or weights_sha256,
        )

    @property
    def least_cosine(self) -> float:
        return LEAST_COSINE_BFLOAT16 if self.engine == OPENVINO_BF16 else LEAST_COSINE

    def record(self, home: Path) -> Path:
        name = f"{self.weights_sha256}-{self.engine}-{self.engine_version}.json"
        return home / "agreements" / name


@dataclass(frozen=True, slots=True)
class SameSpace:
    """Two weights files of one model, by their digests in ascending order."""

    model: str
    weights_sha256: tuple[str, str]

    @classmethod
    def of(cls, model: str, one: str, other: str) -> Self:
        first, second = sorted((one, other))
        return cls(model, (first, second))

    @property
    def least_cosine(self) -> float:
        return LEAST_COSINE

    def record(self, home: Path) -> Path:
        return home / "agreements" / f"{'-'.join(self.weights_sha256)}.json"


def require_agreement(candidate: Candidate, home: Path, measure: Callable[[], float]) -> None:
    """Return if the candidate was seen to agree before, or does now; then that is kept.

    Args:
        home: FACEMATCH_HOME; the record goes into its folder `agreements`.
        measure: gives the lowest cosine between the candidate's and the reference's vectors;
            called only when there is no record.

    Raises:
        WeightsInvalid: they do not agree. Nothing is kept, so the next start measures again.
    """
    if agreed_before(candidate, home):
        return
    cosine = measure()
    if not cosine >= candidate.least_cosine:
        raise WeightsInvalid(
            f"{candidate.model} on {candidate.engine} {candidate.engine_version} does not give "
            f"the reference's vectors: their cosine is {cosine:.6f} at worst, and "
            f"{candidate.least_cosine} is needed. Use another ENGINE."
        )
    _keep(candidate, home, cosine)


def compare_files(files: SameSpace, home: Path, one: Vectors, other: Vectors) -> None:
    """Keep that the files are one embedding space, if their references' vectors agree."""
    cosine = lowest_cosine(one, other)
    if cosine >= files.least_cosine:
        _keep(files, home, cosine)


def lowest_cosine(one: Vectors, other: Vectors) -> float:
    """The lowest cosine, -1..1, between the vectors of both; NaN if a vector has none."""
    if one.shape != other.shape:
        return float("nan")
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.min((one * other).sum(axis=1) / lengths))


def agreed_before(claim: Candidate | SameSpace, home: Path) -> bool:
    """Whether there is a record of it."""
    try:
        kept = json.loads(claim.record(home).read_text(encoding="utf-8"))
        cosine = float(kept.pop("cosine"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # an unreadable record is none
    return bool(kept == json.loads(json.dumps(asdict(claim))) and cosine >= claim.least_cosine)


def _keep(claim: Candidate | SameSpace, home: Path, cosine: float) -> None:
    """Best effort: the folder may be read-only, and then the next start measures again."""
    path = claim.record(home)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps({**asdict(claim), "cosine": cosine}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
