"""What several routes take from the path and the headers."""

from typing import Annotated

from fastapi import Depends, Path, Request

from service.domain.galleries import GalleryVersion
from service.web.services import MinVersion, Provided

GalleryName = Annotated[
    str, Path(alias="gallery", min_length=1, max_length=255, description="the gallery's name")
]


def _demanded(
    request: Request, services: Provided, gallery: GalleryName, version: MinVersion = None
) -> GalleryVersion | None:
    """Wait until this replica holds the version that the caller has seen, or refuse."""
    at_least = None if version is None else GalleryVersion.parse(version)
    services.galleries.demand(request.state.caller, gallery, at_least)
    return at_least


AtLeast = Annotated[GalleryVersion | None, Depends(_demanded)]
"""Named by every route of a gallery: what it answers is checked to be from there."""
