"""/v1/galleries/{gallery}/subjects/{subject}/consents: recorded, listed, read, withdrawn."""

import json
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, from_json

from service.consents import Recorded
from service.domain.consents import (
    LONGEST_PURPOSE,
    LONGEST_VERSION,
    Consent,
    ConsentState,
    RecordedConsent,
)
from service.web.callers import Enrolling, Reading
from service.web.idempotency import Repeat, answer
from service.web.paging import AfterId, Limit, cursor_after
from service.web.problems import VERSION_HEADER
from service.web.services import Provided, stamp
from service.web.v1.parameters import AtLeast, GalleryName, Moment, SubjectId, subject_place
from service.web.v1.problems import problems

router = APIRouter(prefix="/galleries/{gallery}/subjects/{subject}/consents", tags=["consents"])

ConsentId = Annotated[UUID, Path(alias="consent", description="the consent's id")]


class NewConsentBody(BaseModel):
    """What a person agreed to."""

    model_config = ConfigDict(extra="forbid")

    text_version: str = Field(
        min_length=1,
        max_length=LONGEST_VERSION,
        description="which text was agreed to",
        examples=["2026-11"],
    )
    purpose: str = Field(min_length=1, max_length=LONGEST_PURPOSE, examples=["entry by face"])
    given_at: Moment | None = Field(
        None, description="null: now", examples=["2026-11-25T08:00:00Z"]
    )
    expires_at: Moment | None = Field(
        None, description="null: until it is withdrawn", examples=["2029-11-25T00:00:00Z"]
    )

    def wanted(self) -> Consent:
        return Consent(self.text_version, self.purpose, self.given_at, self.expires_at)


def _read(sent: object) -> object:
    """A form has it as JSON text. Its times are texts, also where a body is taken strictly."""
    if isinstance(sent, str):
        try:
            sent = from_json(sent)
        except ValueError:
            raise PydanticCustomError("json", "must be a JSON object") from None
    if isinstance(sent, dict):
        return NewConsentBody.model_validate_json(json.dumps(sent), strict=False)
    return sent


GivenConsent = Annotated[
    NewConsentBody | None,
    BeforeValidator(_read),
    Field(description="recorded with the enrolment; see /consents. In a form: as JSON"),
]


class ConsentBody(BaseModel):
    id: UUID
    text_version: str = Field(examples=["2026-11"])
    purpose: str = Field(examples=["entry by face"])
    given_at: datetime = Field(description="in UTC")
    expires_at: datetime | None = Field(description="in UTC; null: never")
    withdrawn_at: datetime | None = Field(description="in UTC")
    recorded_by: str = Field(examples=["fm_q3v7k2ma"])
    state: ConsentState

    @classmethod
    def of(cls, consent: RecordedConsent) -> Self:
        return cls.model_validate(consent, from_attributes=True)


class ConsentPage(BaseModel):
    consents: list[ConsentBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


def _answer(recorded: Recorded, status: int = 200, **headers: str) -> JSONResponse:
    headers[VERSION_HEADER] = str(recorded.gallery.version)
    return answer(ConsentBody.of(recorded.consent), status, headers)


def _made(recorded: Recorded) -> JSONResponse:
    consent, gallery = recorded.consent, recorded.gallery.name
    location = subject_place(gallery, recorded.external_id, "consents", str(consent.id))
    return _answer(recorded, 201, Location=location)


@router.post("", status_code=201, response_model=ConsentBody, responses=problems(404, 409, 410))
def record_consent(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    body: NewConsentBody,
    repeat: Repeat,
) -> Response:
    """Record what a person agreed to. Earlier consents stay as they are."""
    once = repeat.once(caller, body, _made)
    record = services.consents.record
    return _made(record(caller, gallery, subject, body.wanted(), at_least, once))


@router.get("", responses=problems(404, 409))
def list_consents(
    services: Provided,
    response: Response,
    caller: Reading,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    after: AfterId,
    limit: Limit = 100,
) -> ConsentPage:
    """A subject's consents in the order of their recording, ended ones too."""
    page = services.consents.page(caller, gallery, subject, after, limit, at_least)
    stamp(response, page.version)
    found = page.consents
    following = cursor_after(str(found[-1].id)) if len(found) == limit else None
    return ConsentPage(consents=[ConsentBody.of(each) for each in found], next=following)


@router.get("/{consent}", response_model=ConsentBody, responses=problems(404, 409))
def read_consent(
    services: Provided,
    caller: Reading,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    consent: ConsentId,
) -> Response:
    return _answer(services.consents.read(caller, gallery, subject, consent, at_least))


@router.post("/{consent}/withdraw", response_model=ConsentBody, responses=problems(404, 409, 410))
def withdraw_consent(
    services: Provided,
    caller: Enrolling,
    gallery: GalleryName,
    subject: SubjectId,
    at_least: AtLeast,
    consent: ConsentId,
    repeat: Repeat,
) -> Response:
    """End a consent now. Who has no other valid one is found by no search from then on, and is
    deleted with every face within `RETENTION_EVERY_S`."""
    once = repeat.once(caller, (), _answer)
    return _answer(services.consents.withdraw(caller, gallery, subject, consent, at_least, once))
