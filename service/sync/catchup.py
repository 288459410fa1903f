"""One catch-up: from the indexes as they are to the indexes as the tables are."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from service.domain.faces import IndexedFace
from service.domain.galleries import GalleryHead, GalleryVersion, IndexKey, touched_since
from service.index import GalleryIndex, IndexBuilder
from service.ports import ChangeFeed, FaceRead

Indexes = Mapping[IndexKey, GalleryIndex]

REBUILD_SHARE = 0.5
"""Rebuilding a gallery wins when more than this share of it has changed (measured, design)."""
REREAD_ALWAYS = 1000
"""So few faces are re-read singly, however small the gallery."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What brings one index to a newer version in place."""

    index: GalleryIndex
    version: GalleryVersion
    present: list[IndexedFace]
    touched: frozenset[UUID]


def catch_up(feed: ChangeFeed, indexes: Indexes) -> Indexes:
    """Return the indexes of all galleries at one committed state of the database.

    Indexes that can follow are changed in place, after the last read; others are built anew.

    Raises:
        DatabaseUnavailable: nothing was changed.
    """
    if _up_to_date(feed.heads(), indexes):
        return indexes
    with feed.read() as read:
        heads = read.heads()
        steps = {head.key: _step(read, head, indexes.get(head.key)) for head in heads}
    return {key: _taken(step) for key, step in steps.items()}


def _up_to_date(heads: list[GalleryHead], indexes: Indexes) -> bool:
    return {head.key: head.version for head in heads} == {
        key: index.version for key, index in indexes.items()
    }


def _step(read: FaceRead, head: GalleryHead, index: GalleryIndex | None) -> GalleryIndex | Reread:
    if index is not None and index.version == head.version:
        return index
    if index is not None:
        few = max(REREAD_ALWAYS, int(len(index) * REBUILD_SHARE))
        touched = _touched(read, head, index.version, few)
        if touched is not None and len(touched) <= few:
            present = read.faces(head, sorted(touched))
            return Reread(index, head.version, present, touched)
    return _rebuilt(read, head)


def _touched(
    read: FaceRead, head: GalleryHead, cursor: GalleryVersion, few: int
) -> frozenset[UUID] | None:
    """As `touched_since`; None too when more versions than `few` have passed: a day's changes of a
    busy gallery may be more than its faces by far, and would all be held in memory."""
    if head.version.number - cursor.number > few:
        return None
    return touched_since(cursor, read.changes(head.id, cursor.number), head.version)


def _taken(step: GalleryIndex | Reread) -> GalleryIndex:
    if isinstance(step, Reread):
        step.index.apply(step.version, step.present, step.touched)
        return step.index
    return step


def _rebuilt(read: FaceRead, head: GalleryHead) -> GalleryIndex:
    builder = IndexBuilder(head.dimension)
    for batch in read.all_faces(head):
        builder.add(batch)
    return builder.finish(head.version)
