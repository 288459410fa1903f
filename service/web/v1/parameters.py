"""What several routes take from the path and the headers."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator

from service.domain.galleries import GalleryVersion
from service.errors import RequestInvalid
from service.web.segments import decoded, encoded
from service.web.services import MinVersion, Provided

GalleryName = Annotated[
    str,
    Path(alias="gallery", min_length=1, max_length=255, description="the gallery's name"),
    BeforeValidator(decoded),
]

ELSEWHERE = "-"


def _subject(
    subject: Annotated[
        str,
        Path(description="the subject's id, percent-encoded, slashes too", examples=["grace"]),
        BeforeValidator(decoded),
    ],
    instead: Annotated[
        str | None,
        Query(
            alias="subject",
            description="the subject's id, where it cannot stand in a path (`.`, `..`, or a proxy "
            "that decodes slashes): write `-` in the path",
        ),
    ] = None,
) -> str:
    if instead is None:
        return subject
    if subject != ELSEWHERE:
        raise RequestInvalid("subject: where the query names it, the path must have - in its place")
    return instead


SubjectId = Annotated[str, Depends(_subject)]


def place(gallery: str, *more: str) -> str:
    """The path of what lies under a gallery, for the header Location."""
    return "/".join(["/v1/galleries", encoded(gallery), *map(encoded, more)])


def subject_place(gallery: str, subject: str, *more: str) -> str:
    if subject not in {".", ".."}:
        return place(gallery, "subjects", subject, *more)
    return f"{place(gallery, 'subjects', ELSEWHERE, *more)}?subject={subject}"


def _demanded(
    request: Request, services: Provided, gallery: GalleryName, version: MinVersion = None
) -> GalleryVersion | None:
    """Wait until this replica holds the version that the caller has seen, or refuse."""
    at_least = None if version is None else GalleryVersion.parse(version)
    services.galleries.demand(request.state.caller, gallery, at_least)
    return at_least


AtLeast = Annotated[GalleryVersion | None, Depends(_demanded)]
"""Named by every route of a gallery: what it answers is checked to be from there."""
