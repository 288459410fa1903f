"""Whether an engine gives the vectors of the reference, measured once and kept.

An embedding space names its weights, not the engine that ran them; so an engine may serve only
once it was seen to agree with the reference on the same inputs.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid

LEAST_COSINE = 0.9999

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From one input of the model to its raw vector."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to be trusted: an engine of that version running these weights.

    `program_sha256` is the digest of what the engine runs, where that was made of the weights by
    us: another release may make it differently.
    """

    model: str
    weights_sha256: str
    engine: str
    engine_version: str
    program_sha256: str

    def record(self, home: Path) -> Path:
        name = f"{self.weights_sha256}-{self.engine}-{self.engine_version}.json"
        return home / "agreements" / name


def require_agreement(candidate: Candidate, home: Path, measure: Callable[[], float]) -> None:
    """Return if the candidate was seen to agree before, or does now; then that is kept.

    Args:
        home: FACEMATCH_HOME; the record goes into its folder `agreements`.
        measure: gives the lowest cosine between the candidate's and the reference's vectors;
            called only when there is no record.

    Raises:
        WeightsInvalid: they do not agree. Nothing is kept, so the next start measures again.
    """
    if _agreed_before(candidate, home):
        return
    cosine = measure()
    if not cosine >= LEAST_COSINE:
        raise WeightsInvalid(
            f"{candidate.model} on {candidate.engine} {candidate.engine_version} does not give "
            f"the reference's vectors: their cosine is {cosine:.6f} at worst, and "
            f"{LEAST_COSINE} is needed. Use another ENGINE."
        )
    _keep(candidate, home, cosine)


def lowest_cosine(
    inputs: Iterable[NDArray[np.uint8]], candidate: Describe, reference: Describe
) -> float:
    """The lowest cosine, -1..1, between the vectors of both; NaN if a vector has none."""
    cosines = [_cosine(candidate(one), reference(one)) for one in inputs]
    return float(np.min(cosines))


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if one.shape != other.shape:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _agreed_before(candidate: Candidate, home: Path) -> bool:
    try:
        kept = json.loads(candidate.record(home).read_text(encoding="utf-8"))
        cosine = float(kept.pop("cosine"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # an unreadable record is none
    return bool(kept == asdict(candidate) and cosine >= LEAST_COSINE)


def _keep(candidate: Candidate, home: Path, cosine: float) -> None:
    """Best effort: the folder may be read-only, and then the next start measures again."""
    path = candidate.record(home)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps({**asdict(candidate), "cosine": cosine}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
