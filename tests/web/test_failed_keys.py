"""Keys that are none, many of them: their sender is refused, and nobody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.domain.keys import Caller
from service.errors import Unauthenticated
from service.web.authentication import Authentication
from service.web.rate_limits import FailedKeys
from tests.databases import copy_of
from tests.servers import WITHOUT_A_MODEL, Server, running

WRONG = {"X-API-Key": "fm_aaaaaaaa_" + 52 * "a"}


def authenticated(rates: str) -> ASGIApp:
    """An application behind the authentication, which knows the key "right"."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    def authenticate(key: str) -> Caller:
        if key != "right":
            raise Unauthenticated
        return Caller("right", None, frozenset())

    def nobody(headers: Headers) -> bool:
        return False

    return Authentication(app, authenticate, nobody, FailedKeys(rates))


async def ask(
    app: ASGIApp, headers: dict[str, str], count: int, address: str = "10.0.0.1"
) -> list[int]:
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as session:
        return [(await session.get("/v1/x", headers=headers)).status_code for _ in range(count)]


def test_after_so_many_wrong_keys_the_next_are_told_to_wait() -> None:
    assert asyncio.run(ask(authenticated("3/minute"), WRONG, 5)) == [401, 401, 401, 429, 429]


def test_a_valid_key_from_the_same_address_always_passes_and_counts_for_nothing() -> None:
    async def scenario() -> None:
        app = authenticated("2/minute")
        assert await ask(app, {"X-API-Key": "right"}, 5) == [200] * 5
        assert await ask(app, WRONG, 3) == [401, 401, 429]
        assert await ask(app, {"Authorization": "Bearer right"}, 3) == [200] * 3

    asyncio.run(scenario())


def test_who_sends_no_key_has_guessed_none() -> None:
    async def scenario() -> None:
        app = authenticated("1/minute")
        assert await ask(app, {}, 3) == [401] * 3
        assert await ask(app, WRONG, 2) == [401, 429]
        assert await ask(app, {}, 1) == [401]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("other", "expected"),
    [("10.0.0.2", 401), ("10.0.0.1", 429)],
)
def test_addresses_are_counted_apart(other: str, expected: int) -> None:
    async def scenario() -> None:
        app = authenticated("1/minute")
        await ask(app, WRONG, 1)
        assert await ask(app, WRONG, 1, other) == [expected]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("other", "expected"), [("2001:db8:0:1:ffff::7", 429), ("2001:db8:0:2::1", 401)]
)
def test_of_ipv6_a_whole_network_is_one_caller_s(other: str, expected: int) -> None:
    async def scenario() -> None:
        app = authenticated("1/minute")
        await ask(app, WRONG, 1, "2001:db8:0:1::1")
        assert await ask(app, WRONG, 1, other) == [expected]

    asyncio.run(scenario())


def test_after_the_time_told_a_wrong_key_is_a_wrong_key_again() -> None:
    async def scenario() -> None:
        app = authenticated("1/second")
        assert await ask(app, WRONG, 2) == [401, 429]
        await asyncio.sleep(1.1)
        assert await ask(app, WRONG, 1) == [401]

    asyncio.run(scenario())


@pytest.fixture
def server(server_url: str, template: str, tmp_path: Path) -> Iterator[Server]:
    with copy_of(server_url, template) as url:
        environment = {
            "DATABASE_URL": url,
            "FACEMATCH_HOME": str(tmp_path),
            "FAILED_KEY_LIMIT": "3/minute",
        }
        with running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
            yield server


def test_a_running_service_says_when_to_come_again_and_lets_its_callers_in(server: Server) -> None:
    answers = [httpx.get(f"{server.url}/v1/galleries", headers=WRONG) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_failures"
    assert 50 <= int(refused.headers["Retry-After"]) <= 60
    assert server.get("/v1/galleries").status_code == 200
    log = server.log.read_text()
    assert log.count("many requests without a valid key come from 127.0.0.1") == 1
    assert "aaaaaaaa" not in log
