"""ONNX files of a model's true signature with generated weights, written without a library.

The field numbers are those of onnx.proto3; the graph is a mean over tiles of 8 x 8 pixels and a
fixed random projection, so its vectors depend on every pixel.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TILE = 8
_FLOAT, _INT, _INTS = 1, 2, 7


def write_graph(
    path: Path,
    *,
    input_size: tuple[int, int],
    dimension: int,
    channels_last: bool = True,
    seed: int = 7,
) -> None:
    """`input_size` is (width, height); channels last is DeepFace's own export, first SFace's."""
    width, height = input_size
    features = 3 * (height // TILE) * (width // TILE)
    projection = np.random.default_rng(seed).standard_normal((features, dimension))
    shape: list[int | str] = ["n", height, width, 3] if channels_last else ["n", 3, height, width]
    permutation = [0, 3, 1, 2] if channels_last else [0, 1, 2, 3]
    nodes = [
        _node("Transpose", ["picture"], "planes", perm=permutation),
        _node("AveragePool", ["planes"], "tiles", kernel_shape=[TILE] * 2, strides=[TILE] * 2),
        _node("Flatten", ["tiles"], "flat", axis=1),
        _node("MatMul", ["flat", "projection"], "embedding"),
    ]
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "generated")
    graph += _bytes(5, _tensor("projection", projection.astype(np.float32)))
    outputs: list[int | str] = ["n", dimension]
    graph += _bytes(11, _value("picture", shape)) + _bytes(12, _value("embedding", outputs))
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13)))


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _node(operator: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    body = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)
    return body + b"".join(_bytes(5, _attribute(*item)) for item in attributes.items())


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, part) for part in value) + _number(20, _INTS)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dimensions = b"".join(_number(1, size) for size in values.shape)
    return dimensions + _number(2, _FLOAT) + _text(8, name) + _bytes(9, values.tobytes())


def _value(name: str, shape: list[int | str]) -> bytes:
    sizes = [_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    dimensions = b"".join(_bytes(1, size) for size in sizes)
    tensor = _number(1, _FLOAT) + _bytes(2, dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))
