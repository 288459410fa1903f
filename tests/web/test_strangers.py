"""Without a key: anonymous use, where it is allowed, and web pages of other origins."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import photos
from tests.databases import copy_of
from tests.servers import NO_TLS, WITHOUT_A_MODEL, Server, running
from tests.web.conftest import ClientFor

CONSOLE, OTHER = "https://console.example.org", "https://evil.example.org"


@pytest.fixture(scope="module")
def url(server_url: str, template: str) -> Iterator[str]:
    with copy_of(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def server(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("anonymous")
    environment = {
        "DATABASE_URL": url,
        "FACEMATCH_HOME": str(folder),
        "ALLOW_ANONYMOUS": "true",
        "CORS_ORIGINS": f"{CONSOLE}, http://localhost:5173",
    }
    with running(folder / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
        yield server


@pytest.fixture
def anybody(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, verify=NO_TLS) as client:
        yield client


def test_anybody_may_do_everything_where_it_is_allowed(anybody: httpx.Client, url: str) -> None:
    form = {"data": {"id": "grace"}, "files": {"file": photos.grace_bytes()}}
    assert anybody.post("/add_face", **form).status_code == 200  # type: ignore[arg-type]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT created_by FROM face").fetchall() == [("anonymous",)]
    assert anybody.delete("/delete_face/grace").status_code == 200
    assert anybody.get("/docs").status_code == 200
    assert anybody.get("/v1/keys").json() == {"keys": [], "next": None}, "none was made either"


@pytest.mark.parametrize("key", ["", "x", "fm_aaaaaaaa_" + 52 * "a"])
def test_a_wrong_key_is_refused_all_the_same(key: str, anybody: httpx.Client) -> None:
    answer = anybody.get("/stats", headers={"X-API-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_key_is_bound_to_its_scopes_all_the_same(anybody: httpx.Client) -> None:
    made = anybody.post("/v1/keys", json={"name": "x", "scopes": ["search"]}).json()
    answer = anybody.get("/stats", headers={"X-API-Key": made["secret"]})
    assert answer.status_code == 403
    anybody.delete(f"/v1/keys/{made['id']}")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "[::1]:80", "10.1.2.3"]
)
def test_plain_addresses_lead_here(host: str, anybody: httpx.Client) -> None:
    assert anybody.get("/stats", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:8000", "", "[::", "x y"])
def test_a_name_that_somebody_made_lead_here_is_a_stranger_s(
    host: str, anybody: httpx.Client
) -> None:
    assert anybody.get("/list_faces", headers={"Host": host}).status_code in {400, 401}


@pytest.mark.parametrize("origin", [OTHER, "null", "http://127.0.0.1:1", "x", "http://[::"])
def test_a_page_of_another_origin_is_a_stranger(origin: str, anybody: httpx.Client) -> None:
    """A form needs no leave from CORS to be sent, and a browser sends it from anywhere."""
    headers = {"Origin": origin}
    for answer in (
        anybody.post("/match_face", headers=headers, files={"file": photos.grace_bytes()}),
        anybody.delete("/delete_face/grace", headers=headers),
        anybody.get("/list_faces", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert "access-control-allow-origin" not in answer.headers


def test_pages_of_its_own_and_of_named_origins_are_none(
    anybody: httpx.Client, server: Server
) -> None:
    for origin in (server.url, CONSOLE, "http://localhost:5173"):
        assert anybody.get("/list_faces", headers={"Origin": origin}).status_code == 200


def preflight(client: httpx.Client, origin: str) -> httpx.Response:
    return client.options(
        "/v1/galleries",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "x-api-key, content-type, if-match",
        },
    )


def test_a_named_origin_may_send_a_key(anybody: httpx.Client) -> None:
    answer = preflight(anybody, CONSOLE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "x-api-key" in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers


def test_a_named_origin_sees_answers_refusals_and_their_headers(anybody: httpx.Client) -> None:
    for key, status in ({}, 200), ({"X-API-Key": "x"}, 401):
        answer = anybody.get("/stats", headers={"Origin": CONSOLE, **key})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == CONSOLE
        assert "X-Gallery-Version" in answer.headers["access-control-expose-headers"]


def test_another_origin_may_not_even_ask(anybody: httpx.Client) -> None:
    answer = preflight(anybody, OTHER)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


def test_where_none_is_named_no_origin_may(client_for: ClientFor) -> None:
    client = client_for()
    answer = client.get("/stats", headers={"Origin": CONSOLE})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    del client.headers["X-API-Key"]
    asked = preflight(client, CONSOLE)
    assert asked.status_code == 401
    assert "access-control-allow-origin" not in asked.headers


def test_on_the_network_anybody_is_anybody(url: str, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": url,
        "FACEMATCH_HOME": str(tmp_path),
        "ALLOW_ANONYMOUS": "true",
        "HOST": "0.0.0.0",
    }
    with running(
        tmp_path / "log",
        "--allow-anonymous-network",
        environment=environment,
        module=WITHOUT_A_MODEL,
    ) as server:
        named = httpx.get(f"{server.url}/stats", headers={"Host": "faces.example.org"})
        assert named.status_code == 200
        page = httpx.get(f"{server.url}/stats", headers={"Origin": OTHER})
        assert page.status_code == 401
