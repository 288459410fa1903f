"""The engines that run an ONNX graph, behind one port."""

from collections.abc import Mapping, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from service.vision.deepface_library import require
from service.vision.engines import ONNXRUNTIME, OPENVINO, OPENVINO_BF16
from service.vision.threads import ThreadBudget


class Session(Protocol):
    """A loaded graph, as onnxruntime has it and as DeepFace's classes call it. Safe to share
    between threads, and the GIL is free while it runs."""

    def get_inputs(self) -> Sequence[Any]: ...

    def run(
        self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]: ...


def open_session(engine: str, graph: bytes | Path, budget: ThreadBudget) -> Session:
    """Load an ONNX model, or the file that holds it, on one of `GRAPH_ENGINES`.

    Raises:
        EngineUnavailable: the engine is not installed, or not for this CPU.
        whatever the engine raises for a graph that it cannot read.
    """
    if engine == ONNXRUNTIME:
        from service.vision.onnx_sessions import open_session as open_onnx_session

        session: Session = open_onnx_session(graph, budget.threads)
        return session
    from service.vision.openvino_sessions import BFLOAT16, FLOAT32, OpenVinoSession

    require("openvino", "pip install 'facematch[openvino]'")
    return OpenVinoSession(graph, BFLOAT16 if engine == OPENVINO_BF16 else FLOAT32, budget)


def at_hand(engine: str) -> bool:
    """Whether an engine of graphs is installed and this CPU has what it needs."""
    if engine == ONNXRUNTIME:
        return True
    if find_spec("openvino") is None:
        return False
    if engine == OPENVINO:
        return True
    from service.vision.openvino_sessions import runs_bfloat16

    return runs_bfloat16()


def engine_version(engine: str) -> str:
    """Of the package of an engine that is loaded."""
    if engine in (OPENVINO, OPENVINO_BF16):
        return metadata.version("openvino")
    return str(import_module(engine).__version__)
