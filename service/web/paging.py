"""Cursors: opaque to callers, the last item's name to us."""

import base64
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from service.errors import RequestInvalid

Limit = Annotated[int, Query(ge=1, le=1000, description="items on a page")]


def cursor_after(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


async def _after(
    cursor: Annotated[
        str | None, Query(max_length=2000, description="`next` of the page before")
    ] = None,
) -> str | None:
    """Raises RequestInvalid for a cursor that is not ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:  # also what base64 and UTF-8 say
        name = "\0"
    if "\0" in name:
        raise RequestInvalid("cursor: not a `next` that a page had")
    return name


After = Annotated[str | None, Depends(_after)]


async def _after_id(cursor: After) -> UUID | None:
    """As `_after`, where the last item's name is a UUID."""
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError:
        raise RequestInvalid("cursor: not a `next` that a page had") from None


AfterId = Annotated[UUID | None, Depends(_after_id)]
