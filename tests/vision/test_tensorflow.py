"""Keras weights of the true architectures, generated, in processes of their own."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from service.ports import Picture
from service.vision import CATALOGUE

ROOT = Path(__file__).parents[2]
MODELS = ("DeepID", "Facenet")
ARCHITECTURES = ("DeepID", "Facenet", "ArcFace", "OpenFace", "GhostFaceNet")

# the first test of each file waits for TensorFlow and for the networks
pytestmark = [
    pytest.mark.skipif(
        find_spec("tensorflow") is None, reason="the extra [tensorflow] is not installed"
    ),
    pytest.mark.timeout(600),
]


def output_of(*command: str | Path) -> str:
    # other tests loaded models in this very process, which leaves their threads' numbers behind
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_NUM")}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=inherited,
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keras")


@pytest.fixture(scope="module")
def reports(folder: Path, grace: Picture) -> dict[str, Any]:
    np.save(folder / "picture.npy", grace)
    printed = output_of(
        "-m", "tests.vision.keras_round_trip", folder, folder / "picture.npy", *MODELS
    )
    assert printed.startswith("{"), "DeepFace printed"
    return cast(dict[str, Any], json.loads(printed))


@pytest.fixture(scope="module")
def graphs() -> dict[str, Any]:
    printed = output_of("-m", "tests.vision.keras_networks", *ARCHITECTURES)
    return cast(dict[str, Any], json.loads(printed))


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_the_graph_made_of_a_network_gives_its_vectors_in_length_too(
    model: str, graphs: dict[str, Any]
) -> None:
    assert graphs[model]["graph"] > 1 - 1e-8
    assert graphs[model]["lengths"] < 1e-4
    assert graphs[model]["apart"] > 1e-6, "the two faces give one vector: nothing was compared"


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_the_compiled_network_gives_its_vectors(model: str, graphs: dict[str, Any]) -> None:
    assert graphs[model]["compiled"] > 1 - 1e-8


def test_only_models_too_large_for_a_test_are_left_out() -> None:
    keras = {spec.name for spec in CATALOGUE if spec.weights_for("tensorflow")}
    # Facenet512 is Facenet with a wider last layer; VGG-Face has half a gigabyte of weights
    assert keras - set(ARCHITECTURES) == {"Facenet512", "VGG-Face"}


@pytest.mark.parametrize("engine", ["auto", "tensorflow"])
@pytest.mark.parametrize("model", MODELS)
def test_keras_weights_of_the_true_architecture_give_deepfaces_vectors(
    model: str, engine: str, reports: dict[str, Any]
) -> None:
    assert reports[model][engine] >= 0.9999


@pytest.mark.parametrize("model", MODELS)
def test_one_file_is_one_embedding_space_on_every_engine(
    model: str, reports: dict[str, Any]
) -> None:
    assert reports[model]["auto sha256"] == reports[model]["tensorflow sha256"]
    assert len(reports[model]["auto sha256"]) == 64


@pytest.mark.parametrize("engine", ["auto", "tensorflow"])
def test_the_native_alignment_runs_on_keras_weights_too(
    engine: str, reports: dict[str, Any]
) -> None:
    assert reports["Facenet"][f"{engine} native"] >= 0.9999


@pytest.mark.parametrize("model", MODELS)
def test_a_truncated_keras_file_is_refused_and_nothing_is_left(
    model: str, reports: dict[str, Any]
) -> None:
    assert reports[model]["damaged_refused"]


@pytest.mark.usefixtures("reports")
def test_tensorflows_agreement_was_found_out_when_the_weights_came(folder: Path) -> None:
    for model in MODELS:
        records = [path.name for path in (folder / model / "agreements").iterdir()]
        assert any("-tensorflow-" in name for name in records)


LOAD = """
import sys
from pathlib import Path
from service.vision import load_analyser
analyser = load_analyser("DeepID", detector="skip", alignment=None, engine=sys.argv[2],
              home=Path(sys.argv[1]), workers=5, timeout_s=5, cores=5)
"""


@pytest.mark.usefixtures("reports")
def test_a_process_that_serves_converted_weights_never_loads_tensorflow(folder: Path) -> None:
    code = LOAD + "print('tensorflow' in sys.modules, 'onnxruntime' in sys.modules)"
    assert output_of("-W", "error", "-c", code, folder / "DeepID", "auto").strip() == "False True"


@pytest.mark.usefixtures("reports")
def test_tensorflow_gets_no_more_threads_than_its_share(folder: Path) -> None:
    """It starts its threads as it needs them, so one picture after the other is embedded."""
    code = (
        LOAD.replace("workers=5, timeout_s=5, cores=5", "workers=1, timeout_s=5, cores=1")
        + """
import numpy as np
picture = np.load(sys.argv[1] + "/../picture.npy")
for _ in range(20):
    (face,) = analyser.detect(picture)
    analyser.embed(picture, face)
names = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
print(sum(name.startswith("tf_Compute") for name in names),
      sum("Eigen" in name for name in names))
"""
    )
    pools = output_of("-c", code, folder / "DeepID", "tensorflow").split()
    assert all(int(threads) <= 1 for threads in pools), pools
    assert pools != ["0", "0"], "TensorFlow ran nothing, or its threads have other names"
