"""Answers to requests whose body nobody has read."""

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

DRAIN_BYTES = 64 * 1024 * 1024
"""How much of a refused body is read and thrown away, so that a client which sends before it
listens gets the answer instead of a broken connection."""
DRAIN_S = 10.0
"""For how long, after the answer was sent."""


async def answer_early(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the answer at once, then take what the client is still sending, bounded, and close."""
    headers = Headers(scope=scope)
    if not ("transfer-encoding" in headers or declared_length(headers)):
        await response(scope, receive, send)
        return
    response.headers["Connection"] = "close"
    if "expect" in headers:  # it waits for leave to send, and will not send now
        await response(scope, receive, send)
        return

    async def unfinished(message: Message) -> None:
        await send({**message, "more_body": True} if "body" in message else message)

    await response(scope, receive, unfinished)
    with anyio.move_on_after(DRAIN_S):
        await drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def drain(receive: Receive, taken: int = 0) -> None:
    """Throw away the rest of the body, up to DRAIN_BYTES with the `taken` ones."""
    more = True
    while more and taken < DRAIN_BYTES:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
        taken += len(message.get("body", b""))


def declared_length(headers: Headers) -> int:
    """0 where there is no Content-Length, or one that is no number."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0
