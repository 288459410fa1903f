"""SQL of consents."""

from uuid import UUID

from sqlalchemy import Connection, insert

from service.domain.consents import Consent
from service.store.tables import consent


def add(
    connection: Connection, gallery_id: UUID, subject_id: UUID, given: Consent, recorded_by: str
) -> None:
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
    connection.execute(insert(consent).values(values))
