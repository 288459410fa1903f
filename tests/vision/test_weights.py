import hashlib
import os
from pathlib import Path
from typing import Any, get_args

import pytest

from service.errors import (
    EngineUnavailable,
    ModelUnknown,
    SettingsInvalid,
    WeightsInvalid,
    WeightsMissing,
)
from service.ports import FaceAnalyser
from service.settings import Settings
from service.vision import (
    deepface_library,
    dlib_agreement,
    find_model,
    list_models,
    load_analyser,
    recognisers,
)
from service.vision.dlib_files import RECOGNITION_FILE, packaged
from service.vision.engines import ENGINES, resolve_engine
from service.vision.sessions import open_session
from service.vision.threads import ThreadBudget
from service.vision.weights import locate

from .onnx_graphs import write_graph


def load(model: str, home: Path, engine: str = "auto") -> FaceAnalyser:
    return load_analyser(
        model, detector="opencv" if model != "Dlib" else None, alignment=None, engine=engine,
        home=home, workers=1, timeout_s=1,
    )  # fmt: skip


def weights(home: Path, name: str) -> Path:
    path = home / ".deepface" / "weights" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def arcface(home: Path) -> Path:
    path = weights(home, "arcface_weights.onnx")
    write_graph(path, input_size=(112, 112), dimension=512)
    return path


def test_missing_weights_name_the_file_its_address_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as raised:
        load("ArcFace", tmp_path)
    message = str(raised.value)
    assert str(tmp_path / ".deepface" / "weights" / "arcface_weights.onnx") in message
    assert "https://github.com/serengil/deepface_models" in message
    assert "facematch models add ArcFace FILE" in message


def test_the_digest_of_a_file_copied_by_hand_is_written_once_beside_it(tmp_path: Path) -> None:
    path = arcface(tmp_path)
    space = load("ArcFace", tmp_path).space
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert space.weights_sha256 == digest
    sidecar = path.with_name("arcface_weights.onnx.sha256")
    assert sidecar.read_text() == f"{digest}  arcface_weights.onnx\n"


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    path = arcface(tmp_path)
    load("ArcFace", tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(WeightsInvalid, match="damaged or replaced"):
        load("ArcFace", tmp_path)


@pytest.mark.parametrize("sidecar", ["", "not a digest"])
def test_an_unreadable_sidecar_counts_as_a_difference(tmp_path: Path, sidecar: str) -> None:
    path = arcface(tmp_path)
    path.with_name("arcface_weights.onnx.sha256").write_text(sidecar)
    with pytest.raises(WeightsInvalid):
        load("ArcFace", tmp_path)


def test_truncated_onnx_weights_are_refused(tmp_path: Path) -> None:
    path = arcface(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsInvalid, match="ArcFace"):
        load("ArcFace", tmp_path)


def test_truncated_dlib_weights_are_refused(tmp_path: Path) -> None:
    path = weights(tmp_path, RECOGNITION_FILE)
    path.write_bytes(packaged(RECOGNITION_FILE).read_bytes()[:1_000_000])
    for engine in ("onnxruntime", "dlib"):
        with pytest.raises(WeightsInvalid, match="not a complete dlib recognition model"):
            load("Dlib", tmp_path, engine)


def test_the_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    write_graph(weights(tmp_path, "arcface_weights.onnx"), input_size=(112, 112), dimension=128)
    with pytest.raises(WeightsInvalid, match="128 values"):
        load("ArcFace", tmp_path)
    write_graph(weights(tmp_path, "facenet_weights.onnx"), input_size=(112, 112), dimension=128)
    with pytest.raises(WeightsInvalid, match="Facenet"):
        load("Facenet", tmp_path)


def test_deepface_home_in_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = arcface(elsewhere)
    monkeypatch.setenv("DEEPFACE_HOME", str(elsewhere))
    assert load("ArcFace", tmp_path / "home").space.model == "ArcFace"
    assert path in {status.path for status in list_models(tmp_path / "home") if status.present}


def test_the_setting_knows_every_engine() -> None:
    assert get_args(Settings.model_fields["engine"].annotation) == ("auto", *ENGINES)


def test_onnxruntime_is_the_engine_unless_another_is_asked_for() -> None:
    assert resolve_engine("auto") == "onnxruntime"
    assert resolve_engine("openvino-bf16") == "openvino-bf16"


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "openvino-bf16"])
def test_an_engine_of_graphs_takes_the_published_one_and_else_keras_weights(
    engine: str, tmp_path: Path
) -> None:
    spec = find_model("ArcFace")
    weights(tmp_path, "arcface_weights.h5").write_bytes(b"keras")
    assert locate(spec, engine, tmp_path).path.name == "arcface_weights.h5"
    arcface(tmp_path)
    assert locate(spec, engine, tmp_path).path.name == "arcface_weights.onnx"
    assert locate(spec, "tensorflow", tmp_path).path.name == "arcface_weights.h5"


