"""Who calls: found before anything else is done with a request."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace

import anyio
import anyio.to_thread
from asgi_correlation_id import correlation_id
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.domain.keys import ANONYMOUS, Caller
from service.errors import FacematchError, Unauthenticated
from service.web.docs import is_page
from service.web.early import answer_early
from service.web.problems import refusal
from service.web.rate_limits import FailedKeys, address

OPEN = {"/health", "/ready"}
"""For load balancers and orchestrators, which have no key. They tell nothing of what is stored."""
CREDENTIALS = frozenset({"x-api-key", "authorization"})
THREADS = 40
"""Of its own: those of the handlers may all be waiting for photographs, and who is refused should
know at once."""


class Authentication:
    """ASGI middleware: puts the `Caller` into the request's state, or answers 401.

    `authenticate` is asked at every request, so that a key which was revoked or has expired is
    refused by every replica at once. `is_anonymous` tells whether a request without a key may pass.
    `failures` counts keys that are none: those alone are refused for their number, after the key
    was looked up, so that nobody can lock out who shares an address with them.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticate: Callable[[str], Caller],
        is_anonymous: Callable[[Headers], bool],
        failures: FailedKeys,
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._is_anonymous = is_anonymous
        self._failures = failures
        self._threads = anyio.CapacityLimiter(THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            caller = await self._caller(scope)
        except FacematchError as error:
            await answer_early(self._refusal(scope, error), scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = _from(caller, scope)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, error: FacematchError) -> Response:
        """Who sent no key at all has guessed none."""
        if not isinstance(error, Unauthenticated):
            return refusal(scope["path"], error)
        if CREDENTIALS.intersection(Headers(scope=scope)):
            limited = self._failures.counted(address(scope))
            if limited is not None:
                return refusal(scope["path"], limited)
        response = refusal(scope["path"], error)
        if is_page(scope["path"]):
            # a browser asks its user for a name and a password, and that is the key
            response.headers["WWW-Authenticate"] = 'Basic realm="facematch", charset="UTF-8"'
        return response

    async def _caller(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        key = sent_key(headers, page=is_page(scope["path"]))
        if key is not None:
            return await anyio.to_thread.run_sync(self._authenticate, key, limiter=self._threads)
        if self._is_anonymous(headers):
            return ANONYMOUS
        raise Unauthenticated


def _from(caller: Caller, scope: Scope) -> Caller:
    """The caller, and where this request came from."""
    return replace(caller, request_id=correlation_id.get(), address=address(scope) or None)


def _is_open(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] in OPEN and scope["method"] in {"GET", "HEAD"}


def sent_key(headers: Headers, *, page: bool) -> str | None:
    """What was sent as a key, whatever it is; None where nothing was.

    Args:
        page: it may be the password of Basic authentication too. Nowhere else: browsers send that
            along with whatever a page of somebody else asks of them.

    Raises:
        Unauthenticated: two different keys were sent.
    """
    sent = {value.strip() for value in headers.getlist("x-api-key")}
    for value in headers.getlist("authorization"):
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            sent.add(rest.strip())
        elif page and scheme.lower() == "basic":
            sent.add(_password(rest.strip()))
    if len(sent) > 1:
        raise Unauthenticated("Different keys were sent with one request; send one.")
    return next(iter(sent), None)


def _password(credentials: str) -> str:
    """Empty, which is no key, for what cannot be read."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2].strip()
    except (binascii.Error, UnicodeError):
        return ""
