"""/v1/detect: the faces of a photograph, and how well they can be seen."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service.detection import Detected, SeenFace
from service.domain.faces import DetectedFace
from service.domain.probes import PhotographProbe
from service.domain.quality import Flaw, Reason
from service.web.callers import Searching
from service.web.services import Provided
from service.web.v1.bodies import PHOTOGRAPH, EitherBody, Image
from service.web.v1.galleries import Space
from service.web.v1.problems import problems

router = APIRouter(prefix="/detect", tags=["detect"])

Faces = Literal["largest", "all"]
ModelName = Annotated[str, Field(min_length=1, max_length=100, examples=["Dlib"])]


class DetectBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"image": PHOTOGRAPH, "faces": "all"}]}
    )

    image: Image
    faces: Faces = Field("all", description="all: small ones in a group, too")
    model: ModelName | None = Field(
        None, description="whose detector is used; null: the default gallery's"
    )
    include: list[Literal["embedding"]] = Field(
        [], max_length=1, description="embedding: needs the scope `export`"
    )


DETECT = EitherBody(DetectBody, {"file": "image"})


class BoxBody(BaseModel):
    """In pixels of the upright photograph, origin top left; may reach beyond its edges."""

    left: int
    top: int
    width: int
    height: int


class PointBody(BaseModel):
    """In pixels of the upright photograph, origin top left."""

    x: float
    y: float


class QualityBody(BaseModel):
    """How well a face can be seen; docs/models.md says how each is measured."""

    size: float = Field(description="side of the square as large as the box, in pixels")
    sharpness: float = Field(description="0 to 1, at 112 x 112")
    brightness: float = Field(description="mean grey value, 0..255")
    contrast: float = Field(description="deviation of the grey values, 0..127.5")
    score: float = Field(description="the detector's own, on its own scale")
    roll: float | None = Field(description="degrees clockwise; null: no eyes found")
    yaw: float | None = Field(
        description="degrees that the head is turned, positive to the person's left; null: no eyes "
        "or no nose found"
    )


class FlawBody(BaseModel):
    """A measure of a face that breaks a rule."""

    reason: Reason
    measured: float
    limit: float
    detail: str = Field(description="what is wrong and what to do")

    @classmethod
    def of(cls, flaw: Flaw) -> Self:
        return cls(reason=flaw.reason, measured=flaw.measured, limit=flaw.limit, detail=str(flaw))


class FaceBody(BaseModel):
    """Where a photograph shows a face."""

    box: BoxBody
    score: float = Field(description="the detector's own, on its own scale")
    quality: QualityBody | None

    @classmethod
    def of(cls, face: DetectedFace) -> Self:
        return cls.model_validate(face, from_attributes=True)


class SeenFaceBody(FaceBody):
    flaws: list[FlawBody] = Field(description="why it would not be enrolled; empty: fit")
    landmarks: dict[str, PointBody] = Field(description="by name; which ones says the detector")
    embedding: list[float] | None = Field(
        None, description="of length 1; only when asked for, and allowed"
    )

    @classmethod
    def seen(cls, seen: SeenFace) -> Self:
        points = {name: PointBody(x=x, y=y) for name, (x, y) in seen.landmarks.items()}
        face = FaceBody.of(seen.face)
        embedding = None if seen.embedding is None else seen.embedding.tolist()
        flaws = [FlawBody.of(each) for each in seen.flaws]
        return cls(**dict(face), flaws=flaws, landmarks=points, embedding=embedding)


FACES_FOUND = (
    "more than `faces` lists where they were cut off; with `largest`, smaller faces may be left out"
)


class DetectedBody(BaseModel):
    width: int = Field(description="of the upright photograph, in pixels")
    height: int
    faces_found: int = Field(description=FACES_FOUND)
    faces: list[SeenFaceBody] = Field(description="largest first; empty: there is none")
    space: Space

    @classmethod
    def of(cls, detected: Detected) -> Self:
        return cls(
            width=detected.width,
            height=detected.height,
            faces_found=detected.faces_found,
            faces=[SeenFaceBody.seen(each) for each in detected.faces],
            space=Space.of(detected.space),
        )


@router.post(
    "",
    summary="Find the faces of a photograph",
    openapi_extra=DETECT.documented(),
    responses=problems(415),
)
def detect(
    services: Provided,
    caller: Searching,
    body: Annotated[DetectBody, Depends(DETECT.parsed)],
) -> DetectedBody:
    """Boxes, landmarks and quality of the faces; nothing is stored. None is an answer."""
    photograph = PhotographProbe(body.image, body.faces == "all")
    embeddings = "embedding" in body.include
    found = services.detection.detect(caller, photograph, body.model, with_embeddings=embeddings)
    return DetectedBody.of(found)
