"""While Postgres is away: 503 with Retry-After, still alive, and back by itself."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import photos
from tests.proxies import Proxy
from tests.servers import WITHOUT_A_MODEL, running


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    proxy = Proxy(database_url)
    yield proxy
    proxy.cut()


@pytest.fixture
def client(proxy: Proxy, tmp_path: Path) -> Iterator[httpx.Client]:
    environment = {
        "DATABASE_URL": proxy.url,
        "FACEMATCH_HOME": str(tmp_path),
        "DATABASE_TIMEOUT_S": "2",
        "FEED_STALE_S": "2",
    }
    with (
        running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server,
        server.client() as client,
    ):
        yield client


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def add(client: httpx.Client, face_id: str) -> httpx.Response:
    return client.post("/add_face", data={"id": face_id}, files={"file": photos.grace_bytes()})


def match(client: httpx.Client) -> httpx.Response:
    return client.post("/match_face", files={"file": photos.grace_bytes()})


def delete(client: httpx.Client) -> httpx.Response:
    return client.delete("/delete_face/grace")


def test_postgres_away_and_back(client: httpx.Client, proxy: Proxy) -> None:
    assert add(client, "grace").status_code == 200
    proxy.cut()
    for answer in (
        add(client, "late"),
        match(client),
        client.get("/list_faces"),
        client.delete("/delete_face/grace"),
        client.get("/stats"),
    ):
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    health = client.get("/health")
    assert health.status_code == 200
    eventually(lambda: client.get("/health").json()["status"] == "degraded")
    assert client.get("/health").json()["database_connected"] is False
    eventually(lambda: client.get("/ready").status_code == 503)
    assert client.get("/ready").json()["code"] == "not_ready"

    proxy.restore()
    eventually(lambda: client.get("/ready").status_code == 200)
    assert match(client).json()["matched_id"] == "grace"
    assert [face["id"] for face in client.get("/list_faces").json()["faces"]] == ["grace"]
    assert client.get("/health").json()["status"] == "healthy"


def test_a_cut_pooled_connection_never_reaches_the_caller(
    client: httpx.Client, proxy: Proxy
) -> None:
    assert add(client, "grace").status_code == 200
    for _ in range(5):
        proxy.cut_connections()
        assert match(client).json()["matched_id"] == "grace"


def test_a_lock_of_somebody_else_costs_a_refusal_and_no_hang(
    client: httpx.Client, database_url: str
) -> None:
    assert add(client, "grace").status_code == 200
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM gallery FOR UPDATE")
        for ask in (lambda client: add(client, "ada"), delete):
            began = time.monotonic()
            answer = ask(client)
            assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
            assert int(answer.headers["Retry-After"]) >= 1
            assert time.monotonic() - began < 10
        assert match(client).json()["matched_id"] == "grace"
        assert client.get("/list_faces").json()["total_faces"] == 1
    assert add(client, "ada").status_code == 200
    assert delete(client).status_code == 200


def test_a_frozen_server_does_not_hang_requests(client: httpx.Client, proxy: Proxy) -> None:
    """It refuses nothing and ends nothing, as a stopped process or a hung disk does."""
    assert add(client, "grace").status_code == 200
    proxy.freeze()
    for ask in (match, lambda client: client.get("/list_faces"), lambda client: add(client, "x")):
        began = time.monotonic()
        answer = ask(client)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        # connections are looked at (2 s), and a new one is tried (2 s), twice at most
        assert time.monotonic() - began < 15
    eventually(lambda: client.get("/ready").status_code == 503)
    proxy.thaw()
    eventually(lambda: client.get("/ready").status_code == 200)
    assert match(client).json()["matched_id"] == "grace"
    assert client.get("/stats").json()["total_faces"] == 1
