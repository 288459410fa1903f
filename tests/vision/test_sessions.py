"""The engines of graphs: one port, the same vectors, bounded threads, and nobody is told."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import EngineUnavailable
from service.vision import openvino_sessions, sessions
from service.vision.engines import GRAPH_ENGINES, ONNXRUNTIME, OPENVINO, OPENVINO_BF16
from service.vision.onnx_writer import GraphWriter
from service.vision.openvino_sessions import BFLOAT16, OpenVinoSession
from service.vision.sessions import Session, at_hand, engine_version, open_session
from service.vision.threads import ThreadBudget

SIDE = 56

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="the extra [openvino] is not installed"
)


def convolutions(depth: int) -> bytes:
    """A graph that takes some time: float32 (n, 56, 56, 3) to (n, 64)."""
    writer = GraphWriter()
    random = np.random.default_rng(1)
    value = writer.node("Transpose", ["pixels"], perm=[0, 3, 1, 2])
    channels = 3
    for _ in range(depth):
        kernel = random.standard_normal((64, channels, 3, 3)) / np.sqrt(9 * channels)
        weights = writer.constant(kernel.astype(np.float32))
        value = writer.node("Conv", [value, weights], pads=[1, 1, 1, 1])
        value = writer.node("Relu", [value])
        channels = 64
    value = writer.node("Flatten", [writer.node("GlobalAveragePool", [value])], axis=1)
    return writer.model(
        "convolutions", given="pixels", shape=(SIDE, SIDE, 3), dtype=np.float32,
        result="vectors", value=value, size=64,
    )  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> bytes:
    return convolutions(4)


@pytest.fixture(params=GRAPH_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    chosen = str(request.param)
    if not at_hand(chosen):
        pytest.skip(f"{chosen} is not installed, or not for this CPU")
    return chosen


def face(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((1, SIDE, SIDE, 3), dtype=np.float32)


def cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    one, other = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def run(session: Session, seed: int = 0) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = session.run(None, {"pixels": face(seed)})[0][0]
    return vector


def test_every_engine_gives_onnxruntimes_vectors(engine: str, graph: bytes) -> None:
    reference = open_session(ONNXRUNTIME, graph, ThreadBudget())
    session = open_session(engine, graph, ThreadBudget())
    least = 0.999 if engine == OPENVINO_BF16 else 1 - 1e-6
    assert cosine(run(session), run(reference)) > least


def test_a_graph_may_lie_in_a_file(engine: str, graph: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a graph.onnx"
    path.write_bytes(graph)
    session = open_session(engine, path, ThreadBudget())
    assert [given.name for given in session.get_inputs()] == ["pixels"]
    np.testing.assert_array_equal(
        session.run(["vectors"], {"pixels": face()})[0],
        open_session(engine, graph, ThreadBudget()).run(None, {"pixels": face()})[0],
    )


def test_a_foreign_graph_is_refused(engine: str) -> None:
    with pytest.raises(Exception, match=r"(?i)model|protobuf"):
        open_session(engine, b"not a graph", ThreadBudget())


def test_a_wrong_input_is_refused_and_the_next_one_answered(engine: str, graph: bytes) -> None:
    session = open_session(engine, graph, ThreadBudget())
    expected = run(session)
    with pytest.raises(Exception, match=r"(?i)shape|dimension|size"):
        session.run(None, {"pixels": face()[:, :10]})
    np.testing.assert_array_equal(run(session), expected)


def test_many_threads_share_a_session_and_none_gets_anothers_vector(
    engine: str, graph: bytes
) -> None:
    session = open_session(engine, graph, ThreadBudget(runs=2))
    expected = [run(session, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: run(session, seed % 8), range(64)))
    for number, vector in enumerate(found):
        np.testing.assert_allclose(vector, expected[number % 8], rtol=1e-5, atol=1e-6)


def slow_session(engine: str) -> Session:
    """Whose run takes a while, whatever the CPU multiplies with."""
    for depth in (40, 160, 640):
        session = open_session(engine, convolutions(depth), ThreadBudget())
        run(session)
        began = time.perf_counter()
        run(session)
        if time.perf_counter() - began > 0.05:
            break
    return session


def test_the_lock_of_python_is_free_while_an_engine_runs(engine: str) -> None:
    session = slow_session(engine)
    done = threading.Event()
    steps = 0

    def work() -> None:
        run(session)
        done.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # then nobody gets the lock who is not handed it
    thread = threading.Thread(target=work)
    try:
        began = time.perf_counter()
        thread.start()
        while not done.wait(0.001):
            steps += 1
        took = time.perf_counter() - began
    finally:
        sys.setswitchinterval(before)
        thread.join()
    assert took > 0.02, "too quick to see anything"
    assert steps >= 5


def started(open_it: Callable[[], object]) -> int:
    """Threads that are there afterwards and were not before."""
    tasks = Path("/proc/self/task")
    before = set(tasks.iterdir())
    kept = open_it()
    count = len(set(tasks.iterdir()) - before)
    del kept
    return count


@pytest.mark.parametrize("threads", [1, 3])
def test_onnxruntime_starts_one_thread_fewer_than_work_on_a_run(graph: bytes, threads: int) -> None:
    budget = ThreadBudget(runs=2, threads=threads)
    assert started(lambda: open_session(ONNXRUNTIME, graph, budget)) == threads - 1


@needs_openvino
@pytest.mark.parametrize(("runs", "threads"), [(1, 1), (1, 2), (2, 1)])
def test_openvino_counts_the_threads_of_all_runs_together(
    graph: bytes, runs: int, threads: int
) -> None:
    session = open_session(OPENVINO, graph, ThreadBudget(runs, threads))
    assert isinstance(session, OpenVinoSession)
    compiled = session._compiled
    assert compiled.get_property("NUM_STREAMS") == runs
    assert compiled.get_property("INFERENCE_NUM_THREADS") == runs * threads
    assert compiled.get_property("ENABLE_CPU_PINNING") is False


@needs_openvino
def test_openvino_starts_no_thread_when_more_ask_than_may_run(graph: bytes) -> None:
    session = open_session(OPENVINO, graph, ThreadBudget(runs=2))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: run(session, seed), range(32)))
        after_some = len(list(Path("/proc/self/task").iterdir()))
        list(pool.map(lambda seed: run(session, seed), range(128)))
        assert len(list(Path("/proc/self/task").iterdir())) <= after_some


@needs_openvino
def test_the_precision_is_the_one_that_was_asked_for(engine: str, graph: bytes) -> None:
    if engine == ONNXRUNTIME:
        pytest.skip("onnxruntime has one precision")
    session = open_session(engine, graph, ThreadBudget())
    assert isinstance(session, OpenVinoSession)
    precision = session._compiled.get_property("INFERENCE_PRECISION_HINT")
    assert precision.to_string() == ("bf16" if engine == OPENVINO_BF16 else "f32")


@needs_openvino
def test_bfloat16_is_refused_where_it_would_only_be_imitated(
    graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = SimpleNamespace(get_property=lambda *_: ["FP32", "INT8"])
    monkeypatch.setattr(openvino_sessions, "_openvino", lambda: SimpleNamespace(Core=lambda: core))
    assert not at_hand(OPENVINO_BF16)
    with pytest.raises(EngineUnavailable, match=r"no instructions for bfloat16 .* ENGINE=openvino"):
        OpenVinoSession(graph, BFLOAT16, ThreadBudget())


def test_openvino_not_installed_says_what_to_install(
    graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.vision import deepface_library

    for module in (deepface_library, sessions):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert not at_hand(OPENVINO)
    assert not at_hand(OPENVINO_BF16)
    with pytest.raises(EngineUnavailable, match=r"pip install 'facematch\[openvino\]'"):
        open_session(OPENVINO, graph, ThreadBudget())


def test_a_version_can_be_part_of_a_file_name(engine: str) -> None:
    assert engine_version(engine)[0].isdigit()
    assert "/" not in engine_version(engine)


@needs_openvino
def test_openvino_reports_to_nobody_and_leaves_nothing_in_the_home_folder(
    graph: bytes, tmp_path: Path
) -> None:
    """Its package would, at import: to Google Analytics, in a process that it starts for that."""
    code = f"""
import sys
seen = []
hook = lambda event, given: seen.append(event) if event.startswith(
    ("socket.connect", "socket.getaddrinfo", "subprocess", "os.fork", "os.posix_spawn")) else None
sys.addaudithook(hook)
from service.vision.sessions import open_session
from service.vision.threads import ThreadBudget
open_session("openvino", open({str(tmp_path / "g.onnx")!r}, "rb").read(), ThreadBudget())
print(seen, sorted(m for m in sys.modules if m.startswith("openvino_telemetry.")))
"""
    (tmp_path / "g.onnx").write_bytes(graph)
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] []"
    assert list(home.iterdir()) == []
