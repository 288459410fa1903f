"""Keras weights of the true architectures, generated, in processes of their own."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from service.ports import Picture

MODELS = ("DeepID", "Facenet")
SCRIPT = Path(__file__).with_name("keras_round_trip.py")

pytestmark = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="the extra [tensorflow] is not installed"
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, grace: Picture) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("keras")
    np.save(folder / "picture.npy", grace)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(folder / "picture.npy"), *MODELS],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{"), "DeepFace printed"
    return cast(dict[str, Any], json.loads(done.stdout))


@pytest.mark.timeout(300)  # the first of them imports TensorFlow and builds the networks
@pytest.mark.parametrize("model", MODELS)
def test_keras_weights_of_the_true_architecture_give_deepfaces_vectors(
    model: str, reports: dict[str, Any]
) -> None:
    assert reports[model]["cosine"] >= 0.9999
    assert len(reports[model]["sha256"]) == 64


@pytest.mark.timeout(300)
def test_the_native_alignment_runs_on_keras_weights_too(reports: dict[str, Any]) -> None:
    assert reports["Facenet"]["native"] >= 0.9999


@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", MODELS)
def test_a_truncated_keras_file_is_refused_and_nothing_is_left(
    model: str, reports: dict[str, Any]
) -> None:
    assert reports[model]["damaged_refused"]
