"""Consent: what a person agreed to, as the gallery's operator recorded it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """`text_version` names the text that was agreed to; `given_at` None stands for now."""

    text_version: str
    purpose: str
    given_at: datetime | None = None
    expires_at: datetime | None = None
