"""The record of changes and searches: events, and the chain of hashes that each gallery's form."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

NO_GALLERY = UUID(int=0)
"""The chain of the events of no gallery."""
START = bytes(32)
"""What the first event of a chain hangs on."""


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


def first_break(links: Iterable[Link], start: Anchor, end: Anchor) -> Break | None:
    """Follow a chain from `start`, which comes before the first link, to `end`, its last one.

    None: every event is there, in its place and unchanged.
    """
    last = start
    for link in links:
        found = _fault(link, last)
        if found is not None:
            return found
        last = Anchor(start.chain, link.seq, link.hash)
    if (last.seq, last.hash) != (end.seq, end.hash):
        return Break(last.seq + 1, "events at the end are missing, or were added behind the chain")
    return None


def _fault(link: Link, last: Anchor) -> Break | None:
    if link.seq != last.seq + 1:
        return Break(last.seq + 1, "the event is missing")
    if link.prev_hash != last.hash:
        return Break(link.seq, "it does not hang on the event before: one of them was replaced")
    if link.hash != link.computed(last.hash):
        return Break(link.seq, "it was edited: its hash is not that of its content")
    return None


def between(links: Iterable[Link], seqs: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The hashes at those numbers, to be compared with anchors kept elsewhere."""
    wanted = set(seqs)
    return ((link.seq, link.hash) for link in links if link.seq in wanted)
