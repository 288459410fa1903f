"""What each network was trained to be given: the numbers made of a chip's pixels.

All of these networks saw RGB; DeepFace gives them BGR from 0 to 1. docs/models.md has the sources.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.domain.faces import DetectedFace
from service.ports import Picture
from service.vision.alignments import Chip, facenet_chip, template_chip

MIDDLE, HALF = 127.5, 128.0


def centred(chip: Chip) -> NDArray[np.float32]:
    """Shape (1, side, side, 3), RGB, (value - 127.5) / 128, so -0.996..0.996.

    Keras_insightface's evals.py (ArcFace), GhostFaceNets' eval_folder.py, and facenet's
    `--use_fixed_image_standardization`, with which 20180402-114759 (Facenet512) was trained.
    """
    values = chip.astype(np.float32)[np.newaxis]
    return (values - np.float32(MIDDLE)) / np.float32(HALF)


def whitened(chip: Chip) -> NDArray[np.float32]:
    """Shape (1, side, side, 3), RGB, mean 0 and deviation 1 over the whole chip.

    `prewhiten` in facenet's facenet.py, which is TensorFlow's per_image_standardization, with
    which 20170512-110547 (Facenet) was trained.
    """
    values = chip.astype(np.float64)
    deviation = max(float(values.std()), 1 / np.sqrt(values.size))
    return np.asarray((values - values.mean()) / deviation, dtype=np.float32)[np.newaxis]


def planes(chip: Chip) -> NDArray[np.float32]:
    """Shape (1, 3, side, side), RGB, 0..255: `FaceRecognizerSFImpl::feature` in OpenCV's
    face_recognize.cpp (SFace; the network scales for itself)."""
    return np.ascontiguousarray(chip.transpose(2, 0, 1), dtype=np.float32)[np.newaxis]


def reversed_channels(chip: Chip) -> Chip:
    """Shape (side, side, 3), uint8, BGR, 0..255: what InsightFace's `get_feat` takes (Buffalo_L);
    it makes RGB and (value - 127.5) / 127.5 of it by itself."""
    return np.ascontiguousarray(chip[:, :, ::-1])


@dataclass(frozen=True, slots=True)
class NativeInput:
    """`cut` takes a picture, a face found in it and the detector's name."""

    cut: Callable[[Picture, DetectedFace, str], Chip]
    prepare: Callable[[Chip], NDArray[Any]]


NATIVE_INPUTS: dict[str, NativeInput] = {
    "ArcFace": NativeInput(template_chip, centred),
    "GhostFaceNet": NativeInput(template_chip, centred),
    "SFace": NativeInput(template_chip, planes),
    "Buffalo_L": NativeInput(template_chip, reversed_channels),
    "Facenet": NativeInput(facenet_chip, whitened),
    "Facenet512": NativeInput(facenet_chip, centred),
}
"""By the model's name. Dlib takes its own chip as it is."""
