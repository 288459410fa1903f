"""An engine serves a model once it was seen to give what DeepFace's own call gives."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import WeightsInvalid
from service.ports import FaceAnalyser, Picture
from service.vision import find_model, load_analyser, model_agreement, recognisers
from service.vision.acquisition import add, pull
from service.vision.agreement import lowest_cosine
from service.vision.check_inputs import check_chips
from service.vision.engines import GRAPH_ENGINES, ONNXRUNTIME, OPENVINO_BF16
from service.vision.recognisers import load_recogniser
from service.vision.sessions import Session, at_hand, engine_version, open_session
from service.vision.threads import ThreadBudget

from .onnx_graphs import write_graph

MODELS = ["ArcFace", "SFace", "VGG-Face"]


@pytest.fixture(params=GRAPH_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    chosen = str(request.param)
    if not at_hand(chosen):
        pytest.skip(f"{chosen} is not installed, or not for this CPU")
    return chosen


def given(model: str, tmp_path: Path) -> Path:
    spec = find_model(model)
    path = tmp_path / "given.onnx"
    write_graph(
        path,
        input_size=spec.input_size,
        dimension=spec.dimension,
        channels_last=model != "SFace",
    )
    return path


def load(model: str, home: Path, engine: str) -> FaceAnalyser:
    return load_analyser(
        model, detector="skip", alignment=None, engine=engine, home=home, workers=1, timeout_s=1
    )


def records(home: Path) -> dict[str, dict[str, Any]]:
    """By engine."""
    found = (json.loads(path.read_text()) for path in (home / "agreements").iterdir())
    return {record["engine"]: record for record in found}


class Skewed:
    """A session whose vectors are turned away from the right ones, by `angle` in radians."""

    def __init__(self, session: Session, angle: float) -> None:
        self._session = session
        self._angle = angle

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, outputs: Any, feed: Any) -> list[NDArray[Any]]:
        (vectors,) = self._session.run(outputs, feed)
        right = vectors[0].astype(np.float64)
        aside = np.roll(right, 1)
        aside -= right * (aside @ right) / (right @ right)
        aside *= np.linalg.norm(right) / np.linalg.norm(aside)
        return [(right * np.cos(self._angle) + aside * np.sin(self._angle))[np.newaxis]]


@pytest.fixture
def skew(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What to write into it: the cosine that an engine's vectors have with the right ones."""
    cosines: dict[str, float] = {}

    def skewed(engine: str, graph: bytes | Path, budget: ThreadBudget) -> Session:
        session = open_session(engine, graph, budget)
        return Skewed(session, np.arccos(cosines[engine])) if engine in cosines else session

    monkeypatch.setattr(recognisers, "open_session", skewed)
    return cosines


def never(*_: object) -> float:
    raise AssertionError("measured again")


