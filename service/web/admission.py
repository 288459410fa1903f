"""Refuses at once what could not be answered in time, so that what is let in can be."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Overloaded
from service.web.early import answer_early
from service.web.problems import refusal

WORK = {"POST", "PUT"}
"""Methods that send photographs."""
MOST = 256
"""Photographs in service or waiting at once, whatever the pace: each is spooled somewhere."""
WEIGHT = 0.1
"""Of the newest gap in the moving average: the pace of about the last twenty departures."""
PLANNED = 0.5
"""Share of the patience that is given away: the machine may have less for us in a moment, and those
let in are then answered still."""


class Admission:
    """ASGI middleware: 503 for a POST or PUT that might have to wait longer than `patience_s`.

    The wait is foretold from those in service and the pace at which they leave while more wait
    than `workers` can take (Little's law). A request is in service once its body is there, so
    that slow uploads neither count nor slow the pace. Requests that are `exempt` hold no
    photograph that somebody waits for. Belongs to one event loop.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        workers: int,
        patience_s: float,
        exempt: Callable[[Scope], bool] = lambda scope: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._workers = workers
        self._exempt = exempt
        self._longest_wait_s = PLANNED * patience_s
        self._clock = clock
        self._inside = 0
        self._gap_s = 0.0
        self._busy_since: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in WORK or self._exempt(scope):
            await self._app(scope, receive, send)
        elif self._inside >= MOST or self._inside * self._gap_s > self._longest_wait_s:
            # before the body is read: it costs next to nothing
            await answer_early(refusal(scope["path"], Overloaded()), scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        entered: float | None = None
        queued = False

        async def received() -> Message:
            nonlocal entered, queued
            message = await receive()
            whole = message["type"] == "http.request" and not message.get("more_body")
            if whole and entered is None:
                queued = self._inside >= self._workers
                entered = self._clock()
                self._inside += 1
            return message

        try:
            await self._app(scope, received, send)
        finally:
            if entered is not None:
                self._leave(entered, queued)

    def _leave(self, entered: float, queued: bool) -> None:
        now = self._clock()
        if self._busy_since is not None:
            self._gap_s += WEIGHT * (now - self._busy_since - self._gap_s)
        if not queued:
            # it had a worker at once, so the pace is no worse than this; else one hold-up would be
            # remembered for as long as it keeps a queue from forming
            self._gap_s = min(self._gap_s, now - entered)
        self._inside -= 1
        # a gap that begins with somebody waiting is as long as the work, not as the lull
        self._busy_since = now if self._inside >= self._workers else None
