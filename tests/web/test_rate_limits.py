"""How many requests a key may send to a replica, and what it is told of that."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.domain.keys import ANONYMOUS, Caller
from service.web.rate_limits import RateLimits
from tests import photos
from tests.servers import WITHOUT_A_MODEL, Server, running


def limited(rates: str) -> ASGIApp:
    """An application behind the limits, whose caller is the number in the header X-Caller."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    limits = RateLimits(app, rates)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        number = dict(scope["headers"]).get(b"x-caller")
        if number is not None:
            key_id = UUID(int=int(number)) if int(number) else None
            caller = Caller("x", key_id, frozenset()) if key_id else ANONYMOUS
            scope["state"] = {"caller": caller}
        await limits(scope, receive, send)

    return authenticated


async def ask(
    app: ASGIApp, caller: int | None, count: int, address: str = "10.0.0.1"
) -> list[httpx.Response]:
    transport = httpx.ASGITransport(app, client=(address, 1))
    headers = {} if caller is None else {"X-Caller": str(caller)}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", headers=headers
    ) as session:
        return [await session.get("/v1/galleries") for _ in range(count)]


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_answers_tell_the_policy_and_what_is_left() -> None:
    answers = asyncio.run(ask(limited("2/minute;5/hour"), 1, 2))
    policy = '"2-per-minute";q=2;w=60, "5-per-hour";q=5;w=3600'
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == [policy] * 2
    told = [re.sub(r"t=\d+", "t", answer.headers["RateLimit"]) for answer in answers]
    assert told == [
        '"2-per-minute";r=1;t, "5-per-hour";r=4;t',
        '"2-per-minute";r=0;t, "5-per-hour";r=3;t',
    ]


def test_one_too_many_is_refused_and_told_when_to_come_again() -> None:
    answers = asyncio.run(ask(limited("2/minute"), 1, 4))
    assert statuses(answers) == [200, 200, 429, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert 50 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"2-per-minute";r=0;t=')


def test_after_the_time_told_requests_pass_again() -> None:
    async def scenario() -> None:
        app = limited("2/second")
        for _ in range(2):
            answers = await ask(app, 1, 3)
            assert statuses(answers) == [200, 200, 429]
            await asyncio.sleep(int(answers[-1].headers["Retry-After"]) + 0.05)

    asyncio.run(scenario())


def test_the_window_moves() -> None:
    """Two at the end of one second and two at the beginning of the next are four in one."""

    async def scenario() -> None:
        app = limited("2/second")
        assert statuses(await ask(app, 1, 1)) == [200]
        await asyncio.sleep(0.7)
        assert statuses(await ask(app, 1, 1)) == [200]
        await asyncio.sleep(0.4)
        assert statuses(await ask(app, 1, 2)) == [200, 429]

    asyncio.run(scenario())


def test_a_refused_request_does_not_count_for_any_limit() -> None:
    async def scenario() -> None:
        app = limited("1/second;3/hour")
        for _ in range(3):
            assert statuses(await ask(app, 1, 4)) == [200, 429, 429, 429]
            await asyncio.sleep(1.05)
        last = await ask(app, 1, 1)
        assert statuses(last) == [429]
        assert int(last[0].headers["Retry-After"]) > 3000

    asyncio.run(scenario())


def test_one_key_s_requests_take_nothing_from_another_s() -> None:
    async def scenario() -> None:
        app = limited("1/minute")
        assert statuses(await ask(app, 1, 2)) == [200, 429]
        assert statuses(await ask(app, 2, 2)) == [200, 429]
        # who has a key is known by it, wherever they are
        assert statuses(await ask(app, 1, 1, address="10.0.0.2")) == [429]

    asyncio.run(scenario())


def test_the_anonymous_are_told_apart_by_their_addresses() -> None:
    async def scenario() -> None:
        app = limited("1/minute")
        assert statuses(await ask(app, 0, 2)) == [200, 429]
        assert statuses(await ask(app, 0, 2, address="10.0.0.2")) == [200, 429]

    asyncio.run(scenario())


def test_what_needs_no_key_has_no_limit() -> None:
    answers = asyncio.run(ask(limited("1/minute"), None, 3))
    assert statuses(answers) == [200] * 3
    assert "RateLimit" not in answers[0].headers


@pytest.fixture(scope="module")
def server(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    from tests.databases import copy_of

    folder: Path = tmp_path_factory.mktemp("limited")
    with copy_of(server_url, template) as url:
        environment = {
            "DATABASE_URL": url,
            "FACEMATCH_HOME": str(folder),
            "RATE_LIMIT": "3/minute; 1000/day",
        }
        with running(folder / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
            yield server


def test_a_running_service_limits_a_key_and_nothing_else(server: Server) -> None:
    stranger = [httpx.get(f"{server.url}/stats").status_code for _ in range(5)]
    assert stranger == [401] * 5
    picture = {"file": photos.grace_bytes()}
    answers = [server.post("/match_face", files=picture) for _ in range(5)]
    assert statuses(answers) == [200, 200, 200, 429, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert '"1000-per-day";r=997' in answers[-1].headers["RateLimit"]
    assert httpx.get(f"{server.url}/ready").status_code == 200
    assert "Traceback" not in server.log.read_text()