@pytest.mark.parametrize("model", MODELS)
def test_every_engine_at_hand_is_compared_when_weights_come_and_not_at_start(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(model, given(model, tmp_path), tmp_path, lambda done, total: None)
    found = records(tmp_path)
    assert set(found) == {engine for engine in GRAPH_ENGINES if at_hand(engine)}
    monkeypatch.setattr(model_agreement, "lowest_cosine", never)
    for engine, record in found.items():
        assert record["engine_version"] == engine_version(engine)
        assert record["program_sha256"] == record["weights_sha256"]
        space = load(model, tmp_path, engine).space
        assert space.weights_sha256 == record["weights_sha256"]


def test_a_file_put_there_by_hand_is_compared_at_its_first_start_only(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / ".deepface" / "weights" / "arcface_weights.onnx"
    place.parent.mkdir(parents=True)
    given("ArcFace", tmp_path).rename(place)
    load("ArcFace", tmp_path, engine)
    assert set(records(tmp_path)) == {engine}
    monkeypatch.setattr(model_agreement, "lowest_cosine", never)
    load("ArcFace", tmp_path, engine)


def test_pulling_weights_that_are_there_compares_what_was_not_compared_yet(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    for record in (tmp_path / "agreements").iterdir():
        record.unlink()
    assert pull("ArcFace", tmp_path, engine, lambda done, total: None) == path
    assert engine in records(tmp_path)
    monkeypatch.setattr(model_agreement, "lowest_cosine", never)
    pull("ArcFace", tmp_path, engine, lambda done, total: None)


def test_another_version_of_the_engine_is_compared_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    monkeypatch.setattr(onnxruntime, "__version__", "99.0")
    monkeypatch.setattr(model_agreement, "lowest_cosine", never)
    with pytest.raises(AssertionError, match="measured again"):
        load("ArcFace", tmp_path, ONNXRUNTIME)


@pytest.mark.parametrize("by", [-0.0002, 0.00005])
def test_an_engine_that_turns_vectors_too_far_does_not_serve(
    by: float, engine: str, tmp_path: Path, skew: dict[str, float]
) -> None:
    """It must reach 0.9999, and with bfloat16 0.999."""
    least = 0.999 if engine == OPENVINO_BF16 else 0.9999
    add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    for record in (tmp_path / "agreements").iterdir():
        record.unlink()
    skew[engine] = least + by
    if by > 0:
        assert load("ArcFace", tmp_path, engine).space.model == "ArcFace"
        return
    with pytest.raises(WeightsInvalid, match=f"ArcFace on {engine} .* and {least} is needed"):
        load("ArcFace", tmp_path, engine)
    assert records(tmp_path) == {}


def test_weights_that_the_engine_runs_differently_do_not_come_in(
    tmp_path: Path, skew: dict[str, float]
) -> None:
    skew[ONNXRUNTIME] = 0.99
    with pytest.raises(WeightsInvalid, match=r"0\.990000 at worst"):
        add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    assert list((tmp_path / ".deepface" / "weights").iterdir()) == []


def test_an_engine_that_nobody_asked_for_only_gets_a_warning(
    tmp_path: Path, skew: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    others = [engine for engine in GRAPH_ENGINES[1:] if at_hand(engine)]
    if not others:
        pytest.skip("there is only one engine")
    skew.update(dict.fromkeys(others, 0.9))
    with caplog.at_level(logging.WARNING):
        add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    assert set(records(tmp_path)) == {ONNXRUNTIME}
    assert all(f"will not run on {engine}" in caplog.text for engine in others)


class InsightFace:
    """The part of InsightFace's class for a recognition model that DeepFace calls; the package
    itself would bring a second OpenCV."""

    def __init__(self, path: Path) -> None:
        self.session: Any = open_session(ONNXRUNTIME, path, ThreadBudget())

    def get_feat(self, picture: Picture) -> NDArray[np.float32]:
        planes = (picture[:, :, ::-1].transpose(2, 0, 1)[np.newaxis] - 127.5) / 127.5
        (vectors,) = self.session.run(["embedding"], {"picture": planes.astype(np.float32)})
        found: NDArray[np.float32] = vectors
        return found


def test_insightfaces_session_is_replaced_by_ours(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_model("Buffalo_L")
    path = tmp_path / "webface_r50.onnx"
    write_graph(path, input_size=(112, 112), dimension=512, channels_last=False)
    own = InsightFace(path)
    chip = check_chips((112, 112))[0]
    expected = own.get_feat(chip[:, :, ::-1]).astype(np.float64)
    monkeypatch.setattr(recognisers, "require", lambda *_: None)
    monkeypatch.setattr(recognisers, "find_class", lambda *_: lambda: SimpleNamespace(model=own))
    before = own.session
    recogniser = load_recogniser(spec, engine, path, tmp_path, ThreadBudget())
    assert own.session is not before
    assert lowest_cosine(recogniser.describe_chip(chip)[np.newaxis], expected) > 0.999


def test_the_served_embedding_is_onnxruntimes_on_every_engine(
    engine: str, tmp_path: Path, grace: Picture
) -> None:
    add("ArcFace", given("ArcFace", tmp_path), tmp_path, lambda done, total: None)
    first, other = load("ArcFace", tmp_path, ONNXRUNTIME), load("ArcFace", tmp_path, engine)
    assert first.space == other.space
    (face,) = first.detect(grace)
    least = 0.999 if engine == OPENVINO_BF16 else 0.9999
    assert float(first.embed(grace, face) @ other.embed(grace, face)) >= least
