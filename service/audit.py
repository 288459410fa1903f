"""The record: searches written down in batches, chains verified, pruned and anchored."""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from service.domain.audit import START, Anchor, Break, RecordedSearch, first_break
from service.domain.keys import Caller
from service.errors import AuditBehind, UnavailableError
from service.ports import Store, Transaction

log = logging.getLogger(__name__)

EVERY_S = 0.5
"""What a kill -9 may lose of the searches' record; documented in docs/operations.md."""
BATCH = 500
MOST = 20_000
"""Searches that wait to be recorded while the database is away; then none is answered."""


class Recorder:
    """A thread that writes searches down, off their requests' path. Safe to call from many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[RecordedSearch] = deque()
        self._news = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raises AuditBehind when too many wait: no search is answered that is not recorded."""
        if len(self._waiting) >= MOST:
            raise AuditBehind

    def record(self, searches: Sequence[RecordedSearch]) -> None:
        """Take them over; they are in the table within about `EVERY_S` seconds."""
        self._waiting.extend(searches)
        if len(self._waiting) >= BATCH:
            self._news.set()

    def close(self) -> None:
        """Write down what waits, as far as the database is there."""
        self._closing = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._news.wait(EVERY_S)
            self._news.clear()
            self._flush()
        self._flush()
        if self._waiting:
            log.error("%d searches could not be recorded", len(self._waiting))

    def _flush(self) -> None:
        """All that wait, a batch at a time; what could not be written waits on."""
        while self._waiting:
            batch = [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]
            try:
                self._store.write(partial(_record, batch))
            except UnavailableError as error:
                log.warning("searches wait to be recorded: %s", error)
                return
            except Exception:
                # without this thread nothing would ever be recorded again
                log.exception("searches cannot be recorded; it is tried again")
                return
            for _ in batch:
                self._waiting.popleft()


@dataclass(frozen=True, slots=True)
class Chain:
    """What was seen of a chain; `broken` None: it holds."""

    start: Anchor
    end: Anchor
    broken: Break | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many events were deleted. `kept`: the galleries, by name, that keep events older than
    was asked for, since when: their retention reads them."""

    events: int
    kept: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Audit:
    store: Store

    def verify(self, anchors: Sequence[Anchor] = ()) -> Iterator[Chain]:
        """Follow every chain from its start, or where it was pruned, to its end.

        `anchors` were exported before: each must still be on its chain, or pruned away.
        """
        with self.store.transaction(read_only=True) as tx:
            ends = {end.chain: end for end in tx.audit_chains()}
            kept_elsewhere = {anchor.chain for anchor in anchors}
            for chain in sorted({*ends, *tx.audit_unended(), *kept_elsewhere}):
                kept = {each.seq: each.hash for each in anchors if each.chain == chain}
                end = ends.get(chain, Anchor(chain, 0, START))
                start = tx.audit_start(chain)
                found = _cut(tx, start) or first_break(
                    tx.audit_links(chain, start.seq), start, end, kept
                )
                if found is None and tx.audit_unnumbered(chain):
                    found = Break(end.seq + 1, "there are events without a number")
                yield Chain(start, end, found)

    def anchors(self) -> list[Anchor]:
        """The end of every chain, to be kept where nobody of the database reaches."""
        with self.store.transaction(read_only=True) as tx:
            return tx.audit_chains()

    def prune(self, caller: Caller, before: datetime) -> Pruned:
        """Delete events older than that behind an anchor, but those that retention reads."""

        def work(tx: Transaction) -> Pruned:
            kept = {name: since for name, since in tx.retention_reads() if since < before}
            return Pruned(tx.prune_audit(before), kept)

        return self.store.write(work, by=caller)


def _cut(tx: Transaction, start: Anchor) -> Break | None:
    """Whoever puts an anchor there by hand may delete what came before it."""
    if start.seq == 0 or tx.audit_tells_of_pruning(start):
        return None
    return Break(start.seq, "the events up to here were deleted, and no pruning is told of")


def _record(searches: Sequence[RecordedSearch], tx: Transaction) -> None:
    tx.record(searches)
