"""dlib's face recognition network, read layer by layer from its serialized file.

A dlib file holds the parameters and, nested as the C++ type is, the names of the layers, but not
which layer is a tag of which: that is part of the type, `anet_type` in dlib's
dnn_face_recognition_ex.cpp, and stated here by `LAYERS`. A file of another network, or of a later
version of a layer, is refused: every byte must be what this network has there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid
from service.vision.dlib_stream import DlibStream

TOP_VERSION = 1
LAYER_VERSION = 2
FIRST_LAYER_VERSION = 3
TAG_VERSION = 1
CONVOLUTIONAL_MODE = 0
WITHOUT_BIAS = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """`means` of red, green and blue are subtracted from 0..255, the rest is divided by 256."""

    means: tuple[float, float, float]
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Convolution:
    """`weights` has shape (filters, channels, rows, columns), `bias` (filters,)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Affine:
    """Of each channel: value * gamma + beta; both have shape (channels,)."""

    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pooling:
    """The largest or the mean value of each window; a window of 0 x 0 is everything."""

    kind: str
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Projection:
    """Fully connected, without a bias; `weights` has shape (inputs, outputs)."""

    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plain:
    """A layer without parameters: relu, tag1, tag2, skip1, add_prev1 or add_prev2."""

    kind: str


Layer = Picture | Convolution | Affine | Pooling | Projection | Plain

_BLOCK = ("con", "affine", "relu", "con", "affine")
_SAME = ("tag1", *_BLOCK, "add_prev1", "relu")
_HALVED = ("tag1", *_BLOCK, "tag2", "skip1", "avg_pool", "add_prev2", "relu")

LAYERS = (
    *("con", "affine", "relu", "max_pool"),
    *(_SAME * 3),
    *(_HALVED + _SAME * 3),
    *(_HALVED + _SAME * 2),
    *(_HALVED + _SAME * 2),
    *_HALVED,
    *("avg_pool", "fc_no_bias"),
)
"""After the picture, from its first layer to the vector."""

_NAMED_ONLY_BY_TYPE = ("tag1", "tag2", "skip1")


def read_network(path: Path) -> tuple[Layer, ...]:
    """The picture, then the layers in the order of `LAYERS`.

    Raises:
        WeightsInvalid: it is not exactly this network; the message says where it differs.
    """
    stream = DlibStream(path.read_bytes())
    try:
        layers = _read(stream)
        stream.finish()
    except WeightsInvalid as error:
        raise WeightsInvalid(
            f"{path} is not a complete dlib recognition model: {error}. "
            "If it is a network of your own that dlib runs, use ENGINE=dlib."
        ) from None
    return layers


def _read(stream: DlibStream) -> tuple[Layer, ...]:
    stream.expect_integer(TOP_VERSION, "network version")
    stream.expect_text("loss_metric_2")
    for _ in ("margin", "distance threshold"):
        stream.number()
    # the types nest: all versions come first, that of the last layer before that of the first
    for kind in reversed(LAYERS[1:]):
        stream.expect_integer(_version(kind), f"version of {kind}")
    stream.expect_integer(FIRST_LAYER_VERSION, f"version of {LAYERS[0]}")
    picture = _picture(stream)
    first = _convolution(stream)
    _pass_training_state(stream)
    stream.integer()  # how many samples one picture becomes in training
    return (picture, first, *(_layer(kind, stream) for kind in LAYERS[1:]))


def _version(kind: str) -> int:
    return TAG_VERSION if kind in _NAMED_ONLY_BY_TYPE else LAYER_VERSION


def _layer(kind: str, stream: DlibStream) -> Layer:
    if kind in _NAMED_ONLY_BY_TYPE:
        return Plain(kind)
    layer = _READERS[kind](stream)
    _pass_training_state(stream)
    return layer


def _pass_training_state(stream: DlibStream) -> None:
    for _ in ("set up", "gradient is stale", "output is not kept"):
        stream.flag()
    for _ in ("gradient of the input", "output", "gradient of the parameters"):
        stream.tensor()


def _picture(stream: DlibStream) -> Picture:
    stream.expect_text("input_rgb_image_sized")
    means = (stream.number(), stream.number(), stream.number())
    return Picture(means, rows=stream.integer(), columns=stream.integer())


def _convolution(stream: DlibStream) -> Convolution:
    stream.expect_text("con_4")
    values = stream.tensor().reshape(-1)
    filters, rows, columns = stream.integer(), stream.integer(), stream.integer()
    stride = (stream.integer(), stream.integer())
    padding = (stream.integer(), stream.integer())
    shape, bias_shape = stream.alias(), stream.alias()
    _pass_rates(stream)
    _expect(
        (shape[0], *shape[2:]) == (filters, rows, columns)
        and bias_shape == (1, filters, 1, 1)
        and values.size == prod(shape) + filters,
        "convolution",
    )
    return Convolution(values[:-filters].reshape(shape), values[-filters:], stride, padding)


def _affine(stream: DlibStream) -> Affine:
    stream.expect_text("affine_")
    values = stream.tensor().reshape(-1)
    gamma, beta = stream.alias(), stream.alias()
    stream.expect_integer(CONVOLUTIONAL_MODE, "mode of affine")
    channels = gamma[1]
    _expect(gamma == beta == (1, channels, 1, 1) and values.size == 2 * channels, "affine layer")
    return Affine(values[:channels], values[channels:])


def _pooling(kind: str) -> Callable[[DlibStream], Layer]:
    def read(stream: DlibStream) -> Layer:
        stream.expect_text(f"{kind}_2")
        window = (stream.integer(), stream.integer())
        stride = (stream.integer(), stream.integer())
        return Pooling(kind, window, stride, padding=(stream.integer(), stream.integer()))

    return read


def _projection(stream: DlibStream) -> Projection:
    stream.expect_text("fc_2")
    outputs, inputs = stream.integer(), stream.integer()
    values = stream.tensor().reshape(-1)
    shape, bias_shape = stream.alias(), stream.alias()
    stream.expect_integer(WITHOUT_BIAS, "bias mode")
    _pass_rates(stream)
    _expect(
        shape == (inputs, outputs, 1, 1)
        and bias_shape == (0, 0, 0, 0)
        and values.size == prod(shape),
        "fully connected layer",
    )
    return Projection(values.reshape(inputs, outputs))


def _plain(kind: str, name: str) -> Callable[[DlibStream], Layer]:
    def read(stream: DlibStream) -> Layer:
        stream.expect_text(name)
        return Plain(kind)

    return read


def _pass_rates(stream: DlibStream) -> None:
    for _ in ("learning rate", "weight decay", "the same of the bias", "and its decay"):
        stream.number()


def _expect(fits: bool, what: str) -> None:
    if not fits:
        raise WeightsInvalid(f"found a {what} whose sizes contradict each other")


_READERS: dict[str, Callable[[DlibStream], Layer]] = {
    "con": _convolution,
    "affine": _affine,
    "relu": _plain("relu", "relu_"),
    "max_pool": _pooling("max_pool"),
    "avg_pool": _pooling("avg_pool"),
    "add_prev1": _plain("add_prev1", "add_prev_"),
    "add_prev2": _plain("add_prev2", "add_prev_"),
    "fc_no_bias": _projection,
}
