"""Keras weights as an ONNX graph: made once, and kept beside the weights.

The name of what is kept has the digest of the weights, and the version of DeepFace, whose code
builds the network, and of ours; of other versions nothing is left.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from importlib import metadata
from pathlib import Path

import numpy as np

from service.errors import EngineUnavailable, WeightsInvalid
from service.vision.agreement import Vectors
from service.vision.catalogue import ModelSpec
from service.vision.deepface_library import require_tensorflow
from service.vision.weights import Weights, file_digest, keep_digest, kept_digest

VERSION = 1
"""Raise it whenever `build_graph` would make another graph of the same weights."""

TIMEOUT_S = 900
"""It takes 10 to 30 s on two cores."""

TEMPORARY = ".converting-"

# what the process of `keras_export` leaves in its folder, and its exit status for bad weights
GRAPH = "graph.onnx"
REFERENCE = "reference.npy"
EXIT_WEIGHTS = 3


@dataclass(frozen=True, slots=True)
class Conversion:
    """`reference` has the vectors that DeepFace's own Keras network gives."""

    graph: Path
    reference: Path

    @classmethod
    def of(cls, weights: Weights) -> "Conversion":
        """Where the conversion of these weights belongs."""
        stem = _stem(weights)
        folder = weights.path.parent
        return cls(folder / f"{stem}.onnx", folder / f"{stem}.reference.npy")

    def digest(self) -> str | None:
        """Of the graph, if both files are there and whole."""
        for path in (self.reference, self.graph):
            digest = file_digest(path) if path.is_file() else None
            if digest is None or digest != kept_digest(path):
                return None
        return digest

    def vectors(self) -> Vectors:
        return np.asarray(np.load(self.reference), dtype=np.float64)


def convert(
    spec: ModelSpec, weights: Weights, *, deepface: Path, home: Path
) -> tuple[Conversion, str]:
    """The conversion and its graph's digest, made now if it is not there. One process makes it
    while others wait.

    Args:
        deepface: the DeepFace home that the weights lie in, at their place.
        home: FACEMATCH_HOME, where is kept what is found out on the way.

    Raises:
        WeightsInvalid: the weights are not the model's.
        EngineUnavailable: TensorFlow is not installed, or the folder cannot be written to.
    """
    conversion = Conversion.of(weights)
    digest = conversion.digest()
    if digest is None:
        require_tensorflow()
        with _alone_in(weights.path.parent):
            digest = conversion.digest() or _make(spec, weights, deepface, home)
    return conversion, digest


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The kernel gives the lock back however this process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(spec: ModelSpec, weights: Weights, deepface: Path, home: Path) -> str:
    conversion = Conversion.of(weights)
    for left in weights.path.parent.glob(f"{TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)  # by a process that was killed: we are alone here
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=weights.path.parent) as folder:
            _export(spec.name, deepface, home, Path(folder))
            (Path(folder) / REFERENCE).replace(conversion.reference)
            (Path(folder) / GRAPH).replace(conversion.graph)
            keep_digest(conversion.reference, file_digest(conversion.reference))
            digest = file_digest(conversion.graph)
            keep_digest(conversion.graph, digest)
    except OSError as error:
        raise EngineUnavailable(
            f"{weights.path} could not be converted: {error}. Make the folder writable, or use "
            "ENGINE=tensorflow."
        ) from error
    forget_other_conversions(weights)
    return digest


def _export(model: str, deepface: Path, home: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "service.vision.keras_export", model, deepface, home, folder]
    try:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EngineUnavailable(
            f"Converting the weights of {model} took longer than {TIMEOUT_S} s; try again "
            "while the machine has less to do."
        ) from error
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode == EXIT_WEIGHTS:
        raise WeightsInvalid(last)
    if done.returncode != 0:
        raise EngineUnavailable(
            f"The weights of {model} could not be converted (exit status {done.returncode}, "
            f"-9 when memory ran out): {last[:300]}"
        )


def forget_other_conversions(weights: Weights) -> None:
    """Delete what was made of other weights in the same place, or by other versions."""
    ours = _stem(weights)
    for path in weights.path.parent.glob(f"{escape(weights.path.name)}.{'?' * 64}.*"):
        if not path.name.startswith(f"{ours}."):
            path.unlink(missing_ok=True)


def _stem(weights: Weights) -> str:
    return f"{weights.path.name}.{weights.sha256}.{VERSION}-deepface{metadata.version('deepface')}"
