"""An ONNX graph written node by node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 8


class GraphWriter:
    """Nodes in the order in which they are computed; each gives one value, named by us."""

    def __init__(self) -> None:
        import onnx

        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [name], **attributes))
        return name

    def cast_to_float(self, value: str) -> str:
        return self.node("Cast", [value], to=self._onnx.TensorProto.FLOAT)

    def constant(self, values: NDArray[Any]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(values, name))
        return name

    def model(
        self,
        name: str,
        *,
        given: str,
        shape: Sequence[int],
        dtype: type[np.generic],
        result: str,
        value: str,
        size: int,
    ) -> bytes:
        """The model, serialized.

        Args:
            given: the input's name; it has `dtype` and the shape (n, *shape).
            result: the output's name; it has dtype float32 and the shape (n, size).
            value: what the output is.
        """
        helper = self._onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        graph = helper.make_graph(
            [*self._nodes, helper.make_node("Identity", [value], [result])],
            name,
            [helper.make_tensor_value_info(given, kind, ["n", *shape])],
            [helper.make_tensor_value_info(result, self._onnx.TensorProto.FLOAT, ["n", size])],
            self._constants,
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        serialized: bytes = model.SerializeToString()
        return serialized
