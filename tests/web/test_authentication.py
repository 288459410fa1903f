"""Nothing is done for a request without a key, and every refusal is a clear one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.proxies import Proxy
from tests.servers import NO_TLS, WITHOUT_A_MODEL, Server, running
from tests.web.conftest import ClientFor, Site


@pytest.fixture
def stranger(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.server.url, timeout=30, verify=NO_TLS) as client:
        yield client


@pytest.fixture
def key(client: httpx.Client) -> str:
    return client.headers["X-API-Key"]


def check_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.text
    assert "WWW-Authenticate" in answer.headers
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/docs/files/swagger-ui.css"),
        ("GET", "/openapi.json"),
        ("GET", "/stats"),
        ("GET", "/list_faces"),
        ("GET", "/nothing"),
        ("GET", "/health/"),
        ("GET", "/ready/x"),
        ("GET", "/v1/galleries"),
        ("GET", "/v1/nothing"),
        ("POST", "/health"),
        ("DELETE", "/ready"),
        ("OPTIONS", "/stats"),
        ("OPTIONS", "/health"),
        ("HEAD", "/stats"),
        ("DELETE", "/delete_face/grace"),
        ("POST", "/match_face"),
        ("PROPFIND", "/coffee"),
    ],
)
def test_nothing_answers_without_a_key(method: str, path: str, stranger: httpx.Client) -> None:
    answer = stranger.request(method, path)
    assert answer.status_code == 401
    if method != "HEAD":
        check_refused(answer)


def test_what_is_no_method_of_http_reaches_nothing(stranger: httpx.Client) -> None:
    answer = stranger.request("BREW", "/list_faces")
    assert (answer.status_code, answer.text) == (400, "Invalid HTTP request received.")


def test_liveness_and_readiness_need_none(stranger: httpx.Client) -> None:
    assert stranger.get("/health").status_code == 200
    assert stranger.get("/ready").status_code == 200
    assert stranger.head("/health").status_code != 401


def test_the_refusal_is_a_problem_under_v1(stranger: httpx.Client) -> None:
    answer = stranger.get("/v1/galleries")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:facematch:problem:unauthenticated"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "{key}"},
        {"x-api-key": "{key}"},
        {"Authorization": "Bearer {key}"},
        {"Authorization": "bearer   {key}"},
        {"Authorization": "Bearer {key}", "X-API-Key": "{key}"},
        # of a proxy in front, which asks for its own password
        {"Authorization": "Basic eDp5", "X-API-Key": "{key}"},
    ],
)
def test_a_key_is_taken_from_either_header(
    headers: dict[str, str], key: str, stranger: httpx.Client
) -> None:
    sent = {name: value.replace("{key}", key) for name, value in headers.items()}
    assert stranger.get("/stats", headers=sent).status_code == 200


BAD = {
    "empty": b"",
    "a word": b"secret",
    "prefix only": b"fm_aaaaaaaa",
    "unknown": b"fm_aaaaaaaa_" + 52 * b"a",
    "UTF-8": "schlüssel🔑".encode(),
    "no UTF-8": b"\xff\xfe\xfd",
    "60 kB": 60_000 * b"x",
    "SQL": b"' OR 1=1 --",
    "percent": b"fm_%00%0a",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("header", [b"X-API-Key", b"Authorization"])
def test_what_is_no_key_is_refused(name: str, header: bytes, stranger: httpx.Client) -> None:
    value = BAD[name] if header == b"X-API-Key" else (b"Bearer " + BAD[name]).strip()
    check_refused(stranger.get("/stats", headers=[(header, value)]))


def test_the_right_prefix_with_another_secret_is_refused(key: str, stranger: httpx.Client) -> None:
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    check_refused(stranger.get("/stats", headers={"X-API-Key": other}))
    check_refused(stranger.get("/stats", headers={"X-API-Key": key.upper()}))


def test_two_different_keys_are_refused_by_name(
    key: str, client_for: ClientFor, stranger: httpx.Client
) -> None:
    other = client_for().headers["X-API-Key"]
    answer = stranger.get("/stats", headers={"X-API-Key": key, "Authorization": f"Bearer {other}"})
    check_refused(answer)
    assert "Different keys" in answer.json()["detail"]
    twice = [("X-API-Key", key), ("X-API-Key", other)]
    check_refused(stranger.get("/stats", headers=twice))


def test_a_password_is_no_key_where_data_is(key: str, stranger: httpx.Client) -> None:
    """Browsers send it along with whatever somebody else's page asks of them."""
    check_refused(stranger.get("/stats", auth=("x", key)))
    check_refused(stranger.post("/match_face", auth=("x", key)))


@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_the_holder_of_an_ended_key_is_told(
    state: str, client_for: ClientFor, sql: psycopg.Connection, stranger: httpx.Client
) -> None:
    holder = client_for()
    prefix = holder.headers["X-API-Key"][:11]
    change = {
        "expired": "created_at = now() - interval '1 h', expires_at = now()",
        "revoked": "revoked_at = now()",
    }[state]
    assert holder.get("/stats").status_code == 200
    sql.execute(f"UPDATE api_key SET {change} WHERE prefix = '{prefix}'".encode())
    answer = holder.get("/stats")
    check_refused(answer)
    assert f"{prefix} is {state}" in answer.json()["detail"]
    guessed = stranger.get("/stats", headers={"X-API-Key": f"{prefix}_{52 * 'a'}"})
    assert prefix not in guessed.text


