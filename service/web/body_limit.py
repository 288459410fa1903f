"""Bounds what a request may send, before anything is parsed or stored."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_OVERHEAD_BYTES = 64 * 1024
"""Room for the multipart boundaries, headers and fields around a photograph."""
DRAIN_BYTES = 64 * 1024 * 1024
"""How much of a too large body is read and thrown away, so that a client which sends before it
listens gets the answer instead of a broken connection."""


class BodyLimit:
    """ASGI middleware: 413 for a body of more than `limit` bytes, whatever its Content-Length.
    Requests that are `exempt` bound their bodies themselves."""

    def __init__(
        self, app: ASGIApp, limit: int, message: str, exempt: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._exempt = exempt
        self._limit = limit
        self._message = message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._exempt(scope):
            await self._app(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if max(seen, _declared(scope)) > self._limit:
                await _drain(receive, message)
                raise HTTPException(413, self._message, {"Connection": "close"})
            return message

        await self._app(scope, counted, send)


def _declared(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _drain(receive: Receive, message: Message) -> None:
    drained = len(message.get("body", b""))
    while message["type"] == "http.request" and message.get("more_body") and drained < DRAIN_BYTES:
        message = await receive()
        drained += len(message.get("body", b""))
