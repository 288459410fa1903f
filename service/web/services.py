"""Hands the services to the routes."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response

from service.domain.galleries import GalleryVersion
from service.web.problems import VERSION_HEADER
from service.wiring import Services


def _services(request: Request) -> Services:
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


def demanded(
    request: Request, services: Provided, version: MinVersion = None
) -> GalleryVersion | None:
    """Wait until this replica holds the version that the caller has seen, or refuse."""
    at_least = None if version is None else GalleryVersion.parse(version)
    services.galleries.demand(request.state.caller, services.gallery_name, at_least)
    return at_least


AtLeast = Annotated[GalleryVersion | None, Depends(demanded)]
"""Named by every route of the gallery: what it answers is checked to be from there."""


def stamp(response: Response, version: GalleryVersion) -> None:
    """Say which state of the gallery the answer is from; opaque to callers."""
    response.headers[VERSION_HEADER] = str(version)
