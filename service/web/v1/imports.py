"""/v1/galleries/{gallery}/imports: many photographs at once."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from service.domain.imports import ImportJob
from service.domain.repeats import Once
from service.web.callers import Enrolling
from service.web.idempotency import Repeat
from service.web.services import Provided
from service.web.uploads import Uploaded
from service.web.v1.jobs import JobBody, shown
from service.web.v1.parameters import GalleryName
from service.web.v1.problems import problems

router = APIRouter(prefix="/galleries", tags=["jobs"])

MEDIA_TYPES = ("application/x-tar", "application/gzip", "application/zip", "application/x-ndjson")
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "a tar (plain or gzip) or zip of photographs, with or without a manifest, "
        "or lines of JSON; told by its content",
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES
        },
    }
}


def _accepted(job: ImportJob) -> Response:
    return shown(job, 202)


@router.post(
    "/{gallery}/imports",
    status_code=202,
    response_model=JobBody,
    responses=problems(404, 409),
    openapi_extra=BODY,
)
def create_import(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    body: Uploaded,
    repeat: Repeat,
    existing: Annotated[
        Literal["add", "refuse"],
        Query(description="what to do where an id is enrolled: add a face to it, or reject"),
    ] = "add",
) -> Response:
    """Enrol many photographs: they are taken in now and enrolled by a job."""

    def once(digest: bytes) -> Once[ImportJob] | None:
        return repeat.once(caller, (digest,), _accepted)

    several = existing == "add"
    return _accepted(services.imports.submit(caller, gallery, body, several=several, once=once))
