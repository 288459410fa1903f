"""/v1/galleries/{gallery}/subjects: made, listed, read, changed, merged, deleted."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from service.domain.consents import Consent
from service.domain.keys import Caller, Scope
from service.domain.subjects import MAX_ID_LENGTH, Metadata, NewSubject, Subject
from service.errors import RequestInvalid
from service.subjects import Deleted, Merged, Written
from service.web import schemas, shapes
from service.web.callers import Enrolling, Reading
from service.web.etags import IfMatch, quoted
from service.web.idempotency import Repeat, answer
from service.web.paging import After, Limit, cursor_after
from service.web.problems import VERSION_HEADER
from service.web.services import Provided, stamp
from service.web.v1.consents import GivenConsent
from service.web.v1.parameters import AtLeast, GalleryName, Moment, SubjectId, subject_place
from service.web.v1.problems import problems

router = APIRouter(prefix="/galleries/{gallery}/subjects", tags=["subjects"])

ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_ID_LENGTH,
        description="yours: any text that is not blank and has no control characters",
        examples=["grace"],
    ),
]
MetadataObject = Annotated[
    dict[str, Any],
    Field(
        description="any JSON object of 16 KiB at most, 16 levels deep",
        examples=[{"department": "navy", "badge": 42}],
    ),
]
Expiry = Annotated[
    Moment | None,
    Field(
        description="from then on no search answers with the subject",
        examples=["2030-01-01T00:00:00Z"],
    ),
]
Wait = Annotated[
    Literal["all"] | None, Query(description="all: until every live replica has dropped it")
]


class NewSubjectBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: ExternalId
    metadata: MetadataObject = {}
    expires_at: Expiry = Field(None, description="null: as the gallery's `subject_lifetime_s` says")
    consent: GivenConsent = None

    def given(self) -> Consent | None:
        return None if self.consent is None else self.consent.wanted()

    def wanted(self) -> NewSubject:
        return NewSubject(self.id, self.metadata, self.expires_at)


class SubjectChanges(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    id: ExternalId = Field("", description="the new id")
    metadata: MetadataObject = Field({}, description="as a whole")
    expires_at: Expiry = Field(None, description="null: never")

    def applied(self, to: Subject) -> NewSubject:
        given = self.model_fields_set
        return NewSubject(
            external_id=self.id if "id" in given else to.external_id,
            metadata=self.metadata if "metadata" in given else to.metadata,
            expires_at=self.expires_at if "expires_at" in given else to.expires_at,
        )


class MergeBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    other: str = Field(alias="from", description="id of the subject to merge", examples=["grace-2"])


class SubjectBody(BaseModel):
    id: str = Field(examples=["grace"])
    metadata: MetadataObject
    created_at: AwareDatetime = Field(description="in UTC")
    expires_at: Expiry = Field(description="in UTC; null: never")
    expired: bool = Field(
        description="or its consents are all over: no search answers with it, and no face can be "
        "added"
    )
    faces: int = Field(description="its enrolled photographs", examples=[2])

    @classmethod
    def of(cls, subject: Subject) -> Self:
        return cls(
            id=subject.external_id,
            metadata=dict(subject.metadata),
            created_at=subject.created_at,
            expires_at=subject.expires_at,
            expired=subject.expired,
            faces=subject.faces,
        )


class SubjectPage(BaseModel):
    subjects: list[SubjectBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class MergedBody(BaseModel):
    subject: SubjectBody
    moved: int = Field(description="faces that were the other's", examples=[3])
    dropped: int = Field(description="of the other's, those that were there already", examples=[0])


class SubjectErased(BaseModel):
    id: str = Field(examples=["grace"])
    faces: int = Field(description="that went with it", examples=[2])
    replicas: schemas.Replicas | None = Field(description="null unless asked to wait for all")

    @classmethod
    def of(cls, subject: str, deleted: Deleted) -> Self:
        seen = deleted.replicas
        replicas = None if seen is None else shapes.spread(seen, deleted.version)
        return cls(id=subject, faces=deleted.erased, replicas=replicas)


async def _containing(
    metadata: Annotated[
        str | None,
        Query(
            description="a JSON object: only subjects whose metadata contain it, as PostgreSQL's "
            "`@>` says",
            examples=['{"department":"navy"}'],
        ),
    ] = None,
) -> Metadata | None:
    if metadata is None:
        return None
    try:
        wanted = from_json(metadata, allow_inf_nan=False)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise RequestInvalid("metadata: must be a JSON object, percent-encoded")
    return wanted


def _answer(written: Written, status: int = 200, **headers: str) -> JSONResponse:
    headers |= {"ETag": quoted(written.subject.etag), VERSION_HEADER: str(written.version)}
    return answer(SubjectBody.of(written.subject), status, headers)


def _made(written: Written) -> JSONResponse:
    location = subject_place(written.gallery.name, written.subject.external_id)
    return _answer(written, 201, Location=location)


def _merged(merged: Merged) -> JSONResponse:
    written = merged.written
    subject = SubjectBody.of(written.subject)
    body = MergedBody(subject=subject, moved=merged.moved, dropped=merged.dropped)
    headers = {"ETag": quoted(written.subject.etag), VERSION_HEADER: str(written.version)}
    return answer(body, headers=headers)


@router.post("", status_code=201, response_model=SubjectBody, responses=problems(404, 409, 410))
def create_subject(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    at_least: AtLeast,
    body: NewSubjectBody,
    repeat: Repeat,
) -> Response:
    """Create a subject without faces."""
    once = repeat.once(caller, body, _made)
    create = services.subjects.create
    return _made(create(caller, gallery, body.wanted(), at_least, once, body.given()))


@router.get("", responses=problems(404, 409))
def list_subjects(
    services: Provided,
    response: Response,
    caller: Reading,
    gallery: GalleryName,
    at_least: AtLeast,
    after: After,
    containing: Annotated[Metadata | None, Depends(_containing)],
    limit: Limit = 100,
) -> SubjectPage:
    """The gallery's subjects by id, expired ones too."""
    page = services.subjects.page(caller, gallery, after, limit, containing, at_least)
    stamp(response, page.version)
    found = page.subjects
    following = cursor_after(found[-1].external_id) if len(found) == limit else None
    return SubjectPage(subjects=[SubjectBody.of(each) for each in found], next=following)


