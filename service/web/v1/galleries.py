"""/v1/galleries: made, listed, read, changed, deleted."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, Strict, StrictBool

from service.domain.audit import SearchPolicy
from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import (
    EnrolmentGates,
    Gallery,
    GalleryRules,
    GallerySettings,
    OtherSpace,
)
from service.domain.photographs import Keeping
from service.galleries import GalleryFigures, NewGallery
from service.web.callers import Administering, Reading
from service.web.etags import IfMatch, quoted
from service.web.idempotency import Repeat, answer
from service.web.paging import After, Limit, cursor_after
from service.web.problems import VERSION_HEADER
from service.web.services import Provided, stamp
from service.web.v1.parameters import AtLeast, GalleryName
from service.web.v1.problems import problems

router = APIRouter(prefix="/galleries", tags=["galleries"])

Threshold = Annotated[float, Field(ge=-1, le=1, description="on cosine similarity")]

# of a gallery's settings nothing is taken for another kind: false for a threshold of 0 would let
# everybody in, and true for a lifetime of one second would delete them
Setting = Annotated[Threshold, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)]
Lifetime = Annotated[int, Strict(), Field(ge=1, le=3_155_760_000)]


# settings of GalleryRules that a change may name: null is a value of these, but not of those
NULLABLE = {"subject_lifetime_s", "unmatched_lifetime_s"}
PLAIN = {"max_faces_per_subject", "consent_required", "audit_searches", "keep_photographs"}


class Gates(BaseModel):
    """What an enrolment is refused for."""

    model_config = ConfigDict(extra="forbid")

    one_face: StrictBool = Field(True, description="several faces on the photograph")
    quality: StrictBool = Field(True, description="a face that cannot be seen well")
    new_photograph: StrictBool = Field(False, description="a photograph enrolled for anybody here")
    new_person: StrictBool = Field(False, description="a face that resembles another subject")
    own_likeness: StrictBool = Field(False, description="a face unlike the subject's other faces")


class Space(BaseModel):
    """What makes embeddings comparable; a gallery's never changes."""

    model: str = Field(examples=["Dlib"])
    dimension: int = Field(examples=[128])
    detector: str = Field(examples=["dlib"])
    alignment: Alignment
    weights_sha256: str | None

    @classmethod
    def of(cls, space: EmbeddingSpace) -> Self:
        return cls.model_validate(space, from_attributes=True)


class NewGalleryBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, examples=["staff"])
    model: str = Field("Dlib", examples=["Dlib"])
    detector: str | None = Field(None, description="null: the model's own")
    alignment: Alignment | None = Field(None, description="null: the model's own")
    threshold: Setting | None = Field(None, description="null: the model's default")
    max_faces: Count | None = Field(None, description="null: no limit")
    max_faces_per_subject: Count = 100
    subject_lifetime_s: Lifetime | None = Field(
        None, description="new subjects expire after so many seconds; null: never"
    )
    gates: Gates = Gates()
    unmatched_lifetime_s: Lifetime | None = Field(
        None, description="subjects that no search finds for so many seconds are deleted"
    )
    consent_required: StrictBool = Field(
        False, description="nobody is enrolled without a valid consent"
    )
    audit_searches: SearchPolicy = Field(SearchPolicy.ALL, description="searches to be recorded")
    keep_photographs: Keeping = Field(
        Keeping.NONE, description="what stays of enrolled photographs, sealed"
    )

    def wanted(self) -> NewGallery:
        rules = GalleryRules(
            self.max_faces_per_subject,
            self.subject_lifetime_s,
            EnrolmentGates(**self.gates.model_dump()),
            self.unmatched_lifetime_s,
            self.consent_required,
            self.audit_searches,
            self.keep_photographs,
        )
        return NewGallery(
            self.name,
            self.model,
            self.detector,
            self.alignment,
            self.threshold,
            self.max_faces,
            rules,
        )


