"""ETag out, If-Match in: a change that rests on what was read."""

from typing import Annotated

from fastapi import Depends, Header


async def _matched(
    tag: Annotated[
        str | None,
        Header(alias="If-Match", description="the ETag that was read; 412 if it has changed since"),
    ] = None,
) -> str | None:
    """The tag that the present state must have; None: any, as `*` says too."""
    if tag is None or tag.strip() == "*":
        return None
    # a weak tag never matches (RFC 9110, 13.1.1), and keeps its W/ here, which no tag of ours has
    return tag.strip().removeprefix('"').removesuffix('"')


IfMatch = Annotated[str | None, Depends(_matched)]


def quoted(tag: str) -> str:
    return f'"{tag}"'
