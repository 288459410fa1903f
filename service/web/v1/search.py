"""/v1/galleries/{gallery}/search and /v1/search: whose face is it?"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, from_json

from service.domain.decisions import Confidence
from service.domain.galleries import GalleryVersion
from service.domain.matches import Match
from service.errors import RequestInvalid
from service.searches import Search, Searched, SearchedFace
from service.web.callers import Searching
from service.web.services import Provided, stamp
from service.web.v1.bodies import PHOTOGRAPH, EitherBody
from service.web.v1.detect import FACES_FOUND, FaceBody, Faces, FlawBody
from service.web.v1.galleries import Threshold
from service.web.v1.parameters import AtLeast, GalleryName
from service.web.v1.probes import FACE_ID, ProbeBody
from service.web.v1.problems import problems

router = APIRouter(tags=["search"])

MOST_GALLERIES = 16


def _read(sent: object) -> object:
    """A form has the filter as JSON text."""
    if not isinstance(sent, str):
        return sent
    try:
        return from_json(sent)
    except ValueError:
        raise PydanticCustomError("json", "must be a JSON object") from None


Filter = Annotated[dict[str, Any], BeforeValidator(_read)]


class SearchBody(ProbeBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"image": PHOTOGRAPH},
                {"image": PHOTOGRAPH, "faces": "all", "metadata": {"site": "north"}},
                {"face": FACE_ID, "top_k": 10},
            ]
        }
    )

    faces: Faces = Field("largest", description="which faces of the photograph are searched for")
    top_k: int = Field(1, ge=1, le=100, description="subjects at most, for each face")
    threshold: Threshold | None = Field(None, description="null: the gallery's")
    metadata: Filter | None = Field(
        None,
        description="only subjects whose metadata contains this (`@>` of PostgreSQL's jsonb)",
        examples=[{"site": "north"}],
    )
    exclude_self: bool = Field(
        True, description="the subject of the enrolled `face` is no answer to it"
    )
    other_space: bool = Field(
        False,
        description="in the second space of a gallery that is moved from one model to another",
    )
    include: list[Literal["metadata"]] = Field(
        [], max_length=1, description="metadata: of each match; needs the scope `read`"
    )

    def search(self) -> Search:
        return Search(
            probe=self.probe(every_face=self.faces == "all"),
            top_k=self.top_k,
            threshold=self.threshold,
            metadata=self.metadata,
            exclude_self=self.exclude_self,
            with_metadata="metadata" in self.include,
            in_other=self.other_space,
        )


class SeveralSearchBody(SearchBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"image": PHOTOGRAPH, "galleries": ["staff", "visitors"], "top_k": 3}]
        }
    )

    galleries: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        min_length=1, max_length=MOST_GALLERIES, examples=[["staff", "visitors"]]
    )
    min_versions: dict[str, str] = Field(
        {},
        max_length=MOST_GALLERIES,
        description="for each gallery by name, the version to answer from at least",
    )

    def names(self) -> list[str]:
        """Each gallery once, in the order given."""
        return list(dict.fromkeys(self.galleries))

    def versions(self) -> dict[str, GalleryVersion]:
        """Raises RequestInvalid for one that no gallery has, or of a gallery not searched."""
        for name in self.min_versions.keys() - set(self.galleries):
            raise RequestInvalid(f"min_versions: '{name}' is not among the galleries")
        return {name: GalleryVersion.parse(text) for name, text in self.min_versions.items()}


ONE = EitherBody(SearchBody, {"file": "image"}, frozenset({"embedding", "space"}))
SEVERAL = EitherBody(
    SeveralSearchBody, {"file": "image"}, frozenset({"embedding", "space", "min_versions"})
)


class MatchBody(BaseModel):
    gallery: str = Field(examples=["staff"])
    subject: str = Field(description="the subject's id", examples=["grace"])
    face: UUID = Field(description="its enrolled face that resembles the probe most")
    similarity: float = Field(description="cosine, -1 to 1, to six decimals", examples=[0.973121])
    confidence: Confidence
    metadata: dict[str, Any] | None = Field(None, description="null unless asked for")

    @classmethod
    def of(cls, match: Match) -> Self:
        return cls(
            gallery=match.gallery,
            subject=match.external_id,
            face=match.face_id,
            similarity=match.similarity,
            confidence=match.confidence,
            metadata=None if match.metadata is None else dict(match.metadata),
        )


class FoundBody(BaseModel):
    """The answer to one face."""

    face: FaceBody | None = Field(description="where it is; null for a probe without photograph")
    best_similarity: float | None = Field(
        description="of the most similar subject, match or not; null: there is none"
    )
    matches: list[MatchBody] = Field(description="most similar first; empty: nobody")
    flaws: list[FlawBody] = Field(description="why this face was not searched for; empty: it was")

    @classmethod
    def of(cls, found: SearchedFace) -> Self:
        return cls(
            face=FaceBody.of(found.face) if found.face else None,
            best_similarity=found.best,
            matches=[MatchBody.of(each) for each in found.matches],
            flaws=[FlawBody.of(each) for each in found.flaws],
        )


class SearchedBody(BaseModel):
    gallery: str = Field(examples=["staff"])
    threshold: float = Field(description="what was decided by", examples=[0.922])
    faces_found: int = Field(description=FACES_FOUND)
    faces: list[FoundBody] = Field(description="largest first")

    @classmethod
    def of(cls, searched: Searched) -> Self:
        (gallery,) = searched.galleries
        return cls(
            gallery=gallery.name,
            threshold=gallery.threshold,
            faces_found=searched.faces_found,
            faces=[FoundBody.of(each) for each in searched.faces],
        )


class SearchedGalleryBody(BaseModel):
    name: str = Field(examples=["staff"])
    threshold: float = Field(examples=[0.922])
    version: str = Field(description="the state that was searched; opaque")


class SeveralSearchedBody(BaseModel):
    galleries: list[SearchedGalleryBody]
    faces_found: int = Field(description=FACES_FOUND)
    faces: list[FoundBody] = Field(description="largest first; `top_k` over all galleries")

    @classmethod
    def of(cls, searched: Searched) -> Self:
        return cls(
            galleries=[
                SearchedGalleryBody(
                    name=each.name, threshold=each.threshold, version=str(each.version)
                )
                for each in searched.galleries
            ],
            faces_found=searched.faces_found,
            faces=[FoundBody.of(each) for each in searched.faces],
        )


@router.post(
    "/galleries/{gallery}/search",
    summary="Search a gallery",
    openapi_extra=ONE.documented(),
    responses=problems(404, 409, 415),
)
def search_gallery(
    services: Provided,
    response: Response,
    caller: Searching,
    gallery: GalleryName,
    at_least: AtLeast,
    body: Annotated[SearchBody, Depends(ONE.parsed)],
) -> SearchedBody:
    """Whose faces a photograph shows, or whom an embedding or an enrolled face resembles."""
    versions = {gallery: at_least}
    found = services.recognition.search(caller, [gallery], body.search(), versions)
    stamp(response, found.galleries[0].version)
    return SearchedBody.of(found)


def _no_header(
    version: Annotated[
        str | None, Header(alias="X-Min-Gallery-Version", include_in_schema=False)
    ] = None,
) -> None:
    if version is not None:
        raise RequestInvalid(
            "X-Min-Gallery-Version names one gallery's state; say min_versions, by gallery"
        )


@router.post(
    "/search",
    summary="Search several galleries",
    openapi_extra=SEVERAL.documented(),
    responses=problems(404, 409, 415),
    dependencies=[Depends(_no_header)],
)
def search_galleries(
    services: Provided,
    caller: Searching,
    body: Annotated[SeveralSearchBody, Depends(SEVERAL.parsed)],
) -> SeveralSearchedBody:
    """As the search of one gallery, in several of one embedding space, each by its threshold."""
    versions = body.versions()
    for name, version in versions.items():
        services.galleries.demand(caller, name, version)
    found = services.recognition.search(caller, body.names(), body.search(), versions)
    return SeveralSearchedBody.of(found)
