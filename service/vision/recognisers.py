"""Recognition models as DeepFace runs them, on the engine that their weights are for."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import SettingsInvalid, WeightsInvalid
from service.vision.alignments import Chip
from service.vision.catalogue import DLIB, ENGINES, ONNXRUNTIME, TENSORFLOW, ModelSpec
from service.vision.deepface_library import find_class, loading, require
from service.vision.dlib_engines import ChipNetwork, ReferenceNetwork
from service.vision.native_inputs import NATIVE_INPUTS
from service.vision.onnx_sessions import open_session
from service.vision.weights import present


class Recogniser:
    """One loaded model. `describe` may be called from several threads unless dlib runs it."""

    def __init__(self, spec: ModelSpec, client: Any) -> None:
        self._client = client
        self._spec = spec

    def describe(self, batch: NDArray[np.floating]) -> NDArray[np.float64]:
        """The raw vector of one face; its length is not 1.

        Args:
            batch: shape (1, height, width, 3) as DeepFace's `resize_image` makes it: BGR, 0..1.
        """
        return np.asarray(self._client.forward(batch), dtype=np.float64).reshape(-1)

    def describe_chip(self, chip: Chip) -> NDArray[np.float64]:
        """The raw vector of one aligned face, given to the network as it was trained.

        Args:
            chip: as the model's `NativeInput.cut` makes it.

        Raises:
            KeyError: the model is none of `NATIVE_INPUTS`.
        """
        prepared = NATIVE_INPUTS[self._spec.name].prepare(chip)
        call = _CALLS.get(self._spec.name, _forward)
        return np.asarray(call(self._client, prepared), dtype=np.float64).reshape(-1)

    def try_out(self) -> None:
        """Run once, so that no request pays for the first run, and see that it is the model.

        Raises:
            WeightsInvalid: it does not run, or its vector has another size or is not finite.
        """
        width, height = self._spec.input_size
        noise = np.random.default_rng(0).random((1, height, width, 3), dtype=np.float32)
        try:
            vector = self.describe(noise)
        except Exception as error:  # engines raise what they like on a foreign graph
            raise WeightsInvalid(_not_weights_of(self._spec, error)) from error
        if vector.shape != (self._spec.dimension,) or not np.isfinite(vector).all():
            raise WeightsInvalid(
                f"The weights are not those of {self._spec.name}: they give {vector.size} values "
                f"({np.count_nonzero(np.isfinite(vector))} of them finite), "
                f"not {self._spec.dimension}."
            )


def _forward(client: Any, batch: NDArray[Any]) -> Any:
    """DeepFace's Keras and ONNX classes pass the batch on as it is."""
    return client.forward(batch)


def _session(client: Any, batch: NDArray[Any]) -> Any:
    """DeepFace's class for SFace would scale and turn the batch."""
    return client.model.run(None, {client.model.get_inputs()[0].name: batch})[0]


def _features(client: Any, chip: NDArray[Any]) -> Any:
    """InsightFace's own call, without DeepFace's way from 0..1 back to 0..255."""
    return client.model.get_feat(chip)


_CALLS: dict[str, Callable[[Any, NDArray[Any]], Any]] = {
    "SFace": _session,
    "Buffalo_L": _features,
}


def choose_engine(spec: ModelSpec, engine: str, home: Path) -> str:
    """The engine to run on: what was asked for, or whichever has its weights at hand.

    With the weights of several engines at hand, or of none, onnxruntime is taken.

    Raises:
        SettingsInvalid: there is no such engine.
    """
    if engine not in ("auto", *ENGINES):
        raise SettingsInvalid(f"ENGINE: there is no '{engine}'; use auto, {', '.join(ENGINES)}")
    if engine != "auto":
        return engine
    at_hand = [file.engine for file in spec.weights if present(file, home)]
    return TENSORFLOW if at_hand == [TENSORFLOW] else ONNXRUNTIME


def load_recogniser(
    spec: ModelSpec, engine: str, weights: Path, home: Path, threads: int = 1
) -> Recogniser:
    """Load the model from `weights`, which lies at DeepFace's place below `home`; not yet run.

    Dlib is loaded as the reference, whatever the engine. `threads` work on one face on
    onnxruntime; models that need a package of their own have as many as that gives them.

    Raises:
        EngineUnavailable: the engine, or a package that the model needs, is not installed.
        WeightsInvalid: the file is damaged, or not this model's.
    """
    if spec.weights_for(DLIB):
        return dlib_recogniser(spec, ReferenceNetwork(weights))
    if spec.needs:
        require(spec.needs, f"pip install {spec.needs}")
    with loading(home):
        build = find_class("facial_recognition", spec.name, engine)
        try:
            client = build()
            if engine == ONNXRUNTIME and not spec.needs:
                # DeepFace's own session takes a thread for every core and lets them spin
                client.model = open_session(weights, threads)
            return Recogniser(spec, client)
        except Exception as error:  # each engine has errors of its own for a damaged file
            raise WeightsInvalid(f"{weights}: {_not_weights_of(spec, error)}") from error


def dlib_recogniser(spec: ModelSpec, network: ChipNetwork) -> Recogniser:
    """DeepFace's client for dlib around our network: its own constructor would download one."""

    def descriptors(chips: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        return [network.describe(np.ascontiguousarray(chip)) for chip in chips]

    client = object.__new__(find_class("facial_recognition", "Dlib", DLIB))
    client.model = SimpleNamespace(model=SimpleNamespace(compute_face_descriptor=descriptors))
    return Recogniser(spec, client)


def _not_weights_of(spec: ModelSpec, error: Exception) -> str:
    cause = error.__cause__ or error
    first_line = next(iter(str(cause).splitlines()), type(cause).__name__)
    return f"not complete weights of {spec.name} ({first_line[:200]})"
