"""dlib's face recognition network as an ONNX graph.

Three of dlib's habits are kept: convolutions and pools leave out a window that does not fit
(their stated padding and no more); layers that are added may differ in channels, rows and columns,
and the smaller one is filled up with zeros at the end of each; a picture is (x - mean) / 256.
What is linear around a convolution is folded into it in float64: the affine layer behind each, and
in front of the first, which pads nothing, the picture's normalisation.
"""

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid
from service.vision.dlib_network import (
    Affine,
    Convolution,
    Layer,
    Picture,
    Plain,
    Pooling,
    Projection,
)
from service.vision.onnx_writer import GraphWriter

INPUT = "chips"
OUTPUT = "descriptors"

PICTURE_DIVISOR = 256.0
"""dlib/dnn/input.h: `(p.red - avg_red) / 256.0`."""

Extent = tuple[int, int, int]
"""Channels, rows and columns of a layer's output."""


def build_graph(network: tuple[Layer, ...]) -> bytes:
    """An ONNX model, serialized.

    Its input `chips` has dtype uint8 and shape (n, rows, columns, 3), RGB; its output
    `descriptors` has dtype float32 and shape (n, outputs), the raw descriptors of dlib, whose
    length is not 1.

    Raises:
        WeightsInvalid: the layers do not fit each other.
    """
    return _Builder(network).model()


class _Builder:
    def __init__(self, network: tuple[Layer, ...]) -> None:
        self._writer = GraphWriter()
        self._tags: dict[str, tuple[str, Extent]] = {}
        picture, *layers = network
        if not isinstance(picture, Picture):
            raise WeightsInvalid("The network does not begin with a picture.")
        self._picture = picture
        self._extent: Extent = (3, picture.rows, picture.columns)
        pixels = self._writer.cast_to_float(INPUT)
        self._value = self._writer.node("Transpose", [pixels], perm=[0, 3, 1, 2])
        for layer in folded(picture, layers):
            self._add(layer)

    def model(self) -> bytes:
        return self._writer.model(
            "dlib_face_recognition",
            given=INPUT,
            shape=(self._picture.rows, self._picture.columns, 3),
            dtype=np.uint8,
            result=OUTPUT,
            value=self._value,
            size=self._extent[0],
        )

    def _add(self, layer: Layer) -> None:
        match layer:
            case Convolution():
                self._convolve(layer)
            case Pooling():
                self._pool(layer)
            case Projection():
                self._project(layer)
            case Plain(kind="relu"):
                self._value = self._writer.node("Relu", [self._value])
            case Plain(kind="tag1" | "tag2" as tag):
                self._tags[tag] = (self._value, self._extent)
            case Plain(kind="skip1"):
                self._value, self._extent = self._tags["tag1"]
            case Plain(kind="add_prev1" | "add_prev2" as adds):
                self._sum(*self._tags[adds.replace("add_prev", "tag")])
            case _:
                raise WeightsInvalid(f"The network has a layer in an unknown place: {layer}.")

    def _convolve(self, layer: Convolution) -> None:
        filters, channels, rows, columns = layer.weights.shape
        self._fits(channels)
        self._value = self._writer.node(
            "Conv",
            [self._value, self._writer.constant(layer.weights), self._writer.constant(layer.bias)],
            kernel_shape=[rows, columns],
            strides=list(layer.stride),
            pads=list(layer.padding * 2),
        )
        self._extent = (filters, *self._windows((rows, columns), layer.stride, layer.padding))

    def _pool(self, layer: Pooling) -> None:
        if layer.window == (0, 0):
            self._value = self._writer.node("GlobalAveragePool", [self._value])
            self._extent = (self._extent[0], 1, 1)
            return
        if layer.padding != (0, 0):
            raise WeightsInvalid("The network has a pool with padding, which dlib's own has not.")
        self._value = self._writer.node(
            "MaxPool" if layer.kind == "max_pool" else "AveragePool",
            [self._value],
            kernel_shape=list(layer.window),
            strides=list(layer.stride),
        )
        size = self._windows(layer.window, layer.stride, layer.padding)
        self._extent = (self._extent[0], *size)

    def _windows(
        self, window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
    ) -> tuple[int, int]:
        rows, columns = (
            1 + (size + 2 * pad - width) // step
            for size, width, step, pad in zip(
                self._extent[1:], window, stride, padding, strict=True
            )
        )
        return rows, columns

    def _project(self, layer: Projection) -> None:
        inputs, outputs = layer.weights.shape
        _, rows, columns = self._extent
        self._fits(inputs // (rows * columns))
        flat = self._writer.node("Flatten", [self._value], axis=1)
        self._value = self._writer.node("MatMul", [flat, self._writer.constant(layer.weights)])
        self._extent = (outputs, 1, 1)

    def _sum(self, other: str, extent: Extent) -> None:
        sizes = zip(self._extent, extent, strict=True)
        channels, rows, columns = (max(pair) for pair in sizes)
        common = (channels, rows, columns)
        terms = [
            self._filled_up(self._value, self._extent, common),
            self._filled_up(other, extent, common),
        ]
        self._value = self._writer.node("Add", terms)
        self._extent = common

    def _filled_up(self, value: str, extent: Extent, common: Extent) -> str:
        if extent == common:
            return value
        missing = [wanted - size for wanted, size in zip(common, extent, strict=True)]
        return self._writer.node(
            "Pad", [value, self._writer.constant(np.array([0] * 5 + missing, np.int64))]
        )

    def _fits(self, channels: int) -> None:
        if channels != self._extent[0]:
            raise WeightsInvalid(
                f"The network has a layer for {channels} channels behind one of {self._extent[0]}."
            )


def folded(picture: Picture, layers: list[Layer]) -> list[Layer]:
    """The same network on pictures of 0..255, with every affine layer inside the convolution
    before it.

    Raises:
        WeightsInvalid: an affine layer follows something else, or the first convolution pads.
    """
    first, *others = layers
    if not isinstance(first, Convolution) or first.padding != (0, 0):
        raise WeightsInvalid("The network does not begin with a convolution without padding.")
    result: list[Layer] = [_of_raw_pixels(picture, first)]
    for layer in others:
        if not isinstance(layer, Affine):
            result.append(layer)
            continue
        before = result.pop()
        if not isinstance(before, Convolution) or layer.gamma.shape != before.bias.shape:
            raise WeightsInvalid("The network has an affine layer behind no convolution.")
        result.append(_scaled(before, layer))
    return result


def _of_raw_pixels(picture: Picture, first: Convolution) -> Convolution:
    weights = first.weights.astype(np.float64) / PICTURE_DIVISOR
    shift = np.einsum("fcyx,c->f", weights, np.array(picture.means))
    return _rounded(weights, first.bias - shift, first)


def _scaled(convolution: Convolution, affine: Affine) -> Convolution:
    gamma = affine.gamma.astype(np.float64)
    weights = convolution.weights * gamma[:, None, None, None]
    return _rounded(weights, convolution.bias * gamma + affine.beta, convolution)


def _rounded(
    weights: NDArray[np.float64], bias: NDArray[np.float64], like: Convolution
) -> Convolution:
    return Convolution(
        weights.astype(np.float32), bias.astype(np.float32), like.stride, like.padding
    )
