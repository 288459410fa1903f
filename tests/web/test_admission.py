"""What cannot be answered in time is refused at once; what is let in is answered."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.admission import Admission
from tests import photos
from tests.servers import Server, running

WORK_S = 0.02
PATIENCE_S = 0.4


def service(work_s: float = WORK_S) -> ASGIApp:
    """One worker, to whom every request comes in turn."""
    worker = asyncio.Lock()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        async with worker:
            await asyncio.sleep(work_s)
        await PlainTextResponse("done")(scope, receive, send)

    return app


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def post(session: httpx.AsyncClient, count: int) -> Counter[int]:
    answers = await asyncio.gather(*(session.post("/", content=b"x") for _ in range(count)))
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "overloaded"
            assert int(answer.headers["Retry-After"]) >= 1
    return Counter(answer.status_code for answer in answers)


def test_a_few_at_once_are_all_answered() -> None:
    async def scenario() -> None:
        async with client(Admission(service(), workers=1, patience_s=PATIENCE_S)) as session:
            for _ in range(5):
                assert await post(session, 4) == {200: 4}

    asyncio.run(scenario())


def test_once_the_pace_is_known_more_than_fit_are_refused() -> None:
    async def scenario() -> None:
        admission = Admission(service(), workers=1, patience_s=PATIENCE_S)
        async with client(admission) as session:
            await post(session, 40)
            waiting = asyncio.create_task(post(session, 60))
            await asyncio.sleep(WORK_S)
            assert (await session.post("/", content=b"x")).status_code == 503
            # a face is replaced by PUT, and its photograph is work like any other
            assert (await session.put("/", content=b"x")).status_code == 503
            assert (await session.get("/")).status_code == 200
            found = await waiting
            # those that fit into the patience are let in, and answered
            assert found[200] >= PATIENCE_S / WORK_S / 4
            assert found[503] >= 20
            assert await post(session, 4) == {200: 4}

    asyncio.run(scenario())


def test_one_long_hold_up_is_forgotten() -> None:
    async def scenario() -> None:
        admission = Admission(service(), workers=1, patience_s=PATIENCE_S)
        admission._gap_s = 60.0
        async with client(admission) as session:
            assert await post(session, 1) == {200: 1}
            assert await post(session, 4) == {200: 4}

    asyncio.run(scenario())


def test_uploads_under_way_keep_nobody_out() -> None:
    async def scenario() -> None:
        admission = Admission(service(), workers=1, patience_s=PATIENCE_S)
        async with client(admission) as session:
            await post(session, 40)
            stop = asyncio.Event()

            async def slowly() -> "object":
                yield b"x"
                await stop.wait()

            uploads = [
                asyncio.create_task(session.post("/", content=slowly()))  # type: ignore[arg-type]
                for _ in range(50)
            ]
            await asyncio.sleep(5 * WORK_S)
            assert await post(session, 4) == {200: 4}
            stop.set()
            for upload in uploads:
                assert (await upload).status_code == 200

    asyncio.run(scenario())


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "RECOGNITION_WORKERS": "1",
        "RECOGNITION_TIMEOUT_S": "0.5",
    }
    with running(tmp_path / "log", environment=environment) as server:
        yield server


def test_a_service_under_overload_answers_everybody(server: Server) -> None:
    picture = photos.grace_bytes()

    def match(_: int) -> tuple[int, str | None]:
        answer = server.post("/match_face", files={"file": picture}, timeout=60)
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(30) as pool:
        answers = Counter(pool.map(match, range(150)))
    assert set(answers) <= {(200, None), (503, "overloaded")}
    assert answers[200, None] >= 5
    assert answers[503, "overloaded"] >= 5
    assert match(0) == (200, None)
