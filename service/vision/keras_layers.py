"""The layers of a Keras 2 network with their weights, read off the loaded network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """`inputs` are names of layers; `weights` are in Keras's order for that kind of layer."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    config: Mapping[str, Any]
    weights: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class KerasNetwork:
    """`layers` in the order in which they are computed, the input first; `output` is the name of
    one of them; `shape` is (height, width, 3)."""

    layers: tuple[KerasLayer, ...]
    output: str
    shape: tuple[int, int, int]
    size: int


def read_layers(model: Any) -> KerasNetwork:
    """Every layer of a functional model with one input and one output.

    Raises:
        WeightsInvalid: a layer is used twice, so that its name does not say which value is meant.
    """
    config = model.get_config()
    height, width, channels = model.input_shape[1:]
    return KerasNetwork(
        layers=tuple(_layer(model, entry) for entry in config["layers"]),
        output=config["output_layers"][0][0],
        shape=(int(height), int(width), int(channels)),
        size=int(model.output_shape[-1]),
    )


def _layer(model: Any, entry: Mapping[str, Any]) -> KerasLayer:
    name, calls = entry["name"], entry["inbound_nodes"]
    if len(calls) > 1:
        raise WeightsInvalid(f"The network uses its layer {name} {len(calls)} times.")
    layer = model.get_layer(name)
    return KerasLayer(
        kind=entry["class_name"],
        name=name,
        inputs=tuple(value[0] for call in calls for value in call),
        config=entry["config"],
        weights=tuple(np.asarray(weight, dtype=np.float32) for weight in layer.get_weights()),
    )
