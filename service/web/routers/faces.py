"""The plain endpoints on the default gallery: add, match, list, delete."""

import json
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile

from service.domain.consents import Consent, read_consent
from service.domain.probes import PhotographProbe
from service.domain.subjects import MAX_ID_LENGTH, valid_external_id
from service.enrolment import Photograph
from service.errors import NoFileUploaded, RequestInvalid
from service.searches import Search
from service.web import schemas, shapes
from service.web.callers import Enrolling, Reading, Searching
from service.web.forms import said_once
from service.web.services import AtLeast, Provided, stamp

router = APIRouter(tags=["faces"])

Upload = Annotated[UploadFile | None, File(description="a JPEG, PNG or WebP photograph")]
SubjectId = Annotated[
    str, Form(description=f"the person's ID: 1 to {MAX_ID_LENGTH} characters, not blank")
]
Consented = Annotated[
    str | None,
    Form(description='the consent, as JSON: {"text_version": "2026-11", "purpose": "entry"}'),
]
REFUSALS = schemas.refusals(401, 403, 404, 409, 422, 429, 503)
PROBLEMS = schemas.refusals(400, 413, 415) | REFUSALS


def _consent(text: str | None) -> Consent | None:
    """Raises RequestInvalid for what is none."""
    if text is None:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RequestInvalid("consent: must be a JSON object")
    return read_consent(values)


def _photograph(upload: UploadFile | None) -> Photograph:
    if upload is None:
        raise NoFileUploaded
    return Photograph(upload.file.read(), upload.filename)


@router.post("/add_face", responses=PROBLEMS, dependencies=[Depends(said_once)])
def add_face(
    services: Provided,
    response: Response,
    caller: Enrolling,
    at_least: AtLeast,
    id: SubjectId,
    file: Upload = None,
    consent: Consented = None,
) -> schemas.FaceAdded:
    """Enrol a person by a photograph that shows one face."""
    photograph = _photograph(file)
    add = services.enrolment.add_face
    added = add(caller, services.gallery_name, id, photograph, at_least, _consent(consent))
    stamp(response, added.version)
    return schemas.FaceAdded(
        id=added.external_id, embedding_size=added.embedding_size, total_faces=added.total_faces
    )


@router.post("/match_face", responses=PROBLEMS, dependencies=[Depends(said_once)])
def match_face(
    services: Provided,
    response: Response,
    caller: Searching,
    at_least: AtLeast,
    file: Upload = None,
) -> schemas.Matched | schemas.NotMatched:
    """Ask whose face is the largest one on a photograph; nobody is an answer."""
    began = time.perf_counter()
    search = Search(PhotographProbe(_photograph(file).data))
    name = services.gallery_name
    found = services.recognition.search(caller, [name], search, {name: at_least})
    stamp(response, found.galleries[0].version)
    return shapes.match(found, round((time.perf_counter() - began) * 1000, 3))


@router.get("/list_faces", responses=REFUSALS)
def list_faces(
    services: Provided,
    response: Response,
    caller: Reading,
    at_least: AtLeast,
    limit: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    after: Annotated[str | None, Query(description="the last id of the page before")] = None,
) -> schemas.FaceList:
    """List the enrolled faces by id: all of them, or a page."""
    if after is not None:
        valid_external_id(after)
    listing = services.faces.listing(caller, services.gallery_name, after, limit, at_least)
    stamp(response, listing.version)
    entries = [schemas.FaceEntry(id=f.external_id, added_date=f.added_at) for f in listing.faces]
    return schemas.FaceList(total_faces=listing.total_faces, faces=entries)


# `:path`, so that an id with encoded slashes in it reaches its face
@router.delete(
    "/delete_face/{face_id:path}",
    responses=REFUSALS,
    response_model_exclude_unset=True,
)
def delete_face(
    services: Provided,
    response: Response,
    caller: Enrolling,
    at_least: AtLeast,
    face_id: str,
    wait: Annotated[
        Literal["all"] | None, Query(description="all: until every live replica has dropped it")
    ] = None,
) -> schemas.FaceDeleted:
    """Delete a person with every face enrolled for that id."""
    everywhere = wait == "all"
    deleted = services.subjects.delete(
        caller, services.gallery_name, face_id, at_least, wait_all=everywhere
    )
    stamp(response, deleted.version)
    return shapes.face_deleted(face_id, deleted)
