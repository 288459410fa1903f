"""Three readers as one might write them, each wrong in its own way: the harness must see it."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import psycopg

from service.domain.galleries import Change, GalleryHead, GalleryVersion
from service.ports import ChangeFeed
from service.store.listen import Bell
from service.sync import catchup, replica
from service.sync.catchup import Indexes, Reread

ROWS = "SELECT id, gallery_id, faces, everything FROM gallery_change WHERE id > %s ORDER BY id"
DROPPED = 5
"""Which of the notifications is dropped."""


def sequence() -> None:
    """Pages the changes by their id, as if a sequence were the order of commits."""
    last = 0

    def catch_up(feed: ChangeFeed, indexes: Indexes) -> Indexes:
        nonlocal last
        touched: dict[UUID, set[UUID]] = defaultdict(set)
        with feed.read() as read:
            rows = cast(Any, read)._connection.execute(ROWS, (last,)).fetchall()
            heads = read.heads()
            whole = {head.id for head in heads if head.key not in indexes}
            for _, gallery_id, faces, everything in rows:
                touched[gallery_id].update(faces)
                whole |= {gallery_id} if everything else set()
            steps = [
                catchup._rebuilt(read, head)
                if head.id in whole
                else Reread(
                    indexes[head.key],
                    head.version,
                    read.faces(head, sorted(touched[head.id])),
                    frozenset(touched[head.id]),
                )
                for head in heads
            ]
        last = max([last, *(row[0] for row in rows)])
        return {head.key: catchup._taken(step) for head, step in zip(heads, steps, strict=True)}

    cast(Any, replica).catch_up = catch_up


def deaf() -> None:
    """Trusts the bell: never looks without one, and one of them is not heard."""
    hears = Bell._heard
    heard = 0

    def hard_of_hearing(connection: psycopg.Connection[Any]) -> bool:
        nonlocal heard
        rung = hears(connection)
        heard += rung
        return rung and heard != DROPPED

    cast(Any, Bell)._heard = staticmethod(hard_of_hearing)
    cast(Any, replica.Replica)._pause_s = lambda self: 3600.0


def markless() -> None:
    """Goes by the versions' numbers alone: a greater one is newer, any other is nothing new."""

    def up_to_date(heads: list[GalleryHead], indexes: Indexes) -> bool:
        return {head.key for head in heads} == indexes.keys() and all(
            head.version.number <= indexes[head.key].version.number for head in heads
        )

    def touched_since(
        cursor: GalleryVersion, changes: list[Change], head: GalleryVersion
    ) -> frozenset[UUID] | None:
        if any(change.everything for change in changes):
            return None
        return frozenset(face for change in changes for face in change.faces)

    catchup._up_to_date = up_to_date
    cast(Any, catchup).touched_since = touched_since


READERS: dict[str, Callable[[], None]] = {
    "sequence": sequence,
    "deaf": deaf,
    "markless": markless,
}
