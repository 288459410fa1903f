"""Ways to make a good photograph worse by steps, and what measures each."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.heads import turned
from service.domain.faces import DetectedFace
from service.domain.quality import Quality
from service.images import ImageLimits, decode
from service.ports import Picture

JPEG_QUALITY = 90
NOISE = 2.0
"""Deviation, in grey values, of what a camera adds to a dark picture."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """`apply` takes a picture, its face and a level; `steps` divide the values of `measure`."""

    name: str
    measure: Callable[[Quality], float | None]
    levels: tuple[float, ...]
    apply: Callable[[Picture, DetectedFace, float], Picture]
    steps: tuple[float, ...]


def stored(picture: Picture, limits: ImageLimits) -> Picture:
    """The picture as it comes out of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    return decode(file.getvalue(), limits)


def shrunk(picture: Picture, face: DetectedFace, pixels: float) -> Picture:
    """So that the face has that size, or the picture itself if it has less."""
    factor = min(1.0, pixels / face.box.area**0.5)
    return _bytes(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def _blurred(picture: Picture, face: DetectedFace, deviation: float) -> Picture:
    """`deviation` in pixels of a face of 112."""
    return _bytes(cv2.GaussianBlur(picture, (0, 0), deviation * face.box.area**0.5 / 112))


def _darkened(picture: Picture, face: DetectedFace, factor: float) -> Picture:
    noise = np.random.default_rng(0).normal(scale=NOISE, size=picture.shape)
    return _bytes(picture * float(factor) + noise)


def _brightened(picture: Picture, face: DetectedFace, factor: float) -> Picture:
    return _bytes(picture * float(factor))


def _flattened(picture: Picture, face: DetectedFace, factor: float) -> Picture:
    return _bytes(128 + (picture - 128.0) * factor)


def _rolled(picture: Picture, face: DetectedFace, degrees: float) -> Picture:
    return np.asarray(Image.fromarray(picture).rotate(-degrees, Image.Resampling.BICUBIC))


def _bytes(values: Any) -> Picture:
    return np.asarray(np.clip(np.round(values), 0, 255), dtype=np.uint8)


def _side(quality: Quality) -> float | None:
    return None if quality.yaw is None else abs(quality.yaw)


DEGRADATIONS = (
    Degradation(
        "smaller, pixels",
        lambda quality: quality.size,
        (112, 80, 64, 56, 48, 40, 32, 28, 24),
        shrunk,
        (30, 40, 48, 60, 80, 100, 120),
    ),
    Degradation(
        "blurred, deviation in 112 pixels",
        lambda quality: quality.sharpness,
        (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6),
        _blurred,
        (0.1, 0.15, 0.18, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7),
    ),
    Degradation(
        "darker, factor",
        lambda quality: quality.brightness,
        (0.5, 0.35, 0.25, 0.18, 0.12, 0.09, 0.06, 0.04),
        _darkened,
        (4, 6, 8, 10, 12, 15, 20, 30, 40, 60),
    ),
    Degradation(
        "brighter, factor",
        lambda quality: quality.brightness,
        (1.3, 1.6, 2, 2.5, 3, 4, 6),
        _brightened,
        (150, 170, 180, 190, 200, 210, 220, 230, 240, 250),
    ),
    Degradation(
        "flatter, factor",
        lambda quality: quality.contrast,
        (0.5, 0.25, 0.18, 0.12, 0.08, 0.05),
        _flattened,
        (1.5, 2, 3, 4, 5, 6, 8, 10, 15, 30),
    ),
    Degradation(
        "turned, degrees",
        _side,
        (-50, -40, -30, -20, -10, 10, 20, 30, 40, 50),
        turned,
        (0, 10, 20, 30, 35, 40, 45, 50, 55, 60),
    ),
    Degradation(
        "rolled, degrees",
        lambda quality: quality.roll,
        (10, 20, 30, 40, 50),
        _rolled,
        (0, 10, 20, 30, 40, 50),
    ),
)
