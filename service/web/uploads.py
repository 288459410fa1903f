"""Bodies that are too large for memory: read by the handler's thread as they arrive."""

import re
import time
from collections.abc import Iterator
from typing import IO, Annotated, cast

import anyio
import anyio.from_thread
from fastapi import Depends, Request
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from service.errors import FacematchError, ImportInvalid
from service.jobs.streams import too_many_bytes
from service.web.early import DRAIN_S, drain
from service.web.services import Provided

PATH = re.compile("/v1/galleries/[^/]+/imports")
SILENT_S = 60.0
"""Longest wait for the next piece of a body."""
LEAST_BYTES_PER_S = 10_000
"""After that long; who sends less holds one of a few places for next to nothing."""


def is_upload(scope: Scope) -> bool:
    """Whether the request has bounds of its own for its body, and for how many there are at once;
    those of a single photograph do not hold for it."""
    return scope["method"] == "POST" and PATH.fullmatch(scope["path"]) is not None


class Body:
    """The body of a request, for a thread that the event loop has lent to its handler."""

    def __init__(self, request: Request) -> None:
        self._pieces = request.stream()
        self._piece = b""
        self._taken = 0
        self._waited_s = 0.0
        self.ended = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            ImportInvalid: it broke off, or comes too slowly.
        """
        if not self._piece:
            self._piece = anyio.from_thread.run(self._next)
        data, self._piece = self._piece[:size], self._piece[size:]
        return data

    async def _next(self) -> bytes:
        began = time.monotonic()
        try:
            with anyio.fail_after(SILENT_S):
                async for piece in self._pieces:
                    if piece:
                        self._count(piece, time.monotonic() - began)
                        return piece
        except (ClientDisconnect, TimeoutError):
            raise ImportInvalid("The upload broke off; send it again.") from None
        self.ended = True
        return b""

    def _count(self, piece: bytes, waited_s: float) -> None:
        """What the database takes to store it is not the sender's time."""
        self._taken += len(piece)
        self._waited_s += waited_s
        if self._waited_s > SILENT_S + self._taken / LEAST_BYTES_PER_S:
            raise ImportInvalid(
                f"The upload is too slow: send {LEAST_BYTES_PER_S} bytes a second at least."
            )


def _uploaded(request: Request, services: Provided) -> Iterator[IO[bytes]]:
    """The body, once its declared length is within bounds."""
    limit = services.imports.limits.max_bytes
    declared = request.headers.get("content-length", "")
    body = Body(request)
    try:
        if declared.isascii() and declared.isdigit() and int(declared) > limit:
            raise too_many_bytes(limit)
        yield cast(IO[bytes], body)
    except FacematchError:
        if not body.ended and "expect" not in request.headers:  # it may send before it listens
            anyio.from_thread.run(_throw_away, request)
        raise


async def _throw_away(request: Request) -> None:
    with anyio.move_on_after(DRAIN_S):
        await drain(request.receive)


Uploaded = Annotated[IO[bytes], Depends(_uploaded)]
