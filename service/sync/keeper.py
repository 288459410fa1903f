"""Keeps the snapshot files young, and this process's indexes on their pages.

A file is replaced soon after a face that it holds was erased, and now and then when many came. The
process then goes over to the new file, and so do the others of the host: they share its pages, and
the old file's blocks are freed when the last of them has let go.
"""

import logging
import time
from collections.abc import Callable

import numpy as np

from service.domain.galleries import GalleryVersion, IndexKey
from service.index import GalleryIndex, State
from service.index.snapshot import Header, Identity
from service.periodic import Periodic
from service.sync.catchup import Indexes
from service.sync.snapshots import Snapshots

log = logging.getLogger(__name__)

LOOK_S = 5.0
GROWN_SHARE = 0.05
GROWN_S = 300.0
"""A file that only lacks faces costs a start some reading: no more than this share, this long."""
EFFORT = 10
"""Writing takes no more than one part in so many of a gallery's time, however often it changes."""
FAILED_S = 60.0
CLOSE_S = 30.0


class Keeper:
    """A thread of its own: writing a large gallery takes seconds, and must delay no catch-up.

    `indexes` gives the replica's indexes of now that may stand in files, None before they are
    loaded; `adopt` is called with an index that is to take a gallery's index's place once it has
    caught up, and `adopting` says whether that is still to come.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        indexes: Callable[[], Indexes | None],
        adopt: Callable[[IndexKey, GalleryIndex], None],
        adopting: Callable[[IndexKey], bool],
        look_s: float = LOOK_S,
    ) -> None:
        self._snapshots = snapshots
        self._indexes = indexes
        self._adopt = adopt
        self._adopting = adopting
        self._taken: dict[IndexKey, GalleryVersion] = {}
        self._grown_at: dict[IndexKey, float] = {}
        self._not_before: dict[IndexKey, float] = {}
        self._turns = Periodic("snapshots", self.look, look_s)

    def start(self) -> None:
        self._turns.start()

    def close(self) -> None:
        """Stop, leaving files behind that the next start can use. Call once nothing changes."""
        if self._turns.close(CLOSE_S):
            self._not_before.clear()
            self._grown_at.clear()
            self.look()

    def look(self) -> None:
        """See to every gallery once."""
        indexes = self._indexes()
        if indexes is None:
            return
        # at every look: a process that lags may write a deleted gallery's file again
        self._snapshots.forget_others(set(indexes))
        for key, index in indexes.items():
            if not self._adopting(key):
                identity = Identity(*key, index.state.base.shape[1])
                try:
                    self._see_to(identity, index.state)
                except Exception:
                    # one slow start, not a wrong answer; the other galleries' files go on
                    log.exception("snapshots: unexpected failure")

    def _see_to(self, identity: Identity, state: State) -> None:
        header = self._snapshots.header(identity)
        if header is not None and self._is_ours(header, state):
            if erased(state) or self._has_grown(identity.key, state):
                self._replace(identity, state)
        elif header is not None and self._turns.stopping.is_set():
            if header.version.number < state.version.number:
                self._replace(identity, state)
        elif header is not None and self._is_news(header, state):
            self._go_over(identity, header.version)
        else:
            self._replace(identity, state)

    @staticmethod
    def _is_ours(header: Header, state: State) -> bool:
        """Whether the index stands on that file's pages."""
        return mapped(state) and header.version == state.born

    def _is_news(self, header: Header, state: State) -> bool:
        """Whether another process wrote a file that is no older than what the index stands on.

        One that was gone over to before, and is not stood on now, was damaged, or did not fit the
        database.
        """
        taken = self._taken.get(header.identity.key)
        return header.version.number >= state.born.number and header.version != taken

    def _has_grown(self, key: IndexKey, state: State) -> bool:
        young = int(np.count_nonzero(state.tail.alive))
        since = self._grown_at.get(key, -GROWN_S)
        return young > GROWN_SHARE * len(state.base) and time.monotonic() - since >= GROWN_S

    def _replace(self, identity: Identity, state: State) -> None:
        began = time.monotonic()
        key = identity.key
        if began < self._not_before.get(key, began):
            return
        saved = self._snapshots.save(identity, state)
        ended = time.monotonic()
        if saved is None:
            return  # somebody else writes there: the next look shows what
        self._not_before[key] = ended + (EFFORT * (ended - began) if saved else FAILED_S)
        if saved:
            self._grown_at[key] = ended
            self._go_over(identity, state.version)

    def _go_over(self, identity: Identity, version: GalleryVersion) -> None:
        if self._turns.stopping.is_set():
            return
        self._taken[identity.key] = version
        index = self._snapshots.load(identity)
        if index is not None:
            self._adopt(identity.key, index)


def mapped(state: State) -> bool:
    """Whether the base is a file's pages: those alone are read-only."""
    return not state.base.flags.writeable


def erased(state: State) -> bool:
    """Whether the base holds faces that are no more."""
    return state.selector is not None