class GalleryChanges(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    threshold: Setting | None = None
    max_faces: Count | None = Field(None, description="null: no limit")
    max_faces_per_subject: Count | None = None
    subject_lifetime_s: Lifetime | None = Field(None, description="null: never")
    gates: Gates | None = Field(None, description="as a whole")
    unmatched_lifetime_s: Lifetime | None = Field(None, description="null: never")
    consent_required: StrictBool | None = None
    audit_searches: SearchPolicy | None = None
    keep_photographs: Keeping | None = Field(
        None, description="what was kept of another kind is deleted"
    )

    def applied(self, to: GallerySettings) -> GallerySettings:
        given = self.model_fields_set
        rules = {
            name: getattr(self, name)
            for name in given & NULLABLE
            | {name for name in given & PLAIN if getattr(self, name) is not None}
        }
        if self.gates is not None:
            rules["gates"] = EnrolmentGates(**self.gates.model_dump())
        return GallerySettings(
            threshold=to.threshold if self.threshold is None else self.threshold,
            max_faces=self.max_faces if "max_faces" in given else to.max_faces,
            rules=replace(to.rules, **rules),
        )


class OtherSpaceBody(BaseModel):
    """A second space, beside the gallery's own, until it is given up."""

    space: Space
    threshold: float
    started_at: datetime = Field(description="in UTC")
    switched_at: datetime | None = Field(
        description="in UTC; null: the gallery is moved to it, else it came from it"
    )

    @classmethod
    def of(cls, other: OtherSpace) -> Self:
        return cls(
            space=Space.of(other.space),
            threshold=other.threshold,
            started_at=other.started_at,
            switched_at=other.switched_at,
        )


class GalleryBody(BaseModel):
    name: str = Field(examples=["staff"])
    space: Space
    threshold: Threshold
    max_faces: int | None
    max_faces_per_subject: int
    subject_lifetime_s: int | None
    gates: Gates
    unmatched_lifetime_s: int | None
    consent_required: bool
    audit_searches: SearchPolicy
    keep_photographs: Keeping
    other_space: OtherSpaceBody | None
    created_at: datetime = Field(description="in UTC")
    updated_at: datetime = Field(description="last change of its faces, in UTC")

    @classmethod
    def of(cls, gallery: Gallery) -> Self:
        rules = gallery.rules
        return cls(
            name=gallery.name,
            space=Space.of(gallery.space),
            threshold=gallery.threshold,
            max_faces=gallery.max_faces,
            max_faces_per_subject=rules.max_faces_per_subject,
            subject_lifetime_s=rules.subject_lifetime_s,
            gates=Gates.model_validate(rules.gates, from_attributes=True),
            unmatched_lifetime_s=rules.unmatched_lifetime_s,
            consent_required=rules.consent_required,
            audit_searches=rules.audit_searches,
            keep_photographs=rules.keep_photographs,
            other_space=OtherSpaceBody.of(gallery.other) if gallery.other else None,
            created_at=gallery.created_at,
            updated_at=gallery.updated_at,
        )


class GalleryPage(BaseModel):
    galleries: list[GalleryBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class Statistics(BaseModel):
    subjects: int
    faces: int
    indexed_faces: int | None = Field(description="in this replica's memory; null: being loaded")


def _answer(gallery: Gallery, status: int = 200) -> JSONResponse:
    headers = {
        "ETag": quoted(gallery.settings.etag),
        VERSION_HEADER: str(gallery.version),
    }
    return answer(GalleryBody.of(gallery), status, headers)


def _made(gallery: Gallery) -> JSONResponse:
    return _answer(gallery, 201)


@router.post("", status_code=201, response_model=GalleryBody, responses=problems(409))
def create_gallery(
    services: Provided, caller: Administering, body: NewGalleryBody, repeat: Repeat
) -> Response:
    """Create a gallery in one embedding space; see docs/operations.md for a move to another."""
    once = repeat.once(caller, body, _made)
    return _made(services.galleries.create(caller, body.wanted(), once))


@router.get("")
def list_galleries(
    services: Provided, caller: Reading, after: After, limit: Limit = 100
) -> GalleryPage:
    """The galleries that the key reaches, by name."""
    page = services.galleries.page(caller, after, limit)
    following = cursor_after(page[-1].name) if len(page) == limit else None
    return GalleryPage(galleries=[GalleryBody.of(each) for each in page], next=following)


@router.get("/{gallery}", response_model=GalleryBody, responses=problems(404, 409))
def read_gallery(
    services: Provided, caller: Reading, gallery: GalleryName, at_least: AtLeast
) -> Response:
    return _answer(services.galleries.read(caller, gallery, at_least))


@router.patch("/{gallery}", response_model=GalleryBody, responses=problems(404, 412))
def change_gallery(
    services: Provided,
    caller: Administering,
    gallery: GalleryName,
    body: GalleryChanges,
    etag: IfMatch,
) -> Response:
    """Change a gallery's settings; they hold for every replica at once."""
    return _answer(services.galleries.change(caller, gallery, body.applied, etag))


@router.delete("/{gallery}", status_code=204, responses=problems(404, 409, 412))
def delete_gallery(
    services: Provided,
    caller: Administering,
    gallery: GalleryName,
    etag: IfMatch,
    confirm: Annotated[str | None, Query(description="the gallery's name, once more")] = None,
) -> None:
    """Delete a gallery with every subject and face in it."""
    services.galleries.delete(caller, gallery, confirm, etag)


@router.get("/{gallery}/statistics", responses=problems(404, 409))
def read_statistics(
    services: Provided, response: Response, caller: Reading, gallery: GalleryName, at_least: AtLeast
) -> Statistics:
    figures: GalleryFigures = services.galleries.figures(caller, gallery, at_least)
    stamp(response, figures.gallery.version)
    return Statistics(subjects=figures.subjects, faces=figures.faces, indexed_faces=figures.indexed)