def test_the_weights_of_a_gallery_are_taken_before_others(tmp_path: Path) -> None:
    spec = find_model("ArcFace")
    weights(tmp_path, "arcface_weights.h5").write_bytes(b"keras")
    keras = locate(spec, "tensorflow", tmp_path)
    onnx = arcface(tmp_path)
    assert locate(spec, "onnxruntime", tmp_path, keras.sha256) == keras
    assert locate(spec, "onnxruntime", tmp_path, "0" * 64).path == onnx


def test_an_engine_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="ENGINE: there is no 'cuda'"):
        load("ArcFace", tmp_path, engine="cuda")


def test_a_model_without_weights_for_the_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"DeepFace runs on .*, not on tensorflow"):
        load("DeepFace", tmp_path, engine="tensorflow")


def test_dlib_runs_dlib_alone_and_tensorflow_runs_no_dlib(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"ArcFace runs on .*or tensorflow, not on dlib"):
        load("ArcFace", tmp_path, engine="dlib")
    with pytest.raises(EngineUnavailable, match=r"Dlib runs on .* or dlib, not on tensorflow"):
        load("Dlib", tmp_path, engine="tensorflow")


@pytest.mark.parametrize(("workers", "threads"), [(1, 6), (2, 3), (4, 1), (50, 1)])
def test_workers_share_the_cores(
    workers: int, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def session(engine: str, graph: bytes | Path, budget: ThreadBudget) -> Any:
        taken.append(budget.threads)
        return open_session(engine, graph, budget)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    for module in (recognisers, dlib_agreement):
        monkeypatch.setattr(module, "open_session", session)
    arcface(tmp_path)
    for model in ("ArcFace", "Dlib"):
        load_analyser(
            model, detector=None, alignment=None, engine="auto", home=tmp_path, workers=workers,
            timeout_s=1,
        )  # fmt: skip
    assert taken == [threads, threads]


def test_tensorflow_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights(tmp_path, "arcface_weights.h5").write_bytes(b"weights")
    monkeypatch.setattr(deepface_library, "find_spec", lambda _: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'facematch\[tensorflow\]'"):
        load("ArcFace", tmp_path)


def test_a_model_without_its_package_says_what_to_install(tmp_path: Path) -> None:
    weights(tmp_path, "buffalo_l/webface_r50.onnx").write_bytes(b"weights")
    with pytest.raises(EngineUnavailable, match="pip install insightface"):
        load("Buffalo_L", tmp_path)


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnknown):
        load("Arcface", tmp_path)


def test_the_list_shows_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    path = arcface(tmp_path)
    load("ArcFace", tmp_path)
    listed = {(status.spec.name, status.file.engine): status for status in list_models(tmp_path)}
    assert listed["Dlib", "dlib"].present
    there = listed["ArcFace", "onnxruntime"]
    assert there.present
    assert there.path == path
    assert there.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    absent = listed["ArcFace", "tensorflow"]
    assert not absent.present
    assert absent.path == path.with_name("arcface_weights.h5")
    assert absent.sha256 is None
