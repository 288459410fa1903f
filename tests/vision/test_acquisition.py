import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.errors import (
    EngineUnavailable,
    InputFileInvalid,
    ModelUnknown,
    WeightsInvalid,
    WeightsMissing,
)
from service.vision import acquisition, add, dlib_agreement, load_analyser, pull
from service.vision.dlib_files import RECOGNITION_FILE, packaged
from service.vision.engines import GRAPH_ENGINES
from service.vision.sessions import at_hand

from .onnx_graphs import write_graph


class Steps(list[tuple[int, int | None]]):
    def __call__(self, done: int, total: int | None) -> None:
        self.append((done, total))


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "somewhere" / "my model.onnx"
    path.parent.mkdir()
    write_graph(path, input_size=(112, 112), dimension=512)
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A web server on `tmp_path/somewhere` that stands for the addresses in DeepFace."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = partial(Handler, directory=str(tmp_path / "somewhere"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = Thread(target=web.serve_forever, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{web.server_address[1]}"
        urls = (f"{base}/gone.onnx", f"{base}/my%20model.onnx")
        monkeypatch.setattr(acquisition, "addresses", lambda _: urls)
        yield base
        web.shutdown()
        thread.join()


def home_of(tmp_path: Path) -> Path:
    return tmp_path / "home"


def left_in(home: Path) -> list[str]:
    folder = home / ".deepface" / "weights"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_an_added_file_gets_deepfaces_name_and_a_digest_and_serves(
    tmp_path: Path, graph: Path, steps: Steps
) -> None:
    home = home_of(tmp_path)
    path = add("ArcFace", graph, home, steps)
    assert path == home / ".deepface" / "weights" / "arcface_weights.onnx"
    assert path.read_bytes() == graph.read_bytes()
    assert left_in(home) == ["arcface_weights.onnx", "arcface_weights.onnx.sha256"]
    size = graph.stat().st_size
    assert steps[0] == (0, size)
    assert steps[-1] == (size, size)
    space = load_analyser(
        "ArcFace", detector=None, alignment=None, engine="auto", home=home, workers=1, timeout_s=1
    ).space
    assert space.weights_sha256 == hashlib.sha256(graph.read_bytes()).hexdigest()


def test_an_added_file_replaces_the_one_that_was_there(
    tmp_path: Path, graph: Path, steps: Steps
) -> None:
    home = home_of(tmp_path)
    path = add("ArcFace", graph, home, steps)
    path.write_bytes(b"damaged")
    add("ArcFace", graph, home, steps)
    assert path.read_bytes() == graph.read_bytes()
    assert left_in(home) == ["arcface_weights.onnx", "arcface_weights.onnx.sha256"]


@pytest.mark.parametrize("content", [b"", b"not a graph", None], ids=["empty", "text", "cut"])
def test_nothing_is_left_of_a_file_that_does_not_load(
    tmp_path: Path, graph: Path, steps: Steps, content: bytes | None
) -> None:
    graph.write_bytes(graph.read_bytes()[:5000] if content is None else content)
    with pytest.raises(WeightsInvalid):
        add("ArcFace", graph, home_of(tmp_path), steps)
    assert left_in(home_of(tmp_path)) == []


def test_nothing_is_left_of_another_models_file(tmp_path: Path, graph: Path, steps: Steps) -> None:
    write_graph(graph, input_size=(112, 112), dimension=256)
    with pytest.raises(WeightsInvalid, match="256 values"):
        add("ArcFace", graph, home_of(tmp_path), steps)
    assert left_in(home_of(tmp_path)) == []


def test_a_file_that_cannot_be_read_as_weights_of_any_engine_is_refused(
    tmp_path: Path, steps: Steps
) -> None:
    with pytest.raises(InputFileInvalid, match="There is no file"):
        add("ArcFace", tmp_path / "nothing.onnx", home_of(tmp_path), steps)
    text = tmp_path / "weights.txt"
    text.touch()
    with pytest.raises(InputFileInvalid, match=r"\.onnx"):
        add("ArcFace", text, home_of(tmp_path), steps)


