"""What several routes take from the path and the headers."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

from service.domain.galleries import GalleryVersion
from service.errors import RequestInvalid
from service.web.segments import decoded, encoded
from service.web.services import MinVersion, Provided, held

GalleryName = Annotated[
    str,
    Path(alias="gallery", min_length=1, max_length=255, description="the gallery's name"),
    BeforeValidator(decoded),
]

ELSEWHERE = "-"
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


async def _subject(
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


def _written(moment: object) -> object:
    """A number may be seconds or milliseconds, and would be taken for the one that gives a date."""
    if isinstance(moment, int | float) or (isinstance(moment, str) and not DATE.match(moment)):
        raise PydanticCustomError("moment", "must be a date and time, as 2030-01-01T00:00:00Z")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""With its time zone."""


def place(gallery: str, *more: str) -> str:
    """The path of what lies under a gallery, for the header Location."""
    return "/".join(["/v1/galleries", encoded(gallery), *map(encoded, more)])


def subject_place(gallery: str, subject: str, *more: str) -> str:
    if subject not in {".", ".."}:
        return place(gallery, "subjects", subject, *more)
    return f"{place(gallery, 'subjects', ELSEWHERE, *more)}?subject={subject}"


async def _demanded(
    request: Request, services: Provided, gallery: GalleryName, version: MinVersion = None
) -> GalleryVersion | None:
    return await held(request, services, gallery, version)


AtLeast = Annotated[GalleryVersion | None, Depends(_demanded)]
"""Named by every route of a gallery: what it answers is checked to be from there."""
