"""/v1/jobs: the bulk imports, looked at, cancelled, forgotten."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from service.domain.imports import ImportJob, ImportState, ItemStatus, ListedItem
from service.errors import RequestInvalid
from service.web.callers import Enrolling, EnrollingOrReading
from service.web.idempotency import Repeat, answer
from service.web.paging import After, Limit, cursor_after
from service.web.problems import VERSION_HEADER
from service.web.services import Provided
from service.web.v1.problems import problems

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobId = Annotated[UUID, Path(alias="job", description="the job's id")]


class JobBody(BaseModel):
    """`total` is `done` and those that wait; `done` is the sum of the other four."""

    id: UUID
    gallery: str = Field(examples=["staff"])
    state: ImportState = Field(examples=["running"])
    created_by: str
    created_at: datetime = Field(description="in UTC")
    started_at: datetime | None
    finished_at: datetime | None
    total: int = Field(examples=[6000])
    done: int = Field(examples=[1250])
    enrolled: int = Field(examples=[1240])
    skipped: int = Field(description="enrolled before, with this very photograph", examples=[0])
    rejected: int = Field(description="see `items`", examples=[10])
    cancelled: int = Field(examples=[0])

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        return cls(
            id=job.id,
            gallery=job.gallery,
            state=job.state,
            created_by=job.created_by,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            total=job.total,
            done=job.done,
            enrolled=job.count(ItemStatus.ENROLLED),
            skipped=job.count(ItemStatus.SKIPPED),
            rejected=job.count(ItemStatus.REJECTED),
            cancelled=job.count(ItemStatus.CANCELLED),
        )


class JobPage(BaseModel):
    jobs: list[JobBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class ItemBody(BaseModel):
    number: int = Field(description="place in the import; of lines of JSON the line")
    file: str | None = Field(examples=["grace/1.jpg"])
    id: str | None = Field(description="the subject's", examples=["grace"])
    status: ItemStatus = Field(examples=["rejected"])
    code: str | None = Field(description="why not enrolled, for programs", examples=["no_face"])
    reason: str | None = Field(description="the same for people")
    face: UUID | None = Field(description="the enrolled face")
    done_at: datetime | None = Field(description="in UTC")

    @classmethod
    def of(cls, item: ListedItem) -> Self:
        return cls(
            number=item.number,
            file=item.file,
            id=item.external_id,
            status=item.status,
            code=item.reason and item.reason.code,
            reason=item.reason and item.reason.text,
            face=item.face_id,
            done_at=item.done_at,
        )


class ItemPage(BaseModel):
    items: list[ItemBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


def shown(job: ImportJob, status: int = 200) -> JSONResponse:
    headers = {VERSION_HEADER: str(job.version)}
    if status == 202:
        headers["Location"] = f"/v1/jobs/{job.id}"
    return answer(JobBody.of(job), status, headers)


@router.get("")
def list_jobs(
    services: Provided, caller: EnrollingOrReading, after: After, limit: Limit = 100
) -> JobPage:
    """The jobs of the galleries that the key reaches, newest first."""
    page = services.imports.page(caller, _job_after(after), limit)
    following = cursor_after(str(page[-1].id)) if len(page) == limit else None
    return JobPage(jobs=[JobBody.of(each) for each in page], next=following)


@router.get("/{job}", response_model=JobBody, responses=problems(404))
def read_job(services: Provided, caller: EnrollingOrReading, job: JobId) -> Response:
    """How far a job is. `X-Gallery-Version` names a state that holds all it has enrolled."""
    return shown(services.imports.read(caller, job))


@router.get("/{job}/items", responses=problems(404))
def list_items(
    services: Provided,
    caller: EnrollingOrReading,
    job: JobId,
    after: After,
    status: Annotated[ItemStatus | None, Query(description="only those")] = None,
    limit: Limit = 100,
) -> ItemPage:
    """What became of each item, by number."""
    page = services.imports.items(caller, job, status, _number_after(after), limit)
    following = cursor_after(str(page[-1].number)) if len(page) == limit else None
    return ItemPage(items=[ItemBody.of(each) for each in page], next=following)


@router.post("/{job}/cancel", response_model=JobBody, responses=problems(404, 409))
def cancel_job(services: Provided, caller: Enrolling, job: JobId, repeat: Repeat) -> Response:
    """Stop a job after the batches under way. What is enrolled stays; an ended job stays as it
    is."""
    return shown(services.imports.cancel(caller, job, repeat.once(caller, (), shown)))


@router.delete("/{job}", status_code=204, responses=problems(404))
def delete_job(services: Provided, caller: Enrolling, job: JobId) -> None:
    """Forget a job and its results, which hold ids and names of files; cancels it first."""
    services.imports.delete(caller, job)


def _job_after(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError:
        raise _foreign() from None


def _number_after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise _foreign()
    return int(cursor)


def _foreign() -> RequestInvalid:
    return RequestInvalid("cursor: not a `next` that a page had")
