"""Recognition models, as far as callers need to know them."""

from dataclasses import dataclass

from service.domain.embeddings import Alignment


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """A weights file. `engines`: all that it can run on; `present`: it is on this machine.
    `size_bytes` is None where no source states it, `sha256` where none is kept beside the file."""

    file: str
    engines: tuple[str, ...]
    present: bool
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Model:
    """`input_size` is (width, height) in pixels. `thresholds`: a new gallery's first one, on cosine
    similarity, for each alignment that the model has. `commercial_use` is None where upstream does
    not say. `engine` is what would run it here, None where its weights are missing."""

    name: str
    dimension: int
    input_size: tuple[int, int]
    default_detector: str
    default_alignment: Alignment
    thresholds: tuple[tuple[Alignment, float], ...]
    licence: str
    commercial_use: bool | None
    weights: tuple[ModelWeights, ...]
    engine: str | None
