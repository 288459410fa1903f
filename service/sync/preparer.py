"""Loads the models of galleries that have two spaces, before anybody needs them.

Such a gallery may change over at any moment. A replica that was not ready for it would load the
model on the path of the first search, or could not answer at all.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from service.domain.embeddings import EmbeddingSpace
from service.domain.galleries import IndexKey
from service.errors import ModelUnavailable
from service.periodic import Periodic
from service.ports import Analysers, Store
from service.sync.catchup import Indexes

log = logging.getLogger(__name__)

LOOK_S = 2.0
AGAIN_S = 15.0
EFFORT = 10
"""A model that is not here is tried again, since somebody may bring it, but takes no more than one
part in so many of the time: some fail only when they have been loaded."""
CLOSE_S = 10.0


class Preparer:
    """A thread of its own, which needs no database while every gallery has one space.

    `indexes` gives the replica's indexes of now; `tell` is called with all spaces whose models are
    loaded, whenever there is one more. A loaded model stays, so a space never goes.
    """

    def __init__(
        self,
        store: Store,
        analysers: Analysers,
        *,
        indexes: Callable[[], Indexes],
        tell: Callable[[frozenset[UUID]], None],
    ) -> None:
        self._store = store
        self._analysers = analysers
        self._indexes = indexes
        self._tell = tell
        self._ready: frozenset[UUID] = frozenset()
        self._not_before: dict[UUID, float] = {}
        self._said: dict[UUID, str] = {}
        self._turns = Periodic("models", self.look, LOOK_S)

    def start(self) -> None:
        self._turns.start()

    def close(self) -> None:
        self._turns.close(CLOSE_S)

    def look(self) -> None:
        """Load what is not here yet.

        Raises:
            DatabaseUnavailable, DatabaseBusy: nothing was loaded.
        """
        lacking = self._lacking()
        if not lacking:
            return
        for space_id, space in self._spaces(lacking).items():
            if self._is_loaded(space_id, space):
                self._ready |= {space_id}
                self._tell(self._ready)

    def _lacking(self) -> list[IndexKey]:
        keys, now = list(self._indexes()), time.monotonic()
        spaces = Counter(key.gallery_id for key in keys)
        return [
            key
            for key in keys
            if spaces[key.gallery_id] > 1
            and key.space_id not in self._ready
            and self._not_before.get(key.space_id, now) <= now
        ]

    def _spaces(self, lacking: list[IndexKey]) -> dict[UUID, EmbeddingSpace]:
        wanted = {key.space_id for key in lacking}
        among = frozenset(key.gallery_id for key in lacking)
        with self._store.transaction(read_only=True) as tx:
            galleries = tx.list_galleries(None, len(among), among)
        moved = [each.in_other() for each in galleries if each.other is not None]
        spaces = {each.space_id: each.space for each in (*galleries, *moved)}
        return {space_id: space for space_id, space in spaces.items() if space_id in wanted}

    def _is_loaded(self, space_id: UUID, space: EmbeddingSpace) -> bool:
        began = time.monotonic()
        try:
            self._analysers.of(space)
        except ModelUnavailable as error:
            if self._said.get(space_id) != str(error):  # once, not at every try
                self._said[space_id] = str(error)
                log.warning("no gallery can change over to %s: %s", space.describe(), error)
            return False
        finally:
            ended = time.monotonic()
            self._not_before[space_id] = ended + max(AGAIN_S, EFFORT * (ended - began))
        return True
