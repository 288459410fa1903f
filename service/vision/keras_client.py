"""DeepFace's Keras networks, compiled once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class CompiledClient:
    """Called as DeepFace's own class is, around the network that one has in `model`.

    DeepFace runs the network layer by layer from Python; here it is traced into one graph, when
    it is built and never again. Safe to share; the GIL is free while it runs.
    """

    def __init__(self, network: Any) -> None:
        import tensorflow

        self.model = network
        self._constant = tensorflow.constant
        self._run = tensorflow.function(
            lambda faces: network(faces, training=False),
            input_signature=[tensorflow.TensorSpec((1, *network.input_shape[1:]))],
        ).get_concrete_function()

    def forward(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """The vector of one face; of VGG-Face before DeepFace makes its length 1."""
        faces = np.asarray(batch, dtype=np.float32)
        vector: NDArray[np.float32] = self._run(self._constant(faces)).numpy()[0]
        return vector
