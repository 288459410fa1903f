"""The doctor finds what is ill, names it and says what to do; anti-entropy heals an index."""

import time
from pathlib import Path

import psycopg
import pytest

from tests import photos
from tests.servers import Server, facematch, running


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path / "home"),
        "DIGEST_EVERY_S": "0.5",
    }


def add(server: Server, face_id: str) -> None:
    answer = server.post(
        "/add_face",
        data={"id": face_id},
        files={"file": photos.grace_bytes()},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def found(server: Server) -> object:
    files = {"file": photos.grace_bytes()}
    return server.post("/match_face", files=files, timeout=30).json().get("matched_id")


def test_a_healthy_service_is_well(environment: dict[str, str], tmp_path: Path) -> None:
    with running(tmp_path / "log", environment=environment) as server:
        add(server, "grace")
        time.sleep(1)
        done = facematch("doctor", environment=environment)
    assert done.returncode == 0, done.stdout
    for line in (
        "ok   database: ",
        "ok   schema: revision",
        "ok   clock: ",
        "ok   weights: Dlib",
        "ok   gallery 'dlib': 1 faces, index digest equals the table's",
        "ok   replica ",
    ):
        assert line in done.stdout


def test_an_empty_schema_is_named(empty_database_url: str) -> None:
    done = facematch("doctor", environment={"DATABASE_URL": empty_database_url})
    assert done.returncode == 1
    assert "FAIL schema: " in done.stdout
    assert "facematch db upgrade" in done.stdout


def test_a_dead_replica_and_a_demoted_trigger_are_named(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running(tmp_path / "log", environment=environment) as server:
        server.kill()
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE replica SET seen_at = now() - interval '1 minute'")
    dead = facematch("doctor", environment=environment)
    assert dead.returncode == 1
    assert "silent for" in dead.stdout
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("ALTER TABLE face ENABLE TRIGGER feed_insert")
    demoted = facematch("doctor", environment=environment)
    assert "FAIL schema: trigger feed_insert of face was changed" in demoted.stdout


def test_an_index_that_differs_is_counted_and_built_anew(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        running(tmp_path / "log", environment=environment) as server,
        psycopg.connect(environment["DATABASE_URL"], autocommit=True) as sql,
    ):
        add(server, "grace")
        # a change that no trigger sees: what a restore with disabled triggers may leave behind
        with sql.transaction():
            sql.execute("ALTER TABLE face_embedding DISABLE TRIGGER USER")
            sql.execute(
                "UPDATE face_embedding SET vec = ('[1' || repeat(',0', 127) || ']')::vector"
            )
            sql.execute("ALTER TABLE face_embedding ENABLE ALWAYS TRIGGER feed_insert")
            for name in ("update", "delete", "truncate"):
                sql.execute(
                    f"ALTER TABLE face_embedding ENABLE ALWAYS TRIGGER feed_{name}".encode()
                )
        end = time.monotonic() + 15
        while found(server) is not None and time.monotonic() < end:
            time.sleep(0.1)
        assert found(server) is None
        (replica,) = server.get("/stats").json()["replicas"]
        while not replica["differences"] and time.monotonic() < end:
            time.sleep(0.1)
            (replica,) = server.get("/stats").json()["replicas"]
        assert replica["differences"] >= 1
        assert "differs from the table" in server.log.read_text()
