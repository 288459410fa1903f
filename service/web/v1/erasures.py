"""/v1/erasures: everything of one id deleted everywhere, and the receipts of every deletion."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from service.domain.erasures import BACKUPS, Erasure
from service.erasures import ErasedEverywhere
from service.web.callers import Enrolling, Reading
from service.web.idempotency import Repeat, answer
from service.web.paging import Limit
from service.web.services import Provided, stamp
from service.web.v1.parameters import AtLeast, GalleryName
from service.web.v1.problems import problems

router = APIRouter(tags=["erasures"])

Before = Annotated[UUID | None, Query(description="`next` of the page before")]


class ErasureBody(BaseModel):
    """The receipt of one committed deletion in one gallery. It names nobody."""

    id: UUID
    gallery: str | None = Field(description="null: the gallery itself is gone")
    gallery_id: UUID
    gallery_version: int | None = Field(
        description="number of the version without them; null: the gallery itself was deleted"
    )
    erased_at: datetime = Field(description="in UTC")
    caller: str
    request_id: str | None
    subjects: int
    faces: int
    replicas_passed_at: datetime | None = Field(
        description="when every live replica was seen to have passed that version; null: not yet"
    )
    replicas: list[str] = Field(description="the replicas that were live then")
    data_files_rewritten_at: datetime | None = Field(
        description="when the vacuum wrote the data files anew without them; null: not yet"
    )
    backups: str = BACKUPS

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        return cls(
            id=erasure.id,
            gallery=erasure.gallery_name,
            gallery_id=erasure.gallery_id,
            gallery_version=erasure.version,
            erased_at=erasure.erased_at,
            caller=erasure.caller,
            request_id=erasure.request_id,
            subjects=erasure.subjects,
            faces=erasure.faces,
            replicas_passed_at=erasure.passed_at,
            replicas=list(erasure.replicas),
            data_files_rewritten_at=erasure.vacuumed_at,
        )


class ErasurePage(BaseModel):
    erasures: list[ErasureBody]
    next: UUID | None = Field(description="`before` of the next page; null: this is the last")


class ErasureRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1, max_length=255, description="the id", examples=["grace"])


class ErasedGallery(BaseModel):
    gallery: str
    gallery_version: str = Field(description="the X-Gallery-Version without the subject")


class Erased(BaseModel):
    galleries: list[ErasedGallery]


def _erased(done: ErasedEverywhere) -> Response:
    galleries = [
        ErasedGallery(gallery=gallery.name, gallery_version=str(version))
        for gallery, version in done.galleries
    ]
    return answer(Erased(galleries=galleries))


@router.post("/erasures", response_model=Erased, responses=problems(404, 409, 410))
def erase(services: Provided, caller: Enrolling, body: ErasureRequest, repeat: Repeat) -> Response:
    """Delete everything of one id in every gallery that the key reaches, in one transaction."""
    once = repeat.once(caller, body, _erased)
    return _erased(services.erasures.erase(caller, body.subject, once))


@router.get("/erasures/{erasure}", responses=problems(404))
def read_erasure(services: Provided, caller: Reading, erasure: UUID) -> ErasureBody:
    """Where what was deleted is gone by now."""
    return ErasureBody.of(services.erasures.read(caller, erasure))


@router.get("/galleries/{gallery}/erasures", responses=problems(404, 409))
def list_erasures(
    services: Provided,
    response: Response,
    caller: Reading,
    gallery: GalleryName,
    at_least: AtLeast,
    before: Before = None,
    limit: Limit = 100,
) -> ErasurePage:
    """A gallery's erasures, newest first."""
    page = services.erasures.page(caller, gallery, before, limit, at_least)
    stamp(response, page.version)
    found = page.erasures
    following = found[-1].id if len(found) == limit else None
    return ErasurePage(erasures=[ErasureBody.of(each) for each in found], next=following)
