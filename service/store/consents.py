"""SQL of consents."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.types import Boolean

from service.domain.consents import Consent, ConsentState, RecordedConsent
from service.store.failures import translated
from service.store.tables import consent

OVER = "(withdrawn_at IS NOT NULL OR coalesce(expires_at <= now(), false))"
"""Of a row of `consent`: it is no longer valid."""
ENDED_FOR = f"""coalesce((
  SELECT bool_and({OVER}) FROM consent c
   WHERE c.gallery_id = {{subject}}.gallery_id AND c.subject_id = {{subject}}.id), false)"""
"""Whether a subject, called so in its statement, gave consents and all of them are over. Who never
gave any is no such case: nobody asked for it."""

# as the trigger consent_required says
VALID = and_(~literal_column(OVER, Boolean), consent.c.given_at <= func.clock_timestamp())

STATE = case(
    (consent.c.withdrawn_at.is_not(None), ConsentState.WITHDRAWN),
    (consent.c.expires_at <= func.now(), ConsentState.EXPIRED),
    else_=ConsentState.VALID,
)
CONSENTS = select(
    consent.c.id,
    consent.c.text_version,
    consent.c.purpose,
    consent.c.given_at,
    consent.c.expires_at,
    consent.c.withdrawn_at,
    consent.c.recorded_by,
    STATE.label("state"),
)


class PostgresConsents:
    """See `ports.ConsentRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, gallery_id: UUID, subject_id: UUID, given: Consent, recorded_by: str) -> UUID:
        values: dict[str, object] = {
            "gallery_id": gallery_id,
            "subject_id": subject_id,
            "text_version": given.text_version,
            "purpose": given.purpose,
            "expires_at": given.expires_at,
            "recorded_by": recorded_by,
        }
        if given.given_at is not None:
            values["given_at"] = given.given_at
        with translated():
            added: UUID = self._connection.execute(
                insert(consent).values(values).returning(consent.c.id)
            ).scalar_one()
            return added

    def has_valid(self, gallery_id: UUID, subject_id: UUID, like: Consent | None = None) -> bool:
        found = select(consent.c.id).where(_of(gallery_id, subject_id), VALID).limit(1)
        if like is not None:
            found = found.where(
                consent.c.text_version == like.text_version,
                consent.c.purpose == like.purpose,
                consent.c.expires_at.is_not_distinct_from(like.expires_at),
            )
            if like.given_at is not None:
                found = found.where(consent.c.given_at == like.given_at)
        with translated():
            return self._connection.scalar(found) is not None

    def listed(
        self, gallery_id: UUID, subject_id: UUID, after: UUID | None, limit: int
    ) -> list[RecordedConsent]:
        page = CONSENTS.where(_of(gallery_id, subject_id)).order_by(consent.c.id).limit(limit)
        if after is not None:
            page = page.where(consent.c.id > after)
        with translated():
            return [_consent(row) for row in self._connection.execute(page)]

    def find(self, gallery_id: UUID, subject_id: UUID, consent_id: UUID) -> RecordedConsent | None:
        named = CONSENTS.where(_of(gallery_id, subject_id), consent.c.id == consent_id)
        with translated():
            row = self._connection.execute(named).one_or_none()
        return None if row is None else _consent(row)

    def withdraw(self, consent_id: UUID) -> None:
        now = func.greatest(func.now(), consent.c.given_at)
        with translated():
            self._connection.execute(
                update(consent)
                .where(consent.c.id == consent_id, consent.c.withdrawn_at.is_(None))
                .values(withdrawn_at=now)
            )


def _of(gallery_id: UUID, subject_id: UUID) -> ColumnElement[bool]:
    return and_(consent.c.gallery_id == gallery_id, consent.c.subject_id == subject_id)


def _consent(row: Row[*tuple[Any, ...]]) -> RecordedConsent:
    return RecordedConsent(**{**row._mapping, "state": ConsentState(row.state)})
