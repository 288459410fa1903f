"""/v1/galleries/{gallery}/subjects/{subject}/faces: added, listed, read, replaced, deleted."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.domain.consents import Consent
from service.domain.faces import Face
from service.domain.keys import Scope
from service.enrolment import Offer, Photograph, Placed, RawEmbedding
from service.errors import ScopeMissing
from service.faces import FaceErased
from service.web import schemas, shapes
from service.web.callers import Enrolling, Reading
from service.web.etags import IfMatch, quoted
from service.web.idempotency import Repeat, answer
from service.web.paging import AfterId, Limit, cursor_after
from service.web.problems import VERSION_HEADER
from service.web.services import Provided, stamp
from service.web.v1.bodies import EitherBody, Image
from service.web.v1.consents import GivenConsent
from service.web.v1.detect import BoxBody, QualityBody
from service.web.v1.parameters import AtLeast, GalleryName, SubjectId, subject_place
from service.web.v1.probes import LONGEST_EMBEDDING, ClaimedSpaceBody
from service.web.v1.problems import problems
from service.web.v1.subjects import Wait

router = APIRouter(prefix="/galleries/{gallery}/subjects/{subject}/faces", tags=["enrolled faces"])

FaceId = Annotated[UUID, Path(alias="face", description="the face's id")]
Create = Annotated[bool, Query(description="make the subject where there is none of that id")]


class OfferedFace(BaseModel):
    """Exactly one of `image` (in a form: `file`) and `embedding`."""

    model_config = ConfigDict(extra="forbid")

    image: Image | None = None
    image_name: str | None = Field(
        None, max_length=1000, description="in a form, else the file's own", examples=["grace.jpg"]
    )
    embedding: list[float] | None = Field(
        None, max_length=LONGEST_EMBEDDING, description="of any length; needs `space`"
    )
    space: ClaimedSpaceBody | None = Field(
        None, description="what the embedding was made with: the gallery's, or it is refused"
    )
    consent: GivenConsent = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.image is None) == (self.embedding is None):
            raise PydanticCustomError(
                "face", "give exactly one of image (in a form: file) and embedding"
            )
        if (self.space is None) != (self.embedding is None):
            raise PydanticCustomError(
                "space", "an embedding needs its space, and nothing else has one"
            )
        return self

    def offer(self) -> Offer:
        if self.image is not None:
            return Photograph(self.image, self.image_name)
        assert self.embedding is not None
        assert self.space is not None
        return RawEmbedding(self.embedding, self.space.claimed(), self.image_name)

    def given(self) -> Consent | None:
        return None if self.consent is None else self.consent.wanted()


OFFER = EitherBody(
    OfferedFace, {"file": "image"}, frozenset({"embedding", "space"}), {"file": "image_name"}
)
Offered = Annotated[OfferedFace, Depends(OFFER.parsed)]


class EnrolledFaceBody(BaseModel):
    """An enrolled photograph, or an embedding in the place of one."""

    id: UUID
    subject: str = Field(description="the subject's id", examples=["grace"])
    created_at: AwareDatetime = Field(description="in UTC")
    created_by: str = Field(description="who enrolled it", examples=["turnstiles"])
    image_name: str | None = Field(examples=["grace.jpg"])
    image_sha256: str | None = Field(description="of the file; null: enrolled as an embedding")
    box: BoxBody | None
    quality: QualityBody | None
    embedding: list[float] | None = Field(None, description="null unless asked for")

    @classmethod
    def of(cls, face: Face) -> Self:
        values = {
            "id": face.id,
            "subject": face.external_id,
            "created_at": face.created_at,
            "created_by": face.created_by,
            "image_name": face.image_name,
            "image_sha256": None if face.image_sha256 is None else face.image_sha256.hex(),
            "box": face.box,
            "quality": face.quality,
        }
        if face.embedding is not None:
            values["embedding"] = face.embedding.tolist()
        return cls.model_validate(values, from_attributes=True)


class EnrolledFacePage(BaseModel):
    faces: list[EnrolledFaceBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class FaceErasedBody(BaseModel):
    id: UUID
    replicas: schemas.Replicas | None = Field(description="null unless asked to wait for all")

    @classmethod
    def of(cls, face: UUID, erased: FaceErased) -> Self:
        seen = erased.replicas
        replicas = None if seen is None else shapes.spread(seen, erased.version)
        return cls(id=face, replicas=replicas)


async def _embeddings(
    request: Request,
    include: Annotated[
        Literal["embedding"] | None, Query(description="embedding: needs the scope `export`")
    ] = None,
) -> bool:
    """Raises ScopeMissing for those who may not see them."""
    if include is not None and not request.state.caller.may(Scope.EXPORT):
        raise ScopeMissing(Scope.EXPORT)
    return include is not None


Embeddings = Annotated[bool, Depends(_embeddings)]


def _answer(placed: Placed, status: int = 200, **headers: str) -> JSONResponse:
    headers |= {"ETag": quoted(placed.face.etag), VERSION_HEADER: str(placed.version)}
    return answer(EnrolledFaceBody.of(placed.face), status, headers)


def _added(placed: Placed) -> JSONResponse:
    face = placed.face
    location = subject_place(placed.gallery.name, face.external_id, "faces", str(face.id))
    return _answer(placed, 201, Location=location)


@router.post(
    "",
    status_code=201,
    response_model=EnrolledFaceBody,
    openapi_extra=OFFER.documented(),
    responses=problems(400, 404, 409, 410, 413, 415),
)
def add_subject_face(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    body: Offered,
    repeat: Repeat,
    create: Create = False,
) -> Response:
    """Add a face to a subject: a photograph, or an embedding of the gallery's space."""
    once = repeat.once(caller, body, _added)
    add, offer, consent = services.enrolment.add, body.offer(), body.given()
    return _added(
        add(caller, gallery, subject, offer, at_least, once, create=create, consent=consent)
    )


