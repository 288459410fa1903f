"""What a process has loaded, watched in processes of their own."""

import subprocess
import sys
from pathlib import Path

HEAVY = (
    "tensorflow",
    "keras",
    "tf_keras",
    "torch",
    "onnx",
    "onnxruntime",
    "deepface",
    "dlib",
    "cv2",
)

PREAMBLE = f"""
import sys
from pathlib import Path
home = Path(sys.argv[1])
def loaded():
    return sorted(set({HEAVY!r}) & set(sys.modules))
def load(model, detector=None, alignment=None):
    from service.vision import load_analyser
    return load_analyser(model, detector=detector, alignment=alignment, engine="auto",
                         home=home, workers=1, timeout_s=1)
"""


def output_of(code: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + code, str(home)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_vision_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import service.vision; assert 'httpx' not in sys.modules; print(loaded())"
    assert output_of(code, tmp_path) == "[]"


def test_the_default_model_loads_neither_deepface_nor_tensorflow(tmp_path: Path) -> None:
    assert (
        output_of("load('Dlib'); print(loaded())", tmp_path)
        == "['cv2', 'dlib', 'onnx', 'onnxruntime']"
    )


def test_deepfaces_alignment_loads_no_tensorflow_and_prints_nothing(tmp_path: Path) -> None:
    code = "load('Dlib', 'opencv', 'deepface'); print(loaded())"
    assert output_of(code, tmp_path) == "['cv2', 'deepface', 'dlib', 'onnx', 'onnxruntime']"


def test_an_onnx_model_loads_no_tensorflow_and_prints_nothing(tmp_path: Path) -> None:
    from .onnx_graphs import write_graph

    path = tmp_path / ".deepface" / "weights" / "arcface_weights.onnx"
    path.parent.mkdir(parents=True)
    write_graph(path, input_size=(112, 112), dimension=512)
    code = "load('ArcFace', 'opencv'); print(loaded())"
    assert output_of(code, tmp_path) == "['cv2', 'deepface', 'dlib', 'onnxruntime']"
    # and once the engine is known to agree, not even what is needed to find that out
    assert output_of(code, tmp_path) == "['cv2', 'deepface', 'onnxruntime']"
