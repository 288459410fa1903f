"""dlib's recognition network on dlib itself, the reference, and on the engines of graphs."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.ports import Picture
from service.vision.dlib_files import read_recogniser
from service.vision.dlib_graph import INPUT, OUTPUT
from service.vision.sessions import Session


class ChipNetwork(Protocol):
    """From a chip, shape (150, 150, 3), uint8, RGB, to the raw descriptor, shape (128,), float64,
    whose length is not 1."""

    def describe(self, chip: Picture) -> NDArray[np.float64]: ...


class ReferenceNetwork:
    """dlib's own. It holds the GIL while it runs and may not be shared between threads.

    Raises:
        WeightsInvalid: the file is not a complete dlib model.
    """

    def __init__(self, weights: Path) -> None:
        self._network = read_recogniser(weights)

    def describe(self, chip: Picture) -> NDArray[np.float64]:
        return np.asarray(self._network.compute_face_descriptor(chip), dtype=np.float64)


class GraphNetwork:
    """The graph of `build_graph` in a session. Safe to share; the GIL is free while it runs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def describe(self, chip: Picture) -> NDArray[np.float64]:
        (descriptors,) = self._session.run([OUTPUT], {INPUT: chip[np.newaxis]})
        return np.asarray(descriptors[0], dtype=np.float64)
