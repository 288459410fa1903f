"""A request's id: in its answer, and in every log line that belongs to it."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from service.images import ImageLimits
from service.web import create_app
from service.wiring import Access, Services
from tests import photos
from tests.servers import running

SCRIPT = """
import asyncio, logging, httpx
from fastapi import FastAPI
from service import logs
from service.web import request_ids

logs.configure("INFO")
request_ids.show_in_logs()
app = FastAPI()
request_ids.install(app)

@app.get("/")
def handler() -> None:
    logging.getLogger("handler").warning("in a thread of the handlers")

async def ask() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await client.get("/", headers={"X-Request-ID": "order-66"})
        await client.get("/", headers={"X-Request-ID": "no\\tid"})

asyncio.run(ask())
logging.getLogger("service").warning("of no request")
"""


def test_log_lines_name_the_request_that_they_belong_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    given, made, none = done.stderr.splitlines()
    assert given.endswith("WARNING handler [order-66]: in a thread of the handlers")
    assert re.search(r"handler \[[0-9a-f]{32}\]: in a thread", made)
    assert none.endswith("WARNING service: of no request")


def test_an_answer_carries_the_id_that_was_given(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"X-Request-ID": "order-66"})
    assert answer.headers["X-Request-ID"] == "order-66"
    refused = client.get("/v1/keys/x", headers={"X-Request-ID": "x" * 129, "X-API-Key": "x"})
    assert re.fullmatch("[0-9a-f]{32}", refused.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/v1/models", "/stats"])
def test_an_answer_to_a_mistake_of_ours_carries_it_too(path: str) -> None:
    """The traceback is in the log under that id."""
    services = SimpleNamespace(  # which has nothing that these routes ask of it
        workers=1,
        patience_s=1.0,
        limits=ImageLimits(1000, 1000),
        access=Access(anonymous=True),
        keys=SimpleNamespace(authenticate=None),
    )
    transport = httpx.ASGITransport(create_app(cast(Services, services)), False)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers={"X-Request-ID": "order-66"})

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["X-Request-ID"] == "order-66"


def test_not_even_the_most_talkative_log_holds_a_key(database_url: str, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "LOG_LEVEL": "DEBUG",
        "RATE_LIMIT": "100/second",
    }
    with running(tmp_path / "log", environment=environment) as server, server.client() as client:
        key = client.headers["X-API-Key"]
        made = client.post("/v1/keys", json={"name": "x", "scopes": ["read"]}).json()
        client.post("/match_face", files={"file": photos.grace_bytes()})
        for wrong in (made["secret"][:-1], made["secret"], key):
            client.get(f"/v1/keys/{wrong}", headers={"X-API-Key": wrong})
        assert server.stop() == 0
        log = server.log.read_text()
    for secret in (key, made["secret"]):
        assert secret[12:] not in log
