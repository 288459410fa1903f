"""The engines that run the models, by name. Plain data; loads nothing."""

from service.errors import SettingsInvalid

ONNXRUNTIME = "onnxruntime"
OPENVINO = "openvino"
OPENVINO_BF16 = "openvino-bf16"
TENSORFLOW = "tensorflow"
DLIB = "dlib"

GRAPH_ENGINES = (ONNXRUNTIME, OPENVINO, OPENVINO_BF16)
"""They run any ONNX graph, and so every model."""

ENGINES = (*GRAPH_ENGINES, TENSORFLOW, DLIB)
"""What may be asked for; tensorflow runs Keras weights only, and dlib the model Dlib only."""


def resolve_engine(engine: str) -> str:
    """One of `ENGINES`: what was asked for, and onnxruntime for "auto".

    Raises:
        SettingsInvalid: there is no such engine.
    """
    if engine not in ("auto", *ENGINES):
        raise SettingsInvalid(f"ENGINE: there is no '{engine}'; use auto, {', '.join(ENGINES)}")
    return ONNXRUNTIME if engine == "auto" else engine
