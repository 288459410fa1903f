"""Bounds what a request may send, before anything is parsed or stored."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.early import declared_length, drain

FORM_OVERHEAD_BYTES = 64 * 1024
"""Room for the multipart boundaries, headers and fields around a photograph."""


class BodyLimit:
    """ASGI middleware: 413 for a body of more than `limit` bytes, whatever its Content-Length."""

    def __init__(self, app: ASGIApp, limit: int, message: str) -> None:
        self._app = app
        self._limit = limit
        self._message = message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen, declared = 0, declared_length(Headers(scope=scope))

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if max(seen, declared) > self._limit:
                if message.get("more_body"):
                    await drain(receive, seen)
                raise HTTPException(413, self._message, {"Connection": "close"})
            return message

        await self._app(scope, counted, send)
