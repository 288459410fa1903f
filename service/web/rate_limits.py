"""How many requests a key may send to this replica, and the headers that say so.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import ipaddress
import logging
import math
import time
from collections.abc import Iterator

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.domain.keys import Caller
from service.errors import RateLimited, TooManyFailures
from service.web.early import answer_early
from service.web.problems import refusal

SAID_AGAIN_S = 60.0

log = logging.getLogger(__name__)


class RateLimits:
    """ASGI middleware: 429 for a caller who has sent as many requests as `rates` allow.

    Stands behind the authentication, which says who the caller is. Those without a key are told
    apart by their address. A refused request does not count. Belongs to one event loop.
    """

    def __init__(self, app: ASGIApp, rates: str) -> None:
        self._app = app
        self._rates = parse_many(rates)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._policy = ", ".join(
            f'"{_name(rate)}";q={rate.amount};w={rate.get_expiry()}' for rate in self._rates
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("state", {}).get("caller")
        if scope["type"] != "http" or caller is None:
            await self._app(scope, receive, send)
            return
        who = str(caller.key_id or address(scope))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = self._policy
                headers["RateLimit"] = ", ".join(self._left(who))
            await send(message)

        if all(self._limiter.test(rate, who) for rate in self._rates):
            for rate in self._rates:
                self._limiter.hit(rate, who)
            await self._app(scope, receive, told)
        else:
            response = refusal(scope["path"], RateLimited(self._wait_s(who)))
            await answer_early(response, scope, receive, told)

    def _left(self, who: str) -> Iterator[str]:
        for rate in self._rates:
            window = self._limiter.get_window_stats(rate, who)
            left = max(0, window.remaining)
            yield f'"{_name(rate)}";r={left};t={_seconds(window.reset_time)}'

    def _wait_s(self, who: str) -> int:
        full = [rate for rate in self._rates if not self._limiter.test(rate, who)]
        ends = [self._limiter.get_window_stats(rate, who).reset_time for rate in full]
        return max(1, *map(_seconds, ends))


class FailedKeys:
    """Counts the keys of each address that are none. Belongs to one event loop."""

    def __init__(self, rates: str) -> None:
        self._rates = parse_many(rates)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._said = -SAID_AGAIN_S

    def counted(self, address: str) -> TooManyFailures | None:
        """Count one more; what to answer where there were too many before."""
        who = _network(address)
        full = [rate for rate in self._rates if not self._limiter.test(rate, who)]
        if not full:
            for rate in self._rates:
                self._limiter.hit(rate, who)
            return None
        if time.monotonic() - self._said > SAID_AGAIN_S:
            self._said = time.monotonic()
            log.warning("many requests without a valid key come from %s", address)
        ends = [self._limiter.get_window_stats(rate, who).reset_time for rate in full]
        return TooManyFailures(max(1, *map(_seconds, ends)))


def _network(address: str) -> str:
    """What one caller has of addresses: of IPv6 ones a whole network."""
    try:
        host = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if host.version == 4 or host.ipv4_mapped is not None:
        return str(host)
    return str(ipaddress.ip_network((host, 64), strict=False))


def _name(rate: RateLimitItem) -> str:
    return f"{rate.amount}-per-{rate.GRANULARITY.name}"


def _seconds(until: float) -> int:
    return max(0, math.ceil(until - time.time()))


def address(scope: Scope) -> str:
    """Of the caller, or of the last proxy; empty where there is none."""
    client = scope.get("client")
    return client[0] if client else ""
