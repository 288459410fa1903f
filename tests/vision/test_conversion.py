"""Keras weights are converted once, and what is kept is used only while it is whole.

What TensorFlow does in the process of its own is in test_tensorflow.py; here a graph of the
model's signature and what DeepFace says to it stand for it.
"""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import EngineUnavailable, WeightsInvalid
from service.ports import FaceAnalyser
from service.vision import conversion, find_model, load_analyser
from service.vision.acquisition import add
from service.vision.conversion import Conversion, convert
from service.vision.engines import ONNXRUNTIME
from service.vision.recognisers import load_reference
from service.vision.weights import Weights, locate, path_of

from .onnx_graphs import write_graph

SPEC = find_model("DeepID")
KERAS = SPEC.weights[1]


class Exports(list[str]):
    """Stands for the process; its graph is another one for other weights."""

    def __call__(self, model: str, deepface: Path, home: Path, folder: Path) -> None:
        self.append(model)
        weights = path_of(KERAS, deepface).read_bytes()
        graph = folder / conversion.GRAPH
        write_graph(graph, input_size=SPEC.input_size, dimension=SPEC.dimension, seed=len(weights))
        published = path_of(SPEC.weights[0], folder)
        published.parent.mkdir(parents=True)
        published.write_bytes(graph.read_bytes())
        reference = load_reference(SPEC, ONNXRUNTIME, published, folder)
        np.save(folder / conversion.REFERENCE, reference.describe_checks())


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> Exports:
    made = Exports()
    monkeypatch.setattr(conversion, "_export", made)
    monkeypatch.setattr(conversion, "require_tensorflow", lambda: None)
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    path = path_of(KERAS, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"keras")
    return locate(SPEC, "tensorflow", tmp_path)


def load(home: Path, engine: str = "auto", wanted: str | None = None) -> FaceAnalyser:
    return load_analyser(
        "DeepID", detector="skip", alignment=None, engine=engine, home=home, workers=1,
        timeout_s=1, weights_sha256=wanted,
    )  # fmt: skip


def names(weights: Weights) -> list[str]:
    return sorted(path.name for path in weights.path.parent.iterdir())


def kept(weights: Weights) -> list[str]:
    """All that belongs to the weights."""
    made = Conversion.of(weights)
    files = (weights.path, made.graph, made.reference)
    return sorted(name for path in files for name in (path.name, f"{path.name}.sha256"))


