"""The models of a process: one analyser for each embedding space, loaded when first needed."""

import logging
import threading
from collections.abc import Callable

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.errors import ModelUnavailable, RequestInvalid, StartupError
from service.ports import FaceAnalyser
from service.vision.catalogue import find_model
from service.vision.spaces import chosen_alignment

log = logging.getLogger(__name__)


class LoadedAnalysers:
    """See `ports.Analysers`. `first` stays its owner's; `load` is `load_analyser` with the rest of
    its arguments given. A loaded model stays until the end."""

    def __init__(self, first: FaceAnalyser, load: Callable[..., FaceAnalyser]) -> None:
        self._first = first
        self._load = load
        self._loaded: list[FaceAnalyser] = []
        self._loading = threading.Lock()

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        found = self._at_hand(space)
        if found is not None:
            return found
        with self._loading:
            found = self._at_hand(space)
            return found or self._added(space)

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
        self._loaded.append(analyser)
        return analyser

    def close(self) -> None:
        while self._loaded:
            self._loaded.pop().close()
