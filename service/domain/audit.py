"""The record of changes and searches: events, and the chain of hashes that each gallery's form."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.domain.keys import Caller
from service.errors import RequestInvalid

NO_GALLERY = UUID(int=0)
"""The chain of the events of no gallery."""
START = bytes(32)
"""What the first event of a chain hangs on."""


MATCH = "match"
NO_MATCH = "no_match"


class SearchPolicy(StrEnum):
    """Which searches of a gallery are recorded."""

    ALL = "all"
    MATCHES = "matches"
    """Only those that named somebody."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RecordedSearch:
    """One search or verification, as it is recorded.

    `outcome` is `MATCH` or `NO_MATCH`; `subject_id` and `face_id` say who was named, None for
    nobody; `similarity` is the best one, -1..1, None in an empty gallery; `version` the number of
    the gallery version searched.
    """

    action: str
    outcome: str
    caller: Caller
    gallery_id: UUID
    space_id: UUID
    threshold: float
    version: int
    occurred_at: datetime
    subject_id: UUID | None = None
    face_id: UUID | None = None
    similarity: float | None = None


def wanted(policy: SearchPolicy, outcome: str) -> bool:
    """Whether a search of that outcome is recorded."""
    return policy is SearchPolicy.ALL or (policy is SearchPolicy.MATCHES and outcome == MATCH)


@dataclass(frozen=True, slots=True)
class Link:
    """An event as the chain sees it. `fields` are its columns as SQL casts them to text, in the
    order of the function `audit_text`, None for NULL."""

    seq: int
    fields: tuple[str | None, ...]
    prev_hash: bytes
    hash: bytes

    def computed(self, before: bytes) -> bytes:
        return hashlib.sha256(before + chain_text(self.fields)).digest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A point of a chain: `hash` is that of the event `seq`, 0 for the beginning."""

    chain: UUID
    seq: int
    hash: bytes


def anchor_line(anchor: Anchor) -> str:
    """One line of JSON, to be kept elsewhere."""
    return json.dumps({"chain": str(anchor.chain), "seq": anchor.seq, "hash": anchor.hash.hex()})


def read_anchors(text: str) -> list[Anchor]:
    """What `anchor_line` wrote, one a line; raises RequestInvalid for anything else."""
    try:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [
            Anchor(UUID(each["chain"]), int(each["seq"]), bytes.fromhex(each["hash"]))
            for each in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise RequestInvalid("anchors: not the lines that `facematch audit anchors` prints") from (
            error
        )


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold; `seq` is the event's number."""

    seq: int
    reason: str


def chain_text(fields: Iterable[str | None]) -> bytes:
    """The bytes that are hashed: netstrings (https://cr.yp.to/proto/netstrings.txt) between
    commas, `~` for NULL, so that no two events have the same."""
    return b",".join(
        b"~" if field is None else b"%d:%s" % (len(field.encode()), field.encode())
        for field in fields
    )


REWRITTEN = "the chain was written anew: an anchor kept elsewhere differs"


def first_break(
    links: Iterable[Link], start: Anchor, end: Anchor, kept: Mapping[int, bytes] = {}
) -> Break | None:
    """Follow a chain from `start`, which comes before the first link, to `end`, its last one.

    `kept` are hashes of the chain by number, as they were when somebody took them away to keep
    them; those before `start` cannot be compared any more. None: every event is there, in its place
    and unchanged.
    """
    if kept.get(start.seq, start.hash) != start.hash:
        return Break(start.seq, REWRITTEN)
    last = start
    for link in links:
        found = _fault(link, last)
        if found is not None:
            return found
        if kept.get(link.seq, link.hash) != link.hash:
            return Break(link.seq, REWRITTEN)
        last = Anchor(start.chain, link.seq, link.hash)
    if (last.seq, last.hash) != (end.seq, end.hash):
        return Break(last.seq + 1, "events at the end are missing, or were added behind the chain")
    if any(seq > last.seq for seq in kept):
        return Break(last.seq + 1, "events that an anchor kept elsewhere tells of are missing")
    return None


def _fault(link: Link, last: Anchor) -> Break | None:
    if link.seq != last.seq + 1:
        return Break(last.seq + 1, "the event is missing")
    if link.prev_hash != last.hash:
        return Break(link.seq, "it does not hang on the event before: one of them was replaced")
    if link.hash != link.computed(last.hash):
        return Break(link.seq, "it was edited: its hash is not that of its content")
    return None
