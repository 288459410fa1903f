"""/v1/galleries/{gallery}/verify and /v1/verify: is it that person?"""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from service.domain.decisions import Confidence
from service.verification import Compared, Comparison, Verified
from service.web.callers import Searching
from service.web.services import Provided, stamp
from service.web.v1.bodies import PHOTOGRAPH, EitherBody, Image
from service.web.v1.detect import FaceBody, ModelName
from service.web.v1.galleries import Space, Threshold
from service.web.v1.parameters import AtLeast, GalleryName
from service.web.v1.probes import ProbeBody
from service.web.v1.problems import problems

router = APIRouter(tags=["verify"])

MOST_OTHERS = 16


class VerifyBody(ProbeBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image": PHOTOGRAPH, "subject": "grace"}]}
    )

    subject: str = Field(max_length=255, description="the subject's id", examples=["grace"])
    threshold: Threshold | None = Field(None, description="null: the gallery's")


class CompareBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"image": PHOTOGRAPH, "others": [PHOTOGRAPH]}]},
    )

    image: Image
    others: list[Image] = Field(min_length=1, max_length=MOST_OTHERS)
    model: ModelName | None = Field(None, description="null: the default gallery's")
    threshold: Threshold | None = Field(None, description="null: the model's default")


SUBJECT = EitherBody(VerifyBody, {"file": "image"}, frozenset({"embedding", "space"}))
PHOTOGRAPHS = EitherBody(CompareBody, {"file_a": "image", "file_b": "others"})


class VerifiedBody(BaseModel):
    gallery: str = Field(examples=["staff"])
    subject: str = Field(examples=["grace"])
    matched: bool
    similarity: float | None = Field(
        description="of the subject's best face, cosine, -1 to 1; null: it has none to compare"
    )
    threshold: float = Field(examples=[0.922])
    confidence: Confidence | None = Field(description="null: no match")
    face: UUID | None = Field(description="the subject's face that resembles the probe most")
    faces_compared: int
    probe: FaceBody | None = Field(description="null for a probe without photograph")

    @classmethod
    def of(cls, gallery: str, subject: str, verified: Verified) -> Self:
        return cls(
            gallery=gallery,
            subject=subject,
            matched=verified.matched,
            similarity=verified.similarity,
            threshold=verified.threshold,
            confidence=verified.confidence,
            face=verified.face_id,
            faces_compared=verified.faces,
            probe=FaceBody.of(verified.probe) if verified.probe else None,
        )


class ComparisonBody(BaseModel):
    face: FaceBody
    similarity: float = Field(description="cosine, -1 to 1, to six decimals", examples=[0.951002])
    matched: bool

    @classmethod
    def of(cls, made: Comparison) -> Self:
        return cls(face=FaceBody.of(made.face), similarity=made.similarity, matched=made.matched)


class ComparedBody(BaseModel):
    matched: bool = Field(description="whether any of the others reaches the threshold")
    similarity: float = Field(description="the greatest of the comparisons")
    threshold: float = Field(examples=[0.922])
    space: Space
    face: FaceBody = Field(description="the largest of the first photograph")
    comparisons: list[ComparisonBody] = Field(description="in the order of the others")

    @classmethod
    def of(cls, compared: Compared) -> Self:
        return cls(
            matched=any(each.matched for each in compared.comparisons),
            similarity=max(each.similarity for each in compared.comparisons),
            threshold=compared.threshold,
            space=Space.of(compared.space),
            face=FaceBody.of(compared.face),
            comparisons=[ComparisonBody.of(each) for each in compared.comparisons],
        )


@router.post(
    "/galleries/{gallery}/verify",
    summary="Compare with a subject",
    openapi_extra=SUBJECT.documented(),
    responses=problems(404, 409, 415),
)
def verify_subject(
    services: Provided,
    response: Response,
    caller: Searching,
    gallery: GalleryName,
    at_least: AtLeast,
    body: Annotated[VerifyBody, Depends(SUBJECT.parsed)],
) -> VerifiedBody:
    """Whether a photograph, an embedding or an enrolled face is that subject's."""
    found = services.verification.subject(
        caller, gallery, body.subject, body.probe(), body.threshold, at_least
    )
    stamp(response, found.version)
    return VerifiedBody.of(gallery, body.subject, found)


@router.post(
    "/verify",
    summary="Compare photographs",
    openapi_extra=PHOTOGRAPHS.documented(),
    responses=problems(415),
)
def verify_photographs(
    services: Provided,
    caller: Searching,
    body: Annotated[CompareBody, Depends(PHOTOGRAPHS.parsed)],
) -> ComparedBody:
    """Whether two photographs, or one and any of several others, show the same person.

    The largest face of each counts. Nothing is stored, and no gallery is searched."""
    compared = services.verification.photographs(
        caller, body.image, body.others, body.model, body.threshold
    )
    return ComparedBody.of(compared)
