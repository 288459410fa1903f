"""Consent: what a person agreed to, as the gallery's operator recorded it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.domain.subjects import UNSTORABLE
from service.errors import RequestInvalid

LONGEST_VERSION = 255
LONGEST_PURPOSE = 1000
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""What every program and time zone can tell."""


@dataclass(frozen=True, slots=True)
class Consent:
    """`text_version` names the text that was agreed to; `given_at` None stands for now,
    `expires_at` None for no end. Times have a time zone."""

    text_version: str
    purpose: str
    given_at: datetime | None = None
    expires_at: datetime | None = None


class ConsentState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RecordedConsent:
    """A consent as it stands. `recorded_by` is the name of a caller."""

    id: UUID
    text_version: str
    purpose: str
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    recorded_by: str
    state: ConsentState


def valid_consent(given: Consent, now: datetime) -> Consent:
    """Return the consent unchanged if it can be recorded.

    Raises:
        RequestInvalid: a text that is blank, too long or holds NUL; given in the future; or over
            before it was given.
    """
    _check_text("text_version", given.text_version, LONGEST_VERSION)
    _check_text("purpose", given.purpose, LONGEST_PURPOSE)
    given_at = given.given_at or now
    if not EARLIEST <= given_at <= now:
        raise RequestInvalid("consent.given_at: must not be in the future; leave it out for now")
    if given.expires_at is not None and not given_at < given.expires_at <= LATEST:
        raise RequestInvalid("consent.expires_at: must be later than given_at, before year 9999")
    return given


def _check_text(name: str, value: str, longest: int) -> None:
    if not value.strip() or len(value) > longest:
        raise RequestInvalid(f"consent.{name}: must have 1 to {longest} characters, not blank")
    if UNSTORABLE.search(value):
        raise RequestInvalid(f"consent.{name}: NUL and half surrogate pairs are no text")


FIELDS = frozenset({"text_version", "purpose", "given_at", "expires_at"})


def read_consent(values: Mapping[str, Any]) -> Consent:
    """A consent as JSON tells it, its times as ISO 8601 with a time zone.

    Raises:
        RequestInvalid: a member that nobody knows, or of another kind than it must be.
    """
    if unknown := values.keys() - FIELDS:
        names = ", ".join(f"'{name[:40]}'" for name in sorted(unknown)[:3])
        raise RequestInvalid(f"consent: unknown members {names}; known are {sorted(FIELDS)}")
    texts = [values.get(name) for name in ("text_version", "purpose")]
    if not all(isinstance(text, str) for text in texts):
        raise RequestInvalid("consent: needs text_version and purpose, both texts")
    times = (_time(name, values.get(name)) for name in ("given_at", "expires_at"))
    return Consent(str(texts[0]), str(texts[1]), *times)


def _time(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise RequestInvalid(f"consent.{name}: write 2027-01-31T12:00:00Z, with its time zone")
    return time


def told(given: Consent) -> dict[str, Any]:
    """What `read_consent` reads."""
    loaded: dict[str, Any] = json.loads(json.dumps(asdict(given), default=datetime.isoformat))
    return loaded
