"""Subjects: the people of a gallery, named by the caller."""

import re

from service.errors import RequestInvalid

MAX_ID_LENGTH = 255
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


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
