"""The models of a process: one analyser for each embedding space, loaded when first needed."""

import logging
import threading
from collections.abc import Callable

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace
from service.errors import ModelUnavailable, RequestInvalid, StartupError
from service.ports import FaceAnalyser, Picture
from service.vision.catalogue import find_model
from service.vision.pool import SlotPool
from service.vision.spaces import chosen_alignment

log = logging.getLogger(__name__)


class InTurn:
    """See `ports.FaceAnalyser`: a model that works only where a worker of the process is free. Each
    model has slots for all of them, so several models would take the cores several times over."""

    def __init__(self, analyser: FaceAnalyser, turns: SlotPool[None]) -> None:
        self._analyser = analyser
        self._turns = turns

    @property
    def space(self) -> EmbeddingSpace:
        return self._analyser.space

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        with self._turns.take():
            return self._analyser.detect(picture, thorough=thorough)

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        with self._turns.take():
            return self._analyser.embed(picture, face)

    def close(self) -> None:
        self._analyser.close()


class LoadedAnalysers:
    """See `ports.Analysers`. `first` stays its owner's; `load` is `load_analyser` with the rest of
    its arguments given; `turns` are the workers that all models share. A loaded model stays until
    the end."""

    def __init__(
        self, first: FaceAnalyser, load: Callable[..., FaceAnalyser], turns: SlotPool[None]
    ) -> None:
        self._first = InTurn(first, turns)
        self._load = load
        self._turns = turns
        self._loaded: list[FaceAnalyser] = []
        self._loading = threading.Lock()

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        found = self._at_hand(space)
        if found is not None:
            return found
        if not self._loading.acquire(timeout=self._turns.timeout_s):
            raise ModelUnavailable(f"A model is being loaded, and {space.describe()} waits for it.")
        try:
            return self._at_hand(space) or self._added(space)
        finally:
            self._loading.release()

    def like(self, model: str, detector: str | None, alignment: Alignment | None) -> FaceAnalyser:
        try:
            spec = find_model(model)
            detector = detector or spec.default_detector
            alignment = chosen_alignment(spec, detector, alignment)
        except StartupError as error:
            raise RequestInvalid(str(error)) from error
        threshold = spec.default_threshold(alignment)
        return self.of(
            EmbeddingSpace(spec.name, spec.dimension, None, detector, alignment, threshold)
        )

    def usual(self, model: str | None) -> FaceAnalyser:
        if model is None or model == self._first.space.model:
            return self._first
        return self.like(model, None, None)

    def _at_hand(self, space: EmbeddingSpace) -> FaceAnalyser | None:
        everyone = (self._first, *self._loaded)
        return next((each for each in everyone if space.serves(each.space)), None)

    def _added(self, space: EmbeddingSpace) -> FaceAnalyser:
        log.info("loading %s", space.describe())
        try:
            analyser = self._load(
                space.model,
                detector=space.detector,
                alignment=space.alignment,
                weights_sha256=space.weights_sha256,
            )
        except StartupError as error:
            raise ModelUnavailable(
                f"This replica cannot make embeddings of {space.describe()}: {error}"
            ) from error
        if not space.serves(analyser.space):
            analyser.close()
            raise ModelUnavailable(
                f"This replica has other weights of {space.model} than those that the gallery's "
                "embeddings were made with; put the same file on every replica."
            )
        shared = InTurn(analyser, self._turns)
        self._loaded.append(shared)
        return shared

    def close(self) -> None:
        while self._loaded:
            self._loaded.pop().close()
