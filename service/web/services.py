"""Hands the services to the routes.

What a route depends on is a coroutine where it does not block: each other dependency costs every
request a turn of a thread.
"""

from typing import Annotated

from fastapi import Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from service.domain.galleries import GalleryVersion
from service.web.problems import VERSION_HEADER
from service.wiring import Services


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]


MinVersion = Annotated[
    str | None,
    Header(
        alias="X-Min-Gallery-Version",
        description="answer from at least this version: an X-Gallery-Version of before",
        json_schema_extra={"pattern": "^[0-9]{1,18}-[0-9a-f]{32}$"},
    ),
]


async def held(
    request: Request, services: Services, gallery: str, version: str | None
) -> GalleryVersion | None:
    """Wait until this replica holds the version that the caller has seen, or refuse."""
    if version is None:
        return None
    at_least = GalleryVersion.parse(version)
    await run_in_threadpool(services.galleries.demand, request.state.caller, gallery, at_least)
    return at_least


async def _demanded(
    request: Request, services: Provided, version: MinVersion = None
) -> GalleryVersion | None:
    return await held(request, services, services.gallery_name, version)


AtLeast = Annotated[GalleryVersion | None, Depends(_demanded)]
"""Named by every route of the gallery: what it answers is checked to be from there."""


def stamp(response: Response, version: GalleryVersion) -> None:
    """Say which state of the gallery the answer is from; opaque to callers."""
    response.headers[VERSION_HEADER] = str(version)
