"""Subjects: the people of a gallery, named by the caller."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service.errors import RequestInvalid

MAX_ID_LENGTH = 255
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Metadata = Mapping[str, Any]
"""What the caller keeps with a subject: a JSON object, see `valid_metadata`."""

NOTHING: Metadata = {}

MAX_METADATA_BYTES = 16_384
"""Of the JSON text as PostgreSQL writes it, in UTF-8."""
MAX_METADATA_LEVEL = 16
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def valid_external_id(external_id: str) -> str:
    """Return the caller's id unchanged if it can name a subject.

    Raises:
        RequestInvalid: not 1 to 255 characters, blank, or with control characters in it.
    """
    if not 1 <= len(external_id) <= MAX_ID_LENGTH:
        raise RequestInvalid(
            f"id: must have 1 to {MAX_ID_LENGTH} characters, this one has {len(external_id)}"
        )
    if external_id.isspace():
        raise RequestInvalid("id: must not be blank")
    if CONTROL_CHARACTERS.search(external_id):
        raise RequestInvalid("id: must not contain control characters")
    return external_id


def usable_id(external_id: object) -> str | None:
    """The id, if it can name a subject, else None."""
    try:
        return valid_external_id(external_id) if isinstance(external_id, str) else None
    except RequestInvalid:
        return None


def valid_metadata(metadata: Metadata) -> Metadata:
    """Return the metadata unchanged if they can be stored.

    Raises:
        RequestInvalid: more than 16 KiB as JSON, nested more than 16 levels deep, a number beyond
            a double's range, or a text with NUL or half a surrogate pair in it.
    """
    for level, value in _values(metadata):
        if level > MAX_METADATA_LEVEL:
            raise RequestInvalid(f"metadata: nested more than {MAX_METADATA_LEVEL} levels deep")
        if isinstance(value, str) and UNSTORABLE.search(value):
            raise RequestInvalid("metadata: NUL and half surrogate pairs are no text")
        if isinstance(value, int | float) and not _is_double(value):
            raise RequestInvalid("metadata: a number is not finite, or beyond a double's range")
    size = len(json.dumps(metadata, ensure_ascii=False).encode())
    if size > MAX_METADATA_BYTES:
        raise RequestInvalid(f"metadata: {size} bytes of JSON; at most {MAX_METADATA_BYTES}")
    return metadata


def _values(metadata: Metadata) -> Iterator[tuple[int, Any]]:
    """Every key and value, with the number of objects and lists that it stands in."""
    rest: list[tuple[int, Any]] = [(0, metadata)]
    while rest:
        level, value = rest.pop()
        yield level, value
        if isinstance(value, Mapping):
            yield from ((level + 1, key) for key in value)
            rest.extend((level + 1, each) for each in value.values())
        elif isinstance(value, list):
            rest.extend((level + 1, each) for each in value)


def _is_double(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:  # an integer of more than 308 digits
        return False


@dataclass(frozen=True, slots=True)
class NewSubject:
    """`expires_at` None: as the gallery's rules say."""

    external_id: str
    metadata: Metadata
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """`expired`: no search answers with it and no face is added to it, but until somebody deletes
    it, it is there. `faces` counts its enrolled photographs."""

    id: UUID
    external_id: str
    metadata: Metadata
    created_at: datetime
    expires_at: datetime | None
    expired: bool
    faces: int

    @property
    def etag(self) -> str:
        """Differs whenever anything that is shown of it does."""
        shown = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(shown.encode()).hexdigest()[:32]
