"""Read your writes on any replica: versions out, versions in, and versions that were lost."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from service.web.problems import VERSION_HEADER
from tests import photos
from tests.servers import WITHOUT_A_MODEL, Server, ready, start

AT_LEAST = "X-Min-Gallery-Version"


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "WRITE_WAIT_S": "2",
        "WAIT_ALL_S": "3",
    }
    servers = [
        start(tmp_path / f"log-{n}", environment=environment, module=WITHOUT_A_MODEL)
        for n in range(2)
    ]
    yield ready(servers[0]), ready(servers[1])
    for server in servers:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGCONT)
            server.stop()


def add(server: Server, face_id: str) -> httpx.Response:
    answer = server.post(
        "/add_face",
        data={"id": face_id},
        files={"file": photos.grace_bytes()},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer


def match(server: Server, version: str | None = None) -> httpx.Response:
    headers = {} if version is None else {AT_LEAST: version}
    files = {"file": photos.grace_bytes()}
    return server.post("/match_face", files=files, headers=headers, timeout=30)


def test_a_version_from_one_replica_is_honoured_by_the_other(pair: tuple[Server, Server]) -> None:
    one, other = pair
    for number in range(5):
        version = add(one, f"grace-{number}").headers[VERSION_HEADER]
        found = match(other, version)
        assert found.json()["match_found"] is True
        gone = one.delete(f"/delete_face/grace-{number}", timeout=30)
        nobody = match(other, gone.headers[VERSION_HEADER])
        assert nobody.json() | {"processing_time_ms": 0} == {
            "match_found": False,
            "similarity_score": None,
            "threshold": 0.922,
            "message": "No face match found above threshold",
            "processing_time_ms": 0,
        }


def test_a_version_the_database_lost_is_said_to_be_lost(
    pair: tuple[Server, Server], database_url: str
) -> None:
    one, other = pair
    version = add(one, "grace").headers[VERSION_HEADER]
    number, _, mark = version.partition("-")
    for lost in (f"{int(number) + 1}-{mark}", f"{number}-{'0' * 32}", f"9999-{'1' * 32}"):
        for server in pair:
            answer = match(server, lost)
            assert (answer.status_code, answer.json()["code"]) == (409, "version_lost")
    # what a failover leaves behind: the same number with another mark
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE gallery SET mark = gen_random_uuid(), version = version + 5")
        connection.execute("DELETE FROM gallery_change")
    assert match(other, version).json()["code"] == "version_lost"


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1-2", "-1-" + "0" * 32, "9" * 400 + "-" + "0" * 32]
)
def test_a_malformed_version_is_refused(text: str, client: httpx.Client) -> None:
    answer = client.get("/list_faces", headers={AT_LEAST: text})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_replica_that_lags_refuses_in_time(
    pair: tuple[Server, Server], database_url: str
) -> None:
    add(pair[0], "grace")
    with (
        psycopg.connect(database_url) as lock,
        psycopg.connect(database_url, autocommit=True) as writer,
    ):
        # replicas read behind locks, so nobody can follow while this one is held
        lock.execute("LOCK TABLE face_embedding IN ACCESS EXCLUSIVE MODE")
        writer.execute("INSERT INTO subject (gallery_id, external_id) SELECT id, 'x' FROM gallery")
        row = writer.execute("SELECT version || '-' || replace(mark::text, '-', '') FROM gallery")
        (version,) = row.fetchone() or ("",)
        answer = match(pair[1], version)
        assert (answer.status_code, answer.json()["code"]) == (503, "gallery_behind")
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.elapsed.total_seconds() < 6
    assert match(pair[1], version).json()["matched_id"] == "grace"


def test_stats_name_every_replica_and_its_version(pair: tuple[Server, Server]) -> None:
    one, other = pair
    version = add(one, "grace").headers[VERSION_HEADER]
    end = time.monotonic() + 10
    while True:
        replicas: list[dict[str, Any]] = other.get("/stats").json()["replicas"]
        if [each["version"] for each in replicas] == [version, version] or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert [(each["state"], each["behind"]) for each in replicas] == [("live", 0)] * 2
    assert {each["name"].rpartition(":")[2] for each in replicas} == {
        str(one.process.pid),
        str(other.process.pid),
    }
    other.stop()
    assert len(one.get("/stats").json()["replicas"]) == 1


def test_a_deletion_waits_for_all_when_asked(
    pair: tuple[Server, Server], database_url: str
) -> None:
    one, other = pair
    names = {name: f":{server.process.pid}" for name, server in (("one", one), ("other", other))}
    add(one, "grace")
    answer = one.delete("/delete_face/grace", params={"wait": "all"}, timeout=30).json()
    assert sorted(name.rpartition(":")[2] for name in answer["replicas"]["applied"]) == sorted(
        (str(one.process.pid), str(other.process.pid))
    )
    assert (answer["replicas"]["pending"], answer["replicas"]["dead"]) == ([], [])

    add(one, "grace")
    other.process.send_signal(signal.SIGSTOP)
    answer = one.delete("/delete_face/grace", params={"wait": "all"}, timeout=30).json()
    (pending,) = answer["replicas"]["pending"]
    assert pending.endswith(names["other"])

    add(one, "grace")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE replica SET seen_at = now() - interval '20 s' WHERE name LIKE %s",
            ("%" + names["other"],),
        )
    answer = one.delete("/delete_face/grace", params={"wait": "all"}, timeout=30).json()
    (dead,) = answer["replicas"]["dead"]
    assert dead.endswith(names["other"])
    (applied,) = answer["replicas"]["applied"]
    assert applied.endswith(names["one"])
    states = {
        each["name"]: (each["state"], each["behind"])
        for each in one.get("/stats").json()["replicas"]
    }
    assert states[dead][0] == "dead"
    assert states[dead][1] > 0
    assert states[applied] == ("live", 0)
    # back to life, it catches up and reports by itself
    other.process.send_signal(signal.SIGCONT)
    assert match(other).json()["match_found"] is False
