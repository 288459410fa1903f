"""Anti-entropy: compares what this replica holds with the table, by content, every few minutes.

It must never find anything. It guards against mistakes of ours and of the hardware, and against
triggers that somebody has switched off.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from service.domain.galleries import GalleryHead, IndexKey
from service.index import GalleryIndex, Living, State
from service.periodic import Periodic
from service.ports import ChangeFeed, FaceRead

log = logging.getLogger(__name__)

TRIES = 40
CLOSE_S = 10.0
PAUSE_S = 0.05
"""The index has to be at the very version of the database's snapshot; between two writes it is."""


class AntiEntropy:
    """A thread of its own with a connection of its own, so that it delays no catch-up.

    `indexes` gives the replica's indexes of now; `distrust` is called with the key of each that
    differs from the table, to have it built anew; `tell` with the time of the last whole comparison
    and the number of differences ever found. Owns the feed and closes it.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        *,
        every_s: float,
        indexes: Callable[[], Mapping[IndexKey, GalleryIndex]],
        distrust: Callable[[IndexKey], None],
        tell: Callable[[datetime | None, int], None],
    ) -> None:
        self.checked_at: datetime | None = None
        self.differences = 0
        self._feed = feed
        self._indexes = indexes
        self._distrust = distrust
        self._tell = tell
        self._turns = Periodic("anti-entropy", self.compare, every_s, spread=0.25)

    def start(self) -> None:
        self._turns.start()

    def close(self) -> None:
        if self._turns.close(CLOSE_S):
            self._feed.close()

    def compare(self) -> bool:
        """Compare every gallery that is loaded; True when all could be compared and are equal.

        Raises:
            DatabaseUnavailable: nothing is known.
        """
        waiting = set(self._indexes())
        well = True
        for _ in range(TRIES):
            with self._feed.read() as read:
                well &= self._triggers_are_well(read)
                for head, state in self._at_one_version(read, waiting):
                    well &= self._is_equal(read, head, state)
                    waiting.discard(head.key)
            if not waiting or not well or self._turns.stopping.wait(PAUSE_S):
                break
        if not waiting:
            self.checked_at = datetime.now(UTC)
        self._tell(self.checked_at, self.differences)
        return well and not waiting

    def _triggers_are_well(self, read: FaceRead) -> bool:
        faults = read.trigger_faults()
        for fault in faults:
            log.error("anti-entropy: %s: changes may go unnoticed; run `facematch doctor`", fault)
        self.differences += bool(faults)
        return not faults

    def _at_one_version(
        self, read: FaceRead, waiting: set[IndexKey]
    ) -> Iterator[tuple[GalleryHead, State]]:
        """Galleries of which this replica holds exactly the version of the snapshot."""
        indexes = self._indexes()
        for head in read.heads():
            index = indexes.get(head.key)
            if head.key in waiting and index is not None:
                state = index.state
                if state.version == head.version:
                    yield head, state

    def _is_equal(self, read: FaceRead, head: GalleryHead, state: State) -> bool:
        if Living.of(state).digest() == read.digest(head):
            return True
        self.differences += 1
        log.error(
            "anti-entropy: the index of gallery '%s' differs from the table at version %s; "
            "it is built anew. This must never happen: please report it with this log.",
            head.name,
            head.version,
        )
        self._distrust(head.key)
        return False
