"""Paths by their segments: an id may have a slash in it, and that is no boundary."""

from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send


class Segments:
    """ASGI middleware: under /v1, routes see the path as it was sent, each segment percent-encoded
    in one way only, and `decoded` says what stands in one.

    Servers decode the whole path: `a/faces`, sent as `a%2Ffaces`, would be another resource.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            segments = bytes(scope["raw_path"]).split(b"/")
            path = "/".join(encoded(unquote_to_bytes(segment)) for segment in segments)
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)


def encoded(segment: str | bytes) -> str:
    return quote(segment, safe="")


def decoded(segment: str) -> str:
    """What was encoded; raises ValueError where it is no text."""
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise ValueError("its bytes are no UTF-8") from None