def test_a_start_converts_once_and_keeps_the_graph_beside_the_weights(
    tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    space = load(tmp_path).space
    assert load(tmp_path).space == space
    assert exports == ["DeepID"]
    assert names(weights) == kept(weights)
    graph = Conversion.of(weights).graph.name
    assert weights.sha256 in graph
    assert "deepface0.0.103" in graph


def test_the_embedding_space_is_that_of_the_keras_weights(
    tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    assert load(tmp_path).space.weights_sha256 == weights.sha256


@pytest.mark.parametrize("part", ["graph", "reference", "sidecar"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_what_is_not_whole_is_made_anew(
    part: str, damage: str, tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    load(tmp_path)
    made = Conversion.of(weights)
    sidecar = made.graph.with_name(f"{made.graph.name}.sha256")
    path = {"graph": made.graph, "reference": made.reference, "sidecar": sidecar}[part]
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:40])
    for record in (tmp_path / "agreements").iterdir():
        record.unlink()
    load(tmp_path)
    assert len(exports) == 2
    assert names(weights) == kept(weights)


def test_other_weights_are_converted_anew_and_nothing_is_left_of_the_old(
    tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    load(tmp_path)
    weights.path.write_bytes(b"other keras")
    weights.path.with_name(f"{weights.path.name}.sha256").unlink()
    other = locate(SPEC, "tensorflow", tmp_path)
    assert load(tmp_path).space.weights_sha256 == other.sha256 != weights.sha256
    assert names(other) == kept(other)


def test_of_many_processes_one_converts_and_the_others_take_what_it_made(
    tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    """The lock is the kernel's, on an open folder; so threads exclude each other as well."""

    def one(_: int) -> tuple[Conversion, str]:
        return convert(SPEC, weights, deepface=tmp_path, home=tmp_path)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(one, range(4)))) == 1
    assert exports == ["DeepID"]


def test_what_a_killed_process_left_is_removed(
    tmp_path: Path, weights: Weights, exports: Exports
) -> None:
    left = weights.path.parent / ".converting-x"
    left.mkdir()
    (left / "graph.onnx").write_bytes(b"half a graph")
    load(tmp_path)
    assert names(weights) == kept(weights)


def test_nothing_is_left_when_the_weights_do_not_fit(
    tmp_path: Path, weights: Weights, exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: str, deepface: Path, home: Path, folder: Path) -> None:
        (folder / conversion.GRAPH).write_bytes(b"half a graph")
        raise WeightsInvalid("not complete weights")

    monkeypatch.setattr(conversion, "_export", refuse)
    with pytest.raises(WeightsInvalid, match="not complete weights"):
        load(tmp_path)
    assert names(weights) == [weights.path.name, f"{weights.path.name}.sha256"]


def test_a_folder_that_cannot_be_written_to_says_what_to_do(
    tmp_path: Path, weights: Weights, exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(**_: object) -> object:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", read_only)
    with pytest.raises(EngineUnavailable, match=r"Read-only .* writable, or use ENGINE=tensorflow"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (subprocess.CompletedProcess([], -9, "", ""), "exit status -9, -9 when memory ran out"),
        (subprocess.CompletedProcess([], 1, "", "Traceback\nError: why"), "Error: why"),
        (subprocess.TimeoutExpired([], 900), "took longer than 900 s"),
    ],
)
def test_a_process_that_fails_leaves_a_clear_error(
    outcome: Any,
    message: str,
    tmp_path: Path,
    weights: Weights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*_: object, **__: object) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(conversion, "require_tensorflow", lambda: None)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(EngineUnavailable, match=message):
        load(tmp_path)
    assert names(weights) == [weights.path.name, f"{weights.path.name}.sha256"]


def test_an_added_file_comes_with_its_conversion(
    tmp_path: Path, exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given.h5"
    given.write_bytes(b"keras weights")
    add("DeepID", given, tmp_path, lambda done, total: None)
    there = locate(SPEC, "tensorflow", tmp_path)
    assert names(there) == kept(there)
    load(tmp_path)
    assert exports == ["DeepID"]
    given.write_bytes(b"other keras weights")
    add("DeepID", given, tmp_path, lambda done, total: None)
    other = locate(SPEC, "tensorflow", tmp_path)
    assert names(other) == kept(other)


class TestTwoFilesOfOneModel:
    def published(self, tmp_path: Path, seed: int) -> Path:
        path = tmp_path / "published.onnx"
        write_graph(path, input_size=SPEC.input_size, dimension=SPEC.dimension, seed=seed)
        return path

    def added(self, tmp_path: Path, seed: int) -> tuple[str, str]:
        """The digests of Keras weights and of a published graph, both added."""
        given = tmp_path / "given.h5"
        given.write_bytes(b"keras")
        add("DeepID", given, tmp_path, lambda done, total: None)
        add("DeepID", self.published(tmp_path, seed), tmp_path, lambda done, total: None)
        files = [locate(SPEC, engine, tmp_path) for engine in ("tensorflow", "onnxruntime")]
        return files[0].sha256, files[1].sha256

    def test_are_one_space_once_they_were_seen_to_agree(
        self, tmp_path: Path, exports: Exports
    ) -> None:
        keras, onnx = self.added(tmp_path, seed=len(b"keras"))
        assert keras != onnx
        assert load(tmp_path).space.weights_sha256 == onnx
        (tmp_path / ".deepface" / "weights" / KERAS.name).unlink()
        assert load(tmp_path, wanted=keras).space.weights_sha256 == keras

    def test_are_two_spaces_where_they_differ(self, tmp_path: Path, exports: Exports) -> None:
        keras, onnx = self.added(tmp_path, seed=99)
        (tmp_path / ".deepface" / "weights" / KERAS.name).unlink()
        assert load(tmp_path, wanted=keras).space.weights_sha256 == onnx

    def test_the_gallerys_own_file_serves_it_where_both_are_there(
        self, tmp_path: Path, exports: Exports
    ) -> None:
        keras, onnx = self.added(tmp_path, seed=99)
        for wanted in (keras, onnx):
            assert load(tmp_path, wanted=wanted).space.weights_sha256 == wanted
