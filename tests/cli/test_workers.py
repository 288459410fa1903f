"""`facematch serve --workers N`: several processes behind one port."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import photos
from tests.databases import copy_of
from tests.servers import Server, facematch, free_port, ready, running, start


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path), "WORKERS": "2"}


@pytest.fixture
def server(environment: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "log", environment=environment) as server:
        until(lambda: len(replicas(server)) == 2)
        yield server


@pytest.fixture(scope="module")
def lasting(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """For those who leave two workers behind."""
    folder = tmp_path_factory.mktemp("lasting")
    with copy_of(server_url, template) as url:
        environment = {"DATABASE_URL": url, "FACEMATCH_HOME": str(folder), "WORKERS": "2"}
        with running(folder / "log", environment=environment, measured=True) as server:
            until(lambda: len(replicas(server)) == 2)
            yield server


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def replicas(server: Server) -> set[int]:
    """The processes of the live replicas, by their reports."""
    answer = server.get("/stats", timeout=10).json()
    return {
        int(each["name"].rpartition(":")[2])
        for each in answer["replicas"]
        if each["state"] == "live"
    }


def workers(server: Server) -> list[psutil.Process]:
    pids = replicas(server)
    return [psutil.Process(pid) for pid in pids]


def snapshots_of(worker: psutil.Process) -> set[str]:
    """The inodes of the snapshot files that a process has mapped."""
    lines = Path(f"/proc/{worker.pid}/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if ".snapshot" in line and "(deleted)" not in line}


def test_the_workers_serve_one_port_and_share_the_pages_of_one_file(lasting: Server) -> None:
    server, files = lasting, {"file": photos.grace_bytes()}
    added = server.post("/add_face", data={"id": "grace"}, files=files, timeout=30)
    assert added.status_code == 200
    version = {"X-Min-Gallery-Version": added.headers["X-Gallery-Version"]}
    for _ in range(6):  # whichever worker takes it
        found = server.post("/match_face", files=files, headers=version, timeout=30)
        assert found.json()["matched_id"] == "grace"
    until(lambda: len({frozenset(snapshots_of(each)) for each in workers(server)}) == 1)
    until(lambda: all(len(snapshots_of(each)) == 1 for each in workers(server)))


def test_a_killed_worker_is_replaced(lasting: Server) -> None:
    killed, other = replicas(lasting)
    psutil.Process(killed).kill()
    until(lambda: len(replicas(lasting) - {killed}) == 2)
    assert other in replicas(lasting)
    assert lasting.get("/ready").status_code == 200


def test_stopping_stops_every_worker(server: Server, database_url: str) -> None:
    processes = workers(server)
    assert server.stop() == 0
    assert not any(process.is_running() for process in processes)
    assert "Traceback" not in server.log.read_text()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT name FROM replica").fetchall() == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_closed_terminal_stops_every_worker(server: Server, number: int) -> None:
    """It sends its signal to all of them at once."""
    processes = workers(server)
    for process in (psutil.Process(server.process.pid), *processes):
        process.send_signal(number)
    assert server.process.wait(timeout=30) == 0
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


def test_workers_end_with_their_supervisor(server: Server) -> None:
    processes = workers(server)
    server.kill()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive


def test_workers_that_cannot_start_say_why_once(environment: dict[str, str]) -> None:
    done = facematch(
        "serve", "--port", str(free_port()), "--model", "Nobody", environment=environment
    )
    assert done.returncode == 5
    assert done.stderr.count("[unknown_model]") == 1
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told_by_the_exit_code(
    environment: dict[str, str], lasting: Server, tmp_path: Path
) -> None:
    port = int(lasting.url.rpartition(":")[2])
    other = start(tmp_path / "other", environment=environment, port=port)
    assert other.process.wait(timeout=30) == 3
    ready(lasting)


def test_workers_end_while_they_load_as_soon_as_told(
    environment: dict[str, str], tmp_path: Path
) -> None:
    server = start(tmp_path / "log", environment=environment)
    until(lambda: len(psutil.Process(server.process.pid).children()) >= 1)
    time.sleep(1)  # Python has started, the model has not been loaded
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()