def test_the_body_of_a_stranger_is_not_waited_for(site: Site) -> None:
    """The answer comes while the request is still being sent, and is not lost when it goes on."""
    address = ("127.0.0.1", int(site.server.url.rpartition(":")[2]))
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(
            b"POST /add_face HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 20000000\r\n\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 401"
        for _ in range(20):
            connection.sendall(bytes(1_000_000))
        rest = b""
        while data := connection.recv(65536):
            rest += data
    assert b'"code":"unauthenticated"' in rest
    assert b"connection: close" in rest.lower()


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}, {"Expect": "100-continue"}])
def test_a_client_that_sends_before_it_listens_gets_the_answer(
    headers: dict[str, str], stranger: httpx.Client
) -> None:
    for _ in range(3):
        answer = stranger.post("/match_face", content=bytes(15_000_000), headers=headers)
        check_refused(answer)


def test_an_endless_body_is_not_read_for_ever(site: Site) -> None:
    address = ("127.0.0.1", int(site.server.url.rpartition(":")[2]))
    with closing(socket.create_connection(address, timeout=20)) as connection:
        connection.sendall(
            b"POST /add_face HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        sent = 0
        with pytest.raises(OSError, match=r"reset|[Pp]ipe"):
            while sent < 500:
                connection.sendall(chunk)
                sent += 1
    assert sent < 100


def test_no_key_reaches_a_log_or_an_answer(
    key: str, site: Site, client_for: ClientFor, stranger: httpx.Client
) -> None:
    holder = client_for(["admin"])
    secret = holder.headers["X-API-Key"]
    answers = [
        holder.get("/stats"),
        holder.get(f"/v1/keys/{secret}"),
        holder.delete(f"/v1/keys/{secret[:36]}"),
        stranger.get("/stats", headers={"X-API-Key": secret[:-1]}),
        stranger.get(f"/{secret}", headers={"X-API-Key": key, "Authorization": f"Bearer {secret}"}),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert secret[12:] not in answer.text
    log = site.server.log.read_text()
    for each in (key, secret):
        assert each[12:] not in log


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[list[Server]]:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running(tmp_path / f"log-{n}", environment=environment, module=WITHOUT_A_MODEL)
            )
            for n in range(2)
        ]


def made(server: Server, **more: Any) -> dict[str, Any]:
    body = {"name": "door", "scopes": ["read"], **more}
    answer = server.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_revoked_key_is_refused_by_every_replica_from_the_next_request_on(
    pair: list[Server],
) -> None:
    one, other = pair
    for _ in range(5):
        key = made(one)
        headers = {"X-API-Key": key["secret"]}
        statuses = [httpx.get(f"{each.url}/stats", headers=headers).status_code for each in pair]
        assert statuses == [200, 200]
        assert one.delete(f"/v1/keys/{key['id']}").status_code == 204
        statuses = [httpx.get(f"{each.url}/stats", headers=headers).status_code for each in pair]
        assert statuses == [401, 401]
    assert other.get("/stats").status_code == 200


def test_a_key_expires_on_every_replica_by_itself(pair: list[Server], database_url: str) -> None:
    key = made(pair[0])
    headers = {"X-API-Key": key["secret"]}
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE api_key SET expires_at = now() + interval '2 s' WHERE id = %s", (key["id"],)
        )
    for server in pair:
        assert httpx.get(f"{server.url}/stats", headers=headers).status_code == 200
    time.sleep(2.1)
    for server in pair:
        assert httpx.get(f"{server.url}/stats", headers=headers).status_code == 401


def test_while_the_database_is_away_nobody_is_called_a_stranger(
    database_url: str, tmp_path: Path
) -> None:
    proxy = Proxy(database_url)
    environment = {
        "DATABASE_URL": proxy.url,
        "FACEMATCH_HOME": str(tmp_path),
        "DATABASE_TIMEOUT_S": "2",
    }
    with (
        running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server,
        server.client() as client,
    ):
        assert client.get("/stats").status_code == 200
        proxy.cut()
        for answer in (
            client.get("/stats"),
            client.get("/docs"),
            client.post("/match_face", files={"file": photos.grace_bytes()}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        # this one need not be looked up
        assert httpx.get(f"{server.url}/stats", headers={"X-API-Key": "x"}).status_code == 401
        assert client.get("/health").status_code == 200
        proxy.restore()
        end = time.monotonic() + 10
        while client.get("/stats").status_code != 200 and time.monotonic() < end:
            time.sleep(0.05)
        assert client.get("/stats").status_code == 200
    proxy.cut()


def test_strangers_are_told_while_every_worker_is_busy(
    site: Site, client: httpx.Client, stranger: httpx.Client
) -> None:
    def search() -> None:
        client.post("/match_face", files={"file": photos.grace_bytes()})

    threads = [threading.Thread(target=search) for _ in range(100)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    for key in ("fm_aaaaaaaa_" + 52 * "a", "x"):
        check_refused(stranger.get("/stats", headers={"X-API-Key": key}))
    busy = sum(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()
    assert busy > 40