@router.get("/{subject}", response_model=SubjectBody, responses=problems(404, 409))
def read_subject(
    services: Provided, caller: Reading, gallery: GalleryName, subject: SubjectId, at_least: AtLeast
) -> Response:
    """An expired subject too; `expired` says so."""
    return _answer(services.subjects.read(caller, gallery, subject, at_least))


UNSEEN: dict[int | str, dict[str, Any]] = {204: {"description": "done; the key may not read"}}


def _shown(caller: Caller, response: JSONResponse) -> Response:
    """Who may not read is told that it is done, and no more."""
    if caller.may(Scope.READ):
        return response
    return Response(status_code=204, headers={VERSION_HEADER: response.headers[VERSION_HEADER]})


@router.patch(
    "/{subject}",
    response_model=SubjectBody,
    responses=UNSEEN | problems(404, 409, 412),
)
def change_subject(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    body: SubjectChanges,
    etag: IfMatch,
) -> Response:
    """Change a subject's metadata or expiry, or rename it."""
    change = services.subjects.change
    changed = change(caller, gallery, subject, body.applied, at_least, etag)
    return _shown(caller, _answer(changed))


@router.post(
    "/{subject}/merge",
    response_model=MergedBody,
    responses=UNSEEN | problems(404, 409, 410, 412),
)
def merge_subject(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    body: MergeBody,
    repeat: Repeat,
    etag: IfMatch,
) -> Response:
    """Give a subject another one's faces, and delete the other."""

    def shape(merged: Merged) -> Response:
        return _shown(caller, _merged(merged))

    once = repeat.once(caller, body, shape)
    merge = services.subjects.merge
    return shape(merge(caller, gallery, subject, body.other, at_least, once, etag))


@router.delete("/{subject}", responses=problems(404, 409, 412))
def delete_subject(
    services: Provided,
    response: Response,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    etag: IfMatch,
    wait: Wait = None,
) -> SubjectErased:
    """Delete a subject with every face of it."""
    delete = services.subjects.delete
    deleted = delete(caller, gallery, subject, at_least, etag, wait_all=wait == "all")
    stamp(response, deleted.version)
    return SubjectErased.of(subject, deleted)
