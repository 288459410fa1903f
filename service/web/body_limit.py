"""Bounds what a request may send, before anything is parsed or stored."""

import re
from collections.abc import Callable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.images import ImageLimits, too_many_bytes
from service.web.early import declared_length, drain

FORM_OVERHEAD_BYTES = 64 * 1024
"""Room for the multipart boundaries, headers and fields around a photograph."""


FORM, JSON = "multipart/form-data", "application/json"

PHOTOGRAPHS = (
    (re.compile("/v1/verify"), 4),
    (re.compile("/v1/(search|detect|galleries/[^/]+/(search|verify))"), 1),
    (re.compile("/v1/galleries/[^/]+/subjects/[^/]+/faces(/[^/]+)?"), 1),
)
"""Routes that take photographs in JSON too, and how many of the largest size they take at once."""


class Bound(NamedTuple):
    """How many bytes a request may have, and what is said of more."""

    bytes: int
    message: str


def photographs_bound(limits: ImageLimits) -> Callable[[Scope], Bound]:
    """Room for one photograph, or for as many as the route takes; in JSON, base64 makes four bytes
    of three."""

    def bound(scope: Scope) -> Bound:
        routes = (many for route, many in PHOTOGRAPHS if route.fullmatch(scope["path"]))
        many = next(routes, None)
        if many is None:
            return Bound(limits.max_bytes + FORM_OVERHEAD_BYTES, str(too_many_bytes(limits)))
        size = many * limits.max_bytes
        message = str(too_many_bytes(limits, many))
        if media_type(scope) == JSON:
            size = 4 * (size // 3 + many)
        return Bound(size + FORM_OVERHEAD_BYTES, message)

    return bound


def media_type(scope: Scope) -> str:
    """Of the body, without its parameters."""
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()


class BodyLimit:
    """ASGI middleware: 413 for a body of more than its bound, whatever its Content-Length.
    Requests that are `exempt` bound their bodies themselves."""

    def __init__(
        self, app: ASGIApp, bound: Callable[[Scope], Bound], exempt: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._bound = bound
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._exempt(scope):
            await self._app(scope, receive, send)
            return
        seen, declared = 0, declared_length(Headers(scope=scope))
        bound = self._bound(scope)

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if max(seen, declared) > bound.bytes:
                if message.get("more_body"):
                    await drain(receive, seen)
                raise HTTPException(413, bound.message, {"Connection": "close"})
            return message

        await self._app(scope, counted, send)
