"""OpenVINO on the CPU, called as an onnxruntime session is.

Importing the package `openvino` reports the import to Google Analytics and leaves files in
`~/intel`, without asking, if the package `openvino_telemetry` is there. Nothing leaves the machine
here, so that package is hidden from it.
"""

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import EngineUnavailable
from service.vision.threads import ThreadBudget

FLOAT32, BFLOAT16 = "f32", "bf16"

_TELEMETRY = "openvino_telemetry"


class OpenVinoSession:
    """One compiled graph. Safe to share; the GIL is free while it runs.

    `precision` is FLOAT32 or BFLOAT16, which rounds to eight bits of mantissa what the
    instructions avx512_bf16 or amx_bf16 multiply.

    Raises:
        EngineUnavailable: this CPU has no instructions for bfloat16.
        RuntimeError: OpenVINO cannot read the graph.
    """

    def __init__(self, graph: bytes | Path, precision: str, budget: ThreadBudget) -> None:
        if precision == BFLOAT16 and not runs_bfloat16():
            raise EngineUnavailable(
                "This CPU has no instructions for bfloat16 (avx512_bf16 or amx_bf16); "
                "use ENGINE=openvino, which computes in float32."
            )
        core = _openvino().Core()
        model = core.read_model(graph if isinstance(graph, bytes) else str(graph))
        model.reshape({value: _one_at_a_time(value) for value in model.inputs})
        self._compiled = core.compile_model(model, "CPU", _properties(precision, budget))
        self._idle: deque[Any] = deque()

    def get_inputs(self) -> Sequence[Any]:
        """Each has a `name`."""
        return [_Named(value.any_name) for value in self._compiled.inputs]

    def run(
        self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """All outputs if `outputs` is None, in the graph's order."""
        request = self._request()
        results = request.infer(dict(feed), share_inputs=True)
        wanted = self._compiled.outputs if outputs is None else outputs
        vectors = [np.asarray(results[output]) for output in wanted]
        self._idle.append(request)  # not after an error: then it may be in any state
        return vectors

    def _request(self) -> Any:
        """One that no other thread is using: there are never more than threads that ran at once."""
        with suppress(IndexError):
            return self._idle.pop()
        return self._compiled.create_infer_request()


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


def runs_bfloat16() -> bool:
    """Whether this CPU multiplies in bfloat16. Elsewhere OpenVINO imitates that, more slowly than
    float32, or computes in float32 and says nothing."""
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _openvino() -> Any:
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # then importing it fails
    import openvino

    return openvino


def _one_at_a_time(value: Any) -> Any:
    """The input's shape for one face: code made for a fixed shape is faster."""
    shape = value.partial_shape
    if shape[0].is_dynamic:
        shape[0] = 1
    return shape


def _properties(precision: str, budget: ThreadBudget) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": budget.runs,
        "INFERENCE_NUM_THREADS": budget.total,
        # a second process would be pinned to the same cores
        "ENABLE_CPU_PINNING": False,
    }
