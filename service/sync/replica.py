"""A replica: this process's indexes and the thread that keeps them fresh."""

import logging
import random
import threading
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from service.domain.galleries import GalleryVersion, IndexKey
from service.domain.replicas import Held
from service.errors import DatabaseBusy, DatabaseUnavailable, GalleryNotReady, UnavailableError
from service.index import GalleryIndex
from service.ports import ChangeFeed, FeedStatus
from service.sync.catchup import Indexes, catch_up
from service.sync.reporter import Reporter
from service.sync.snapshots import Snapshots

log = logging.getLogger(__name__)

FIRST_BACKOFF_S = 0.1
LAST_BACKOFF_S = 1.0
"""An outage is over for this replica as soon after its end; a failed try costs next to nothing."""
PRUNE_EVERY_S = 60.0
PRUNE_AGAIN_S = 1.0
"""While there is more: commits must not outrun it, and it must not delay a catch-up."""
CLOSE_S = 10.0


class Replica:
    """Follows the change feed: listen, catch up, wait for the bell or a timeout, again.

    Owns the feed and closes it.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        *,
        poll_s: float,
        stale_s: float,
        wait_s: float,
        keep_s: float = 86_400.0,
        snapshots: Snapshots | None = None,
    ) -> None:
        """Times in seconds. `stale_s`: not ready after so long without a look; `wait_s`: longest
        wait for a version; `keep_s`: how long changes are kept. `snapshots`: what to start from."""
        self._feed = feed
        self._snapshots = self._start_from = snapshots
        self._reporter = Reporter(feed)
        self._keep_s = keep_s
        self._prune_at = time.monotonic() + PRUNE_EVERY_S * random.random()
        self._poll_s = poll_s
        self._stale_s = stale_s
        self._wait_s = wait_s
        self._indexes: Indexes | None = None
        self._distrusted: set[IndexKey] = set()
        self._adopted: dict[IndexKey, GalleryIndex] = {}
        self._without_file: set[IndexKey] = set()
        self._prepared: frozenset[UUID] = frozenset()
        self._connected = False
        self._begun = self._finished = 0
        self._last_success = 0.0
        self._last_success_at: datetime | None = None
        self._progress = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="sync", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop following. Waits for a catch-up under way."""
        self._stopping.set()
        self._feed.ring()
        if self._thread.is_alive():
            self._thread.join(timeout=CLOSE_S)
        if self._thread.is_alive():
            log.warning("change feed: the database does not answer; leaving without goodbye")
            return  # a daemon, and the feed is in its hands
        with suppress(UnavailableError):
            self._reporter.leave()
        self._feed.close()

    def index(self, key: IndexKey) -> GalleryIndex:
        """Raises GalleryNotReady while it is not loaded."""
        index = (self._indexes or {}).get(key)
        if index is None:
            raise GalleryNotReady("The gallery is still being loaded; try again shortly.")
        return index

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        """Wait, bounded, until the gallery's indexes hold that version, which must be in the
        database by now; False when it took too long.

        Any catch-up that begins from now on reads it, whatever it was numbered: a greater number
        alone proves nothing, since a failover may have put another history in its place.
        """
        with self._progress:
            enough = self._begun + 1
            self._feed.ring()
            return self._progress.wait_for(
                lambda: self._finished >= enough or self._is_at(gallery_id, version),
                timeout=self._wait_s,
            )

    def _is_at(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        # a catch-up changes them one after the other
        held = {
            index.version for key, index in self.indexes().items() if key.gallery_id == gallery_id
        }
        return held == {version}

    def indexes(self) -> Indexes:
        """The indexes of now; none before they are loaded."""
        return self._indexes or {}

    def fileable(self) -> Indexes | None:
        """The indexes of now that may be written to files, and files' may take the place of; None
        before they are loaded.

        Not one that ever differed from the table: whichever process wrote its file, or writes it
        again, may hold the same mistake. Until this process ends it answers from memory alone.
        """
        indexes = self._indexes
        return indexes and {each: indexes[each] for each in indexes.keys() - self._without_file}

    def adopt(self, key: IndexKey, index: GalleryIndex) -> None:
        """Have this index, of any version, take the place of the present one, once caught up."""
        if key not in self._without_file:
            self._adopted[key] = index
            self._feed.ring()

    def is_adopting(self, key: IndexKey) -> bool:
        return key in self._adopted

    def distrust(self, key: IndexKey) -> None:
        """Have an index built anew; it answers until the new one takes its place."""
        self._without_file.add(key)
        self._adopted.pop(key, None)
        self._distrusted.add(key)
        if self._snapshots is not None:
            self._snapshots.remove(key)
        self._feed.ring()

    def checked(self, at: datetime | None, differences: int) -> None:
        """Take note of the digest comparison's outcome, for the next report."""
        self._reporter.checked_at, self._reporter.differences = at, differences

    def prepared(self, spaces: frozenset[UUID]) -> None:
        """Take note of the spaces whose models are loaded, and report them soon."""
        self._prepared = spaces
        self._feed.ring()

    def held(self) -> dict[UUID, Held]:
        """The galleries as this replica would report them."""
        indexes = self.indexes()
        spaces: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for key in indexes:
            if key.space_id in self._prepared:
                spaces[key.gallery_id].add(key.space_id)
        # all indexes of a gallery are at one version: they were brought there by one reading
        return {
            key.gallery_id: Held(index.version, frozenset(spaces.get(key.gallery_id, ())))
            for key, index in indexes.items()
        }

    def status(self) -> FeedStatus:
        """Whether this replica may answer, and if not, why."""
        loaded = self._indexes is not None
        fresh = time.monotonic() - self._last_success <= self._stale_s
        reason = None
        if not loaded:
            reason = "the galleries are still being loaded"
        elif not fresh:
            reason = f"the change feed has not been read for more than {self._stale_s:g} s"
        return FeedStatus(loaded, self._connected and fresh, self._last_success_at, reason)

    def _follow(self) -> None:
        backoff, deaf = FIRST_BACKOFF_S, False
        while not self._stopping.is_set():
            try:
                self._announce()
                self._catch_up()
                self._tell_and_prune()
                deaf = self._rested(deaf)
                backoff = FIRST_BACKOFF_S
                continue
            except DatabaseBusy:
                # it answers; somebody holds the tables
                log.warning("change feed: a table is locked, next try in %.1f s", backoff)
            except DatabaseUnavailable:
                self._connected = False
                self._reporter.again()
                log.warning("change feed: database unavailable, next try in %.1f s", backoff)
            except Exception:
                # a replica that stops following answers from the past for ever; and an index may
                # have been left half way
                self._start_from, self._adopted = None, {}
                self._distrusted.update(self.indexes())
                log.exception("change feed: unexpected failure, next try in %.1f s", backoff)
            self._stopping.wait(backoff * random.uniform(0.5, 1.0))
            backoff = min(2 * backoff, LAST_BACKOFF_S)

    def _rested(self, deaf: bool) -> bool:
        """Wait for the bell; True when it is out of order, for the second time an error.

        It alone may be lost: then the tables are looked at at once, and the next wait mends it.
        """
        try:
            self._feed.wait(self._pause_s())
        except DatabaseUnavailable:
            if deaf:
                raise
            return True
        return False

    def _pause_s(self) -> float:
        """Until the next look without a bell; jittered, so that replicas do not look as one."""
        return max(0.0, min(self._poll_s * random.uniform(0.8, 1.2), self._reporter.due_in_s()))

    def _announce(self) -> None:
        """Be on the list before the first reading: whoever waits for all replicas to drop a face
        must know of one that may be reading it at this moment."""
        if self._indexes is None:
            self._reporter.tell({})

    def _tell_and_prune(self) -> None:
        self._reporter.tell(self.held())
        if time.monotonic() >= self._prune_at:
            every_s = PRUNE_AGAIN_S if self._feed.prune(self._keep_s) else PRUNE_EVERY_S
            self._prune_at = time.monotonic() + every_s * random.uniform(0.5, 1.5)

    def _catch_up(self) -> None:
        before = time.monotonic()
        with self._progress:
            self._begun += 1
            number = self._begun
        first = self._indexes is None
        doubtful = set(self._distrusted)
        adopted = {
            each: index for each, index in self._adopted.items() if each not in self._without_file
        }
        indexes = catch_up(self._feed, self._basis(adopted, doubtful))
        with self._progress:
            self._indexes = indexes
            self._finished = number
            self._connected = True
            self._last_success = before
            self._last_success_at = datetime.now(UTC)
            self._progress.notify_all()
        self._distrusted -= doubtful
        for each, index in adopted.items():
            if self._adopted.get(each) is index:
                self._adopted.pop(each, None)
        if first:
            faces = sum(len(index) for index in indexes.values())
            log.info("loaded %d faces of %d galleries", faces, len(indexes))

    def _basis(self, adopted: Indexes, doubtful: set[IndexKey]) -> Indexes:
        """What to go on from: the indexes of now, those that take their place, or the files'."""
        if self._indexes is None and self._start_from is not None:
            return self._start_from.first(self._feed.heads())
        indexes = {**self.indexes(), **adopted}
        return {each: indexes[each] for each in indexes.keys() - doubtful}
