"""dlib's network loaded for its engine; onnxruntime only once it agrees with dlib itself."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from service.errors import WeightsInvalid
from service.ports import Picture
from service.vision.agreement import Candidate, lowest_cosine, require_agreement
from service.vision.catalogue import DLIB, ONNXRUNTIME
from service.vision.dlib_analyser import CHIP_SIZE, DlibSlot
from service.vision.dlib_engines import ChipNetwork, OnnxNetwork, ReferenceNetwork
from service.vision.dlib_graph import build_graph
from service.vision.dlib_network import read_network

GRAINS = (1, 5, 25, 75)
"""Sides, in pixels, of the coloured squares in the generated chips: noise up to large areas."""


def load_networks(
    engine: str, weights: Path, weights_sha256: str, *, home: Path, threads: int
) -> Callable[[], ChipNetwork]:
    """What gives each worker its network: on onnxruntime one for all, on dlib one each.

    Args:
        home: FACEMATCH_HOME, where the agreement is kept.
        threads: of onnxruntime, beside the calling one's own work.

    Raises:
        WeightsInvalid: the file is not a complete dlib model, or onnxruntime does not agree.
    """
    if engine == DLIB:
        return lambda: ReferenceNetwork(weights)
    shared = agreeing_network(weights, weights_sha256, home=home, threads=threads)
    return lambda: shared


def agreeing_network(
    weights: Path, weights_sha256: str, *, home: Path, threads: int = 1
) -> OnnxNetwork:
    """The network on onnxruntime, checked against dlib now or before. See `load_networks`."""
    import onnxruntime

    network = OnnxNetwork(build_graph(read_network(weights)), threads)
    candidate = Candidate(
        model="Dlib",
        weights_sha256=weights_sha256,
        engine=ONNXRUNTIME,
        engine_version=onnxruntime.__version__,
        program_sha256=network.sha256,
    )

    def measure() -> float:
        return lowest_cosine(check_chips(), network.describe, ReferenceNetwork(weights).describe)

    require_agreement(candidate, home, measure)
    return network


@cache
def check_chips() -> tuple[Picture, ...]:
    """A real face in several lights, then generated chips; shape (150, 150, 3), uint8, RGB."""
    return (*_variants(smoke_chip()), *_generated())


def smoke_chip() -> Picture:
    """The chip of the face in the photograph that comes with the package."""
    import cv2

    data = resources.files("service").joinpath("cli", "smoke.jpg").read_bytes()
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise WeightsInvalid("The package's own photograph, smoke.jpg, is damaged: install anew.")
    picture = np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)
    slot = DlibSlot()
    (face,) = slot.detect(picture)
    return slot.chip(picture, face)


def _variants(chip: Picture) -> Iterator[Picture]:
    yield chip
    yield np.ascontiguousarray(chip[:, ::-1])
    yield chip // 2
    yield 255 - chip


def _generated() -> Iterator[Picture]:
    random = np.random.default_rng(0)
    for grain in GRAINS:
        side = CHIP_SIZE // grain
        squares = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
        yield squares.repeat(grain, axis=0).repeat(grain, axis=1)
