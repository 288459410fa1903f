"""Recognition models as DeepFace runs them, on the engine that is asked for."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import FacematchError, WeightsInvalid
from service.vision.agreement import Vectors
from service.vision.alignments import Chip
from service.vision.catalogue import ModelSpec
from service.vision.check_inputs import check_chips
from service.vision.deepface_library import find_class, loading, require
from service.vision.dlib_engines import ChipNetwork
from service.vision.engines import DLIB, ONNXRUNTIME, TENSORFLOW
from service.vision.native_inputs import NATIVE_INPUTS
from service.vision.sessions import open_session
from service.vision.threads import ThreadBudget


class Recogniser:
    """One loaded model. `describe` may be called from several threads unless dlib runs it."""

    def __init__(self, spec: ModelSpec, client: Any) -> None:
        self._client = client
        self._spec = spec

    @property
    def network(self) -> Any:
        """What DeepFace's class runs: a session, or a Keras network."""
        return self._client.model

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

    def describe_checks(self) -> Vectors:
        """The vectors of `check_chips`, given in every way in which faces may be given."""
        chips = check_chips(self._spec.input_size)
        vectors = [self.describe(_deepface_batch(chip)) for chip in chips]
        if self._spec.name in NATIVE_INPUTS:
            vectors += [self.describe_chip(chip) for chip in chips]
        return np.stack(vectors)

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


def _deepface_batch(chip: Chip) -> NDArray[np.float32]:
    batch = chip[np.newaxis, :, :, ::-1].astype(np.float32)
    return batch / np.float32(255)


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


def load_recogniser(
    spec: ModelSpec, engine: str, path: Path, home: Path, budget: ThreadBudget
) -> Recogniser:
    """Load the model on that engine; not yet run.

    Args:
        path: for TensorFlow the weights, at DeepFace's place below `home`; else a graph, which may
            lie anywhere unless the model needs a package of its own.

    Raises:
        EngineUnavailable: the engine, or a package that the model needs, is not installed.
        WeightsInvalid: the file is damaged, or not this model's.
    """
    return _loaded(spec, path, lambda: _client(spec, engine, path, home, budget))


def load_reference(spec: ModelSpec, engine: str, path: Path, home: Path) -> Recogniser:
    """DeepFace's own, as it loads it itself, on as many threads as it likes.

    `engine` is the one that the weights are for; for the rest see `load_recogniser`.
    """
    return _loaded(spec, path, lambda: _own_client(spec, engine, home))


def _loaded(spec: ModelSpec, path: Path, build: Callable[[], Any]) -> Recogniser:
    if spec.needs:
        require(spec.needs, f"pip install {spec.needs}")
    try:
        return Recogniser(spec, build())
    except FacematchError:
        raise
    except Exception as error:  # each engine has errors of its own for a damaged file
        raise WeightsInvalid(f"{path}: {_not_weights_of(spec, error)}") from error


def _own_client(spec: ModelSpec, engine: str, home: Path) -> Any:
    with loading(home):
        return find_class("facial_recognition", spec.name, engine)()


def _client(spec: ModelSpec, engine: str, path: Path, home: Path, budget: ThreadBudget) -> Any:
    """DeepFace's class around our session: its own takes a thread for every core, and they spin."""
    if engine == TENSORFLOW:
        from service.vision.keras_client import CompiledClient

        return CompiledClient(_own_client(spec, TENSORFLOW, home).model)
    session = open_session(engine, path, budget)
    if spec.needs:  # InsightFace reads more than the graph off the file
        client = _own_client(spec, ONNXRUNTIME, home)
        client.model.session = session
        return client
    client = object.__new__(find_class("facial_recognition", spec.name, ONNXRUNTIME))
    client.model = session
    return client


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
