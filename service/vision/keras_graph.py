"""DeepFace's Keras networks as ONNX graphs.

The graph has the layers that DeepFace's own code built, one by one and with their weights as they
are, but with the channels first; what the engines can fold into each other they fold themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from service.errors import WeightsInvalid
from service.vision.keras_layers import KerasLayer, KerasNetwork
from service.vision.onnx_writer import GraphWriter

INPUT = "faces"
OUTPUT = "vectors"

LRN_RADIUS = 5
"""`tf.nn.lrn`'s default; a window has the values on both sides and the one in the middle."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the graph: of shape (n, size) if flat, else (n, channels, rows, columns)."""

    name: str
    flat: bool = False


def build_graph(network: KerasNetwork) -> bytes:
    """An ONNX model, serialized.

    Its input `faces` has dtype float32 and the network's own shape, (n, rows, columns, 3); its
    output `vectors` has dtype float32 and shape (n, size).

    Raises:
        WeightsInvalid: a layer is of a kind, or used in a way, that DeepFace's networks do not
            have.
    """
    writer = GraphWriter()
    values: dict[str, _Value] = {}
    for layer in network.layers:
        write = _LAYERS.get(layer.kind)
        if write is None:
            raise WeightsInvalid(f"The network has a layer of unknown kind: {layer.kind}.")
        inputs = [values[name] for name in layer.inputs]
        values[layer.name] = write(writer, layer, inputs)
    return writer.model(
        "deepface_keras",
        given=INPUT,
        shape=network.shape,
        dtype=np.float32,
        result=OUTPUT,
        value=values[network.output].name,
        size=network.size,
    )


