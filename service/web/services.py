"""Hands the services to the routes."""

from typing import Annotated

from fastapi import Depends, Request, Response

from service.domain.galleries import GalleryVersion
from service.wiring import Services

VERSION_HEADER = "X-Gallery-Version"


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]


def stamp(response: Response, version: GalleryVersion) -> None:
    """Say which state of the gallery the answer is from; opaque to callers."""
    response.headers[VERSION_HEADER] = str(version)
