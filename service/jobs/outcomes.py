"""What became of each item of a bulk enrolment."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    ENROLLED = "enrolled"
    SKIPPED = "skipped"
    """It is enrolled already: the run is being repeated."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`item` names a file or an id; `reason` is a sentence, None when enrolled."""

    item: str
    verdict: Verdict
    reason: str | None = None
