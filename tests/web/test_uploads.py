"""Bodies that are read as they arrive hold a thread and a place, so they may not take for ever."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import anyio
import anyio.to_thread
import pytest
from fastapi import Request

from service.errors import ImportInvalid
from service.web import uploads
from service.web.uploads import Body


def read(pieces: int, size: int, pause_s: float) -> int:
    """The bytes of a body that comes in so many pieces, each after a pause."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            await anyio.sleep(pause_s)
            yield bytes(size)

    def whole(body: Body) -> int:
        return sum(map(len, iter(lambda: body.read(1 << 16), b"")))

    async def lent() -> int:
        request: Any = SimpleNamespace(stream=stream)
        return await anyio.to_thread.run_sync(whole, Body(cast(Request, request)))

    return anyio.run(lent)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SILENT_S", 1.0)
    monkeypatch.setattr(uploads, "LEAST_BYTES_PER_S", 1000)


def test_a_body_that_keeps_coming_may_take_long() -> None:
    assert read(pieces=25, size=200, pause_s=0.05) == 5000


def test_one_that_falls_silent_is_given_up() -> None:
    with pytest.raises(ImportInvalid, match="broke off"):
        read(pieces=1, size=1, pause_s=5)


def test_one_that_only_drips_is_given_up_too() -> None:
    with pytest.raises(ImportInvalid, match="too slow"):
        read(pieces=100, size=1, pause_s=0.05)
