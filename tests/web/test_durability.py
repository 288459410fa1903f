"""What was answered is kept: kill -9, restart, and the embedded database's life."""

import threading
import time
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tests import photos
from tests.servers import WITHOUT_A_MODEL, Server, ready, running, start


def enrol(server: Server, face_id: str) -> int:
    form = {"id": face_id}
    answer = server.post("/add_face", data=form, files={"file": photos.grace_bytes()}, timeout=30)
    return answer.status_code


def listed(server: Server) -> set[str]:
    answer = server.get("/list_faces", timeout=30).json()
    return {face["id"] for face in answer["faces"]}


def found(server: Server) -> object:
    answer = server.post("/match_face", files={"file": photos.grace_bytes()}, timeout=30)
    return answer.json().get("matched_id")


def test_kill_9_loses_nothing_that_was_answered(database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    answered: set[str] = set()
    for life in range(3):
        server = ready(start(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL))

        def add(name: str, server: Server = server) -> None:
            try:
                if enrol(server, name) == 200:
                    answered.add(name)
            except httpx.TransportError:
                pass  # killed before it answered: either outcome is right

        threads = [threading.Thread(target=add, args=(f"{life}-{number}",)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads[:4]:
            thread.join()
        server.kill()
        for thread in threads:
            thread.join()
    with running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
        assert len(answered) >= 12
        assert answered <= listed(server)
        with psycopg.connect(database_url) as connection:
            halves = connection.execute(
                "SELECT (SELECT count(*) FROM subject), (SELECT count(*) FROM face),"
                " (SELECT count(*) FROM face_embedding)"
            ).fetchone()
        assert halves is not None
        assert len(set(halves)) == 1


def postgres_of(folder: Path) -> psutil.Process:
    (file,) = (folder / "postgres").rglob("postmaster.pid")
    return psutil.Process(int(file.read_text().split()[0]))


def lives(process: psutil.Process) -> bool:
    """A container's first process may never reap its orphans: a zombie has ended."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def test_the_embedded_database_lives_and_stops_with_the_service(tmp_path: Path) -> None:
    home = {"FACEMATCH_HOME": str(tmp_path)}
    with running(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL) as server:
        assert enrol(server, "grace") == 200
        postgres = postgres_of(tmp_path)
        assert server.stop() == 0
    assert not lives(postgres)
    killed = ready(start(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL))
    assert found(killed) == "grace"
    killed.kill()
    with running(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL) as server:
        assert found(server) == "grace"
        postgres = postgres_of(tmp_path)
        assert server.stop() == 0
    assert not lives(postgres)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_embedded_database_killed_under_the_service_comes_back(
    tmp_path: Path, workers: str
) -> None:
    home = {"FACEMATCH_HOME": str(tmp_path), "WORKERS": workers}
    with running(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL) as server:
        assert enrol(server, "grace") == 200
        postgres = postgres_of(tmp_path)
        postgres.kill()
        end = time.monotonic() + 30
        while (status := enrol(server, "ada")) == 503 and time.monotonic() < end:
            time.sleep(0.1)
        # 409: it was enrolled by a try that was answered with 503
        assert status in {200, 409}
        assert listed(server) == {"grace", "ada"}
        assert postgres_of(tmp_path) != postgres
        assert server.stop() == 0
    assert "starting it again" in (tmp_path / "log").read_text()


def test_two_services_share_the_embedded_database(tmp_path: Path) -> None:
    home = {"FACEMATCH_HOME": str(tmp_path)}
    with running(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL) as first:
        with running(tmp_path / "log", environment=home, module=WITHOUT_A_MODEL) as second:
            assert enrol(second, "grace") == 200
            assert second.stop() == 0
        assert found(first) == "grace"


def test_an_ephemeral_service_leaves_nothing(tmp_path: Path) -> None:
    with running(
        tmp_path / "log",
        "--ephemeral",
        environment={"FACEMATCH_HOME": str(tmp_path)},
        module=WITHOUT_A_MODEL,
    ) as server:
        assert enrol(server, "grace") == 200
        assert found(server) == "grace"
    assert not (tmp_path / "postgres").exists()