def test_a_file_for_an_engine_that_the_model_has_not_is_refused(
    tmp_path: Path, graph: Path, steps: Steps
) -> None:
    with pytest.raises(EngineUnavailable, match="a file of dlib, not of onnxruntime"):
        add("Dlib", graph, home_of(tmp_path), steps)
    with pytest.raises(ModelUnknown):
        add("Dilb", graph, home_of(tmp_path), steps)


def test_dlibs_own_file_can_be_added(tmp_path: Path, steps: Steps) -> None:
    path = add("Dlib", packaged(RECOGNITION_FILE), home_of(tmp_path), steps)
    assert path.name == RECOGNITION_FILE
    assert path.is_relative_to(home_of(tmp_path))


def test_a_dlib_file_is_compared_with_dlib_when_it_is_added_and_not_again(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("Dlib", packaged(RECOGNITION_FILE), home_of(tmp_path), steps)
    records = list((home_of(tmp_path) / "agreements").iterdir())
    assert len(records) == sum(map(at_hand, GRAPH_ENGINES))

    def never() -> None:
        raise AssertionError("compared again")

    monkeypatch.setattr(dlib_agreement, "check_chips", never)
    space = load_analyser(
        "Dlib", detector=None, alignment=None, engine="auto", home=home_of(tmp_path), workers=1,
        timeout_s=1,
    ).space  # fmt: skip
    assert all(record.name.startswith(str(space.weights_sha256)) for record in records)


def test_nothing_is_left_of_a_dlib_file_that_onnxruntime_runs_differently(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dlib_agreement, "lowest_cosine", lambda *_: 0.9998)
    with pytest.raises(WeightsInvalid, match=r"0\.999800"):
        add("Dlib", packaged(RECOGNITION_FILE), home_of(tmp_path), steps)
    assert left_in(home_of(tmp_path)) == []
    assert not (home_of(tmp_path) / "agreements").exists()


def test_dlib_needs_no_download(tmp_path: Path, steps: Steps) -> None:
    assert pull("Dlib", home_of(tmp_path), "auto", steps) == packaged(RECOGNITION_FILE)
    assert steps == []


@pytest.mark.usefixtures("server")
def test_a_pull_tries_one_address_after_the_other(
    tmp_path: Path, graph: Path, steps: Steps
) -> None:
    home = home_of(tmp_path)
    path = pull("ArcFace", home, "auto", steps)
    assert path.read_bytes() == graph.read_bytes()
    assert left_in(home) == ["arcface_weights.onnx", "arcface_weights.onnx.sha256"]
    assert steps[-1] == (graph.stat().st_size, graph.stat().st_size)
    steps.clear()
    assert pull("ArcFace", home, "auto", steps) == path
    assert steps == []


@pytest.mark.usefixtures("server")
def test_nothing_is_left_of_a_download_that_is_not_the_model(
    tmp_path: Path, graph: Path, steps: Steps
) -> None:
    graph.write_text("<html>quota exceeded</html>")
    with pytest.raises(WeightsInvalid):
        pull("ArcFace", home_of(tmp_path), "auto", steps)
    assert left_in(home_of(tmp_path)) == []


@pytest.mark.usefixtures("server")
def test_a_failed_pull_names_the_addresses_and_the_other_ways(tmp_path: Path, steps: Steps) -> None:
    with pytest.raises(WeightsMissing) as raised:
        pull("ArcFace", home_of(tmp_path), "auto", steps)
    message = str(raised.value)
    assert "404" in message
    assert "facematch models add ArcFace FILE" in message
    assert str(home_of(tmp_path) / ".deepface" / "weights" / "arcface_weights.onnx") in message
    assert left_in(home_of(tmp_path)) == []


def test_a_pull_without_a_network_fails_at_once(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acquisition, "addresses", lambda _: ("http://127.0.0.1:9/x.onnx",))
    with pytest.raises(WeightsMissing, match="could not be downloaded"):
        pull("ArcFace", home_of(tmp_path), "auto", steps)
