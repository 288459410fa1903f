"""Snapshot files of a running service, as an operator sees them."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import photos
from tests.servers import WITHOUT_A_MODEL, Server, running


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}


def add_grace(server: Server) -> None:
    answer = server.post(
        "/add_face",
        data={"id": "grace"},
        files={"file": photos.grace_bytes()},
        timeout=30,
    )
    assert answer.status_code == 200


def files(folder: Path) -> list[Path]:
    return sorted((folder / "snapshots").glob("*"))


def is_in_a_file(content: bytes, folder: Path) -> bool:
    """Of those under their names, which are there at any time: a temporary one may be gone before
    it is read."""
    whole = (folder / "snapshots").glob("*.snapshot")
    return any(content in path.read_bytes() for path in whole)


def test_a_service_starts_from_what_the_last_one_left(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running(tmp_path / "first", environment=environment, module=WITHOUT_A_MODEL) as server:
        add_grace(server)
    (path,) = files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    with running(tmp_path / "second", environment=environment, module=WITHOUT_A_MODEL) as server:
        assert "1 faces from the snapshot" in server.log.read_text()
        found = server.post("/match_face", timeout=30, files={"file": photos.grace_bytes()})
        assert found.json()["matched_id"] == "grace"


def test_a_face_deleted_in_sql_leaves_the_file_while_the_service_runs(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    with (
        psycopg.connect(database_url, autocommit=True) as psql,
        running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server,
    ):
        add_grace(server)
        row = psql.execute("SELECT id FROM face").fetchone()
        assert row is not None
        face_id = row[0].bytes
        until(lambda: is_in_a_file(face_id, tmp_path))
        psql.execute("DELETE FROM subject")
        until(lambda: not is_in_a_file(face_id, tmp_path))
        assert len(files(tmp_path)) == 1


def test_none_are_kept_where_none_are_wanted(environment: dict[str, str], tmp_path: Path) -> None:
    with running(tmp_path / "first", environment=environment, module=WITHOUT_A_MODEL):
        pass
    assert files(tmp_path)
    with running(
        tmp_path / "second",
        environment={**environment, "SNAPSHOTS": "false"},
        module=WITHOUT_A_MODEL,
    ):
        assert not files(tmp_path)
    assert not files(tmp_path)


def test_a_temporary_database_leaves_the_lasting_ones_files_alone(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running(tmp_path / "first", environment=environment, module=WITHOUT_A_MODEL):
        pass
    kept = files(tmp_path)
    temporary = {"FACEMATCH_HOME": environment["FACEMATCH_HOME"]}
    with running(tmp_path / "second", "--ephemeral", environment=temporary, module=WITHOUT_A_MODEL):
        pass
    assert kept
    assert files(tmp_path) == kept


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
