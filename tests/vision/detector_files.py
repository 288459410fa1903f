"""Files that detectors load, of the true signature with generated weights: a white tile of a black
picture is a face, and its box and points are constants that can be worked out by hand."""

import math
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

SIDE = 40.0
POINTS = ((0.3, 0.35), (0.7, 0.36), (0.5, 0.6), (0.35, 0.8), (0.65, 0.81))
"""Right eye, left eye, nose, right and left corner of the mouth, as shares of the box."""


def write_centerface(path: Path) -> None:
    """Four outputs of a quarter of the picture: heat, size, offset, points (y before x)."""
    points = [share for x, y in POINTS for share in (y, x)]
    size = math.log(SIDE / 4)
    heads = {"537": _brightness(), "538": _constant(size, size), "539": _constant(0, 0)}
    nodes, weights = _heads(4, {**heads, "540": _constant(*points)})
    _write(path, ["n", 3, "h", "w"], nodes, weights, [*heads, "540"], axes=4)


def write_yunet(path: Path) -> None:
    """For each of three strides a class, an objectness, a box and points, a row a tile."""
    nodes: list[NodeProto] = []
    weights: dict[str, NDArray[np.generic]] = {}
    size = math.log(SIDE / 8)
    # points lie from the tile's corner, the box around its middle
    points = [0.5 + (share - 0.5) * SIDE / 8 for point in POINTS for share in point]
    for stride in (8, 16, 32):
        seen = _brightness() if stride == 8 else _constant(0)
        heads = {"cls": seen, "obj": seen, "bbox": _constant(0.5, 0.5, size, size)}
        named = {**heads, "kps": _constant(*points)}
        more, values = _heads(stride, {f"map_{name}_{stride}": w for name, w in named.items()})
        nodes += more
        weights |= values
        for name, (kernel, _) in named.items():
            rows = f"rows_{name}"
            weights[rows] = np.array([1, -1, len(kernel)], dtype=np.int64)
            turned, out = f"turned_{name}_{stride}", f"{name}_{stride}"
            nodes.append(_node("Transpose", [f"map_{out}"], turned, perm=[0, 2, 3, 1]))
            nodes.append(_node("Reshape", [turned, rows], out))
    outputs = [f"{name}_{s}" for name in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)]
    _write(path, [1, 3, 640, 640], nodes, weights, outputs, axes=3)


def write_ssd(prototxt: Path, caffemodel: Path) -> None:
    """One detection, as sure as the picture is blue, in the middle quarter of it."""
    values = {"image": 0, "label": 1, "left": 0.25, "top": 0.3, "right": 0.75, "bottom": 0.7}
    order = ("image", "label", "sure", "left", "top", "right", "bottom")
    layers = [
        'name: "generated" input: "data" input_dim: 1 input_dim: 3 input_dim: 300 input_dim: 300',
        _layer(
            "mean",
            "Pooling",
            ["data"],
            ["mean"],
            "pooling_param { pool: AVE global_pooling: true }",
        ),
        _layer("parts", "Slice", ["mean"], ["blue", "green", "red"], "slice_param { axis: 1 }"),
        _layer("sure", "Power", ["blue"], ["sure"], f"power_param {{ scale: {1 / 255} }}"),
        *(
            _layer(name, "Power", [part], [name], f"power_param {{ scale: 0 shift: {value} }}")
            for (name, value), part in zip(values.items(), _colours(), strict=False)
        ),
        _layer("row", "Concat", list(order), ["row"], "concat_param { axis: 1 }"),
        _layer(
            "found",
            "Reshape",
            ["row"],
            ["detection_out"],
            "reshape_param { shape { dim: 1 dim: 1 dim: 1 dim: 7 } }",
        ),
    ]
    prototxt.write_text("\n".join(layers))
    caffemodel.write_bytes(b"\x0a\x09generated")


def _write(
    path: Path,
    shape: list[int | str],
    nodes: list[NodeProto],
    weights: dict[str, NDArray[np.generic]],
    outputs: list[str],
    axes: int,
) -> None:
    sizes = [f"size_{axis}" for axis in range(axes)]
    graph = helper.make_graph(
        nodes,
        "generated",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


def _colours() -> Iterator[str]:
    """OpenCV leaves out a part that nobody takes, and then counts wrongly."""
    return cycle(("green", "red"))


Head = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights, shape (values, 3, 1, 1), and biases, shape (values,), of a tile's mean colour."""


def _brightness() -> Head:
    return np.full((1, 3, 1, 1), 1 / (3 * 255), dtype=np.float32), np.zeros(1, dtype=np.float32)


def _constant(*values: float) -> Head:
    return np.zeros((len(values), 3, 1, 1), dtype=np.float32), np.array(values, dtype=np.float32)


def _heads(
    stride: int, heads: dict[str, Head]
) -> tuple[list[NodeProto], dict[str, NDArray[np.generic]]]:
    tiles = f"tiles_{stride}"
    square = [stride, stride]
    nodes = [_node("AveragePool", ["input"], tiles, kernel_shape=square, strides=square)]
    weights: dict[str, NDArray[np.generic]] = {}
    for name, (kernel, bias) in heads.items():
        weights |= {f"weights_{name}": kernel, f"biases_{name}": bias}
        inputs = [tiles, f"weights_{name}", f"biases_{name}"]
        nodes.append(_node("Conv", inputs, name, kernel_shape=[1, 1]))
    return nodes, weights


def _layer(name: str, kind: str, bottoms: list[str], tops: list[str], options: str) -> str:
    ends = [f'bottom: "{each}"' for each in bottoms] + [f'top: "{each}"' for each in tops]
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(ends)} {options} }}'