def _input(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    return _Value(writer.node("Transpose", [INPUT], perm=[0, 3, 1, 2]))


def _same(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    return inputs[0]


def _convolution(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    kernel, *bias = layer.weights
    depthwise = layer.kind == "DepthwiseConv2D"
    channels = kernel.shape[2]
    if depthwise:  # rows, columns, channels, multiplier
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    operands = [kernel.transpose(3, 2, 0, 1), *bias]
    name = writer.node(
        "Conv",
        [inputs[0].name, *(writer.constant(np.ascontiguousarray(each)) for each in operands)],
        group=channels if depthwise else layer.config["groups"],
        dilations=list(layer.config["dilation_rate"]),
        **_windows(layer, kernel.shape[:2]),
    )
    return _activated(writer, layer.config["activation"], _Value(name))


def _windows(layer: KerasLayer, size: tuple[int, ...]) -> dict[str, object]:
    """Keras's `same` puts an odd cell of padding at the end, as SAME_UPPER does."""
    same = layer.config["padding"] == "same"
    return {
        "kernel_shape": list(size),
        "strides": list(layer.config["strides"]),
        "auto_pad": "SAME_UPPER" if same else "VALID",
    }


def _pool(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    operator = {"MaxPooling2D": "MaxPool", "AveragePooling2D": "AveragePool"}[layer.kind]
    windows = _windows(layer, tuple(layer.config["pool_size"]))
    return _Value(writer.node(operator, [inputs[0].name], **windows))


def _global_average(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    mean = writer.node("GlobalAveragePool", [inputs[0].name])
    return _Value(mean) if layer.config["keepdims"] else _Value(_rows(writer, mean), flat=True)


def _pad(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    (top, bottom), (left, right) = layer.config["padding"]
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], dtype=np.int64)
    return _Value(writer.node("Pad", [inputs[0].name, writer.constant(pads)]))


def _normalisation(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    *learned, mean, variance = layer.weights
    gamma = learned.pop(0) if layer.config["scale"] else np.ones_like(mean)
    beta = learned.pop(0) if layer.config["center"] else np.zeros_like(mean)
    operands = [writer.constant(each) for each in (gamma, beta, mean, variance)]
    name = writer.node(
        "BatchNormalization", [inputs[0].name, *operands], epsilon=layer.config["epsilon"]
    )
    return _Value(name, inputs[0].flat)


def _dense(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    operands = [writer.constant(weight) for weight in layer.weights]
    name = writer.node("Gemm", [inputs[0].name, *operands])
    return _activated(writer, layer.config["activation"], _Value(name, flat=True))


def _activation(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    return _activated(writer, layer.config["activation"], inputs[0])


def _activated(writer: GraphWriter, kind: str, value: _Value) -> _Value:
    if kind == "linear":
        return value
    # Keras 2's hard sigmoid is ONNX's own: 0.2 x + 0.5, cut off at 0 and 1
    operators = {"relu": "Relu", "hard_sigmoid": "HardSigmoid"}
    if kind not in operators:
        raise WeightsInvalid(f"The network has an unknown activation: {kind}.")
    return _Value(writer.node(operators[kind], [value.name]), value.flat)


def _prelu(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    (slopes,) = layer.weights
    if slopes.shape[:2] != (1, 1):
        raise WeightsInvalid("The network has a PReLU with slopes for each place.")
    slope = writer.constant(slopes.reshape(-1, 1, 1))
    return _Value(writer.node("PRelu", [inputs[0].name, slope]))


def _combined(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    operator = {"Add": "Add", "Multiply": "Mul"}[layer.kind]
    first, *others = inputs
    name = first.name
    for other in others:
        name = writer.node(operator, [name, other.name])
    return _Value(name, first.flat)


def _joined(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    if layer.config["axis"] not in (-1, 3):
        raise WeightsInvalid("The network joins values by something else than their channels.")
    return _Value(writer.node("Concat", [value.name for value in inputs], axis=1))


def _flatten(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    (value,) = inputs
    if value.flat:
        return value
    last = writer.node("Transpose", [value.name], perm=[0, 2, 3, 1])
    return _Value(_rows(writer, last), flat=True)


def _reshape(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    rows, columns, channels = layer.config["target_shape"]
    if not inputs[0].flat or (rows, columns) != (1, 1):
        raise WeightsInvalid("The network turns a vector into more than one place.")
    shape = writer.constant(np.array([-1, channels, 1, 1], dtype=np.int64))
    return _Value(writer.node("Reshape", [inputs[0].name, shape]))


def _lambda(writer: GraphWriter, layer: KerasLayer, inputs: Sequence[_Value]) -> _Value:
    """DeepFace's own functions, by the names that it gives the layers."""
    (value,) = inputs
    if "scale" in layer.config["arguments"]:  # `scaling` of Facenet
        return _scaled(writer, value, layer.config["arguments"]["scale"])
    kind = layer.name.split("_")[0]
    write = _FUNCTIONS.get(kind)
    if write is None:
        raise WeightsInvalid(f"The network has an unknown function: {layer.name}.")
    return write(writer, value)


def _scaled(writer: GraphWriter, value: _Value, factor: float) -> _Value:
    scale = writer.constant(np.array(factor, dtype=np.float32))
    return _Value(writer.node("Mul", [value.name, scale]), value.flat)


def _response(writer: GraphWriter, value: _Value) -> _Value:
    """`tf.nn.lrn(x, alpha=1e-4, beta=0.75)`; ONNX divides its alpha by the window's size."""
    size = 2 * LRN_RADIUS + 1
    return _Value(
        writer.node("LRN", [value.name], alpha=1e-4 * size, beta=0.75, bias=1.0, size=size)
    )


def _unit(writer: GraphWriter, value: _Value) -> _Value:
    return _Value(writer.node("LpNormalization", [value.name], axis=1, p=2), value.flat)


_FUNCTIONS: dict[str, Callable[[GraphWriter, _Value], _Value]] = {
    "lrn": _response,
    "power2": lambda writer, value: _Value(writer.node("Mul", [value.name, value.name])),
    "mult9": lambda writer, value: _scaled(writer, value, 9),
    "sqrt": lambda writer, value: _Value(writer.node("Sqrt", [value.name])),
    "norm": _unit,
}


def _rows(writer: GraphWriter, value: str) -> str:
    return writer.node("Flatten", [value], axis=1)


_LAYERS: dict[str, Callable[[GraphWriter, KerasLayer, Sequence[_Value]], _Value]] = {
    "InputLayer": _input,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "MaxPooling2D": _pool,
    "AveragePooling2D": _pool,
    "GlobalAveragePooling2D": _global_average,
    "ZeroPadding2D": _pad,
    "BatchNormalization": _normalisation,
    "Dense": _dense,
    "Activation": _activation,
    "PReLU": _prelu,
    "Add": _combined,
    "Multiply": _combined,
    "Concatenate": _joined,
    "Dropout": _same,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Lambda": _lambda,
}
