"""onnxruntime sessions whose threads are counted."""

from pathlib import Path
from typing import Any


def open_session(graph: bytes | Path, threads: int) -> Any:
    """An `InferenceSession` on the CPU. Safe to share; the GIL is free while it runs.

    Args:
        graph: an ONNX model or where it lies.
        threads: that work on one run, the caller's own included.

    Raises:
        whatever onnxruntime raises for a graph that it cannot read.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only, as DeepFace has it
    # a thread that spins for work takes the core from another worker
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        graph if isinstance(graph, bytes) else str(graph),
        sess_options=options,
        providers=["CPUExecutionProvider"],
    )