@router.get("", responses=problems(404, 409))
def list_subject_faces(
    services: Provided,
    response: Response,
    caller: Reading,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    after: AfterId,
    embeddings: Embeddings,
    limit: Limit = 100,
) -> EnrolledFacePage:
    """A subject's faces in the order of their enrolment."""
    list_ = services.faces.page
    page = list_(caller, gallery, subject, after, limit, at_least, embeddings=embeddings)
    stamp(response, page.version)
    following = cursor_after(str(page.faces[-1].id)) if len(page.faces) == limit else None
    return EnrolledFacePage(faces=[EnrolledFaceBody.of(f) for f in page.faces], next=following)


@router.get("/{face}", responses=problems(404, 409))
def read_subject_face(
    services: Provided,
    response: Response,
    caller: Reading,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    face: FaceId,
    embeddings: Embeddings,
) -> EnrolledFaceBody:
    read = services.faces.read
    shown = read(caller, gallery, subject, face, at_least, embeddings=embeddings)
    stamp(response, shown.version)
    response.headers["ETag"] = quoted(shown.face.etag)
    return EnrolledFaceBody.of(shown.face)


@router.put(
    "/{face}",
    response_model=EnrolledFaceBody,
    openapi_extra=OFFER.documented(),
    responses=problems(400, 404, 409, 412, 413, 415),
)
def replace_subject_face(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    face: FaceId,
    body: Offered,
    etag: IfMatch,
) -> Response:
    """Put another photograph, or embedding, in the place of a face; its id stays."""
    replace, offer, consent = services.enrolment.replace, body.offer(), body.given()
    return _answer(replace(caller, gallery, subject, face, offer, at_least, etag, consent))


@router.delete("/{face}", responses=problems(404, 409, 412))
def delete_subject_face(
    services: Provided,
    response: Response,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    face: FaceId,
    etag: IfMatch,
    wait: Wait = None,
) -> FaceErasedBody:
    """Delete one face; the subject stays, with or without others."""
    delete = services.faces.delete
    erased = delete(caller, gallery, subject, face, at_least, etag, wait_all=wait == "all")
    stamp(response, erased.version)
    return FaceErasedBody.of(face, erased)
