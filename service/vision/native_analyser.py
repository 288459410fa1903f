"""DeepFace's models with the alignment and the input that they were trained with."""

from collections.abc import Callable

import numpy as np

from service.domain.embeddings import Embedding, EmbeddingSpace, unit
from service.domain.faces import DetectedFace
from service.ports import Picture
from service.vision.dlib_analyser import FaceFinder
from service.vision.native_inputs import NATIVE_INPUTS
from service.vision.pool import SlotPool
from service.vision.quality import rated
from service.vision.recognisers import Recogniser


class NativeAnalyser:
    """`FaceAnalyser` with `alignment=native` for the models of `NATIVE_INPUTS`.

    `finder` is called once for every worker; the recogniser is shared by them.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        recogniser: Recogniser,
        finder: Callable[[], FaceFinder],
        *,
        workers: int,
        timeout_s: float,
    ) -> None:
        self._space = space
        self._cut = NATIVE_INPUTS[space.model].cut
        self._recogniser = recogniser
        self._recogniser.try_out()
        self._finders = SlotPool(finder, workers, timeout_s)

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """Faces, largest first, with five landmarks each; see `FaceAnalyser.detect`."""
        with self._finders.take() as finder:
            whole = np.ascontiguousarray(picture)
            found = finder.detect(whole, thorough)
            faces = [rated(whole, face, self._space.detector) for face in found]
        return tuple(sorted(faces, key=lambda face: face.box.area, reverse=True))

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The unit vector of one face; see `FaceAnalyser.embed`.

        Raises:
            FaceNotDetected: nothing of the face lies in the picture.
        """
        with self._finders.take():
            chip = self._cut(np.ascontiguousarray(picture), face, self._space.detector)
            raw = self._recogniser.describe_chip(chip)
        return unit(raw, self._space.dimension)

    def close(self) -> None:
        """Nothing is held but memory."""
