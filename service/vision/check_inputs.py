"""The faces on which two engines are compared."""

from collections.abc import Iterator
from functools import cache
from importlib import resources

import numpy as np

from service.errors import WeightsInvalid
from service.ports import Picture
from service.vision.dlib_analyser import CHIP_SIZE, DlibSlot

GRAINS = (1, 5, 25, 75)
"""Sides, in pixels, of the coloured squares in the generated chips: noise up to large areas."""


@cache
def check_chips(size: tuple[int, int] = (CHIP_SIZE, CHIP_SIZE)) -> tuple[Picture, ...]:
    """A real face in several lights, then generated chips.

    Each has the shape (height, width, 3), uint8, RGB; `size` is (width, height).
    """
    chips = (*_variants(smoke_chip()), *_generated())
    return chips if size == (CHIP_SIZE, CHIP_SIZE) else tuple(_resized(chips, size))


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


def _resized(chips: tuple[Picture, ...], size: tuple[int, int]) -> Iterator[Picture]:
    import cv2

    for chip in chips:
        yield np.asarray(cv2.resize(chip, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
