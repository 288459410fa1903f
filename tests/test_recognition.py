"""Searches while the world changes under them: what is read first must not be younger."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.audit import Recorder
from service.domain.embeddings import ClaimedSpace
from service.domain.galleries import Gallery, GalleryVersion, IndexKey
from service.domain.keys import trusted
from service.domain.probes import EmbeddingProbe
from service.domain.quality import UNCHECKED
from service.errors import GalleryNotReady
from service.images import ImageLimits
from service.index import GalleryIndex, IndexBuilder
from service.ports import Store
from service.probes import Probes
from service.recognition import Recognition, Search, Searched
from service.vision import load_analyser
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import FakeAnalyser
from tests.store.conftest import clean_url, gallery, psql, shared_url, store
from tests.store.values import SPACE, embedding, enrol

__all__ = ["clean_url", "gallery", "psql", "shared_url", "store"]

CALLER = trusted("test")
SPACE_OF_IT = ClaimedSpace(SPACE.model, SPACE.detector, SPACE.alignment)


def nothing() -> None:
    pass


@dataclass
class CaughtUp:
    """See `ports.Indexes`: an index that has just caught up, after something happened."""

    store: Store
    first: Callable[[], object] = nothing
    asked: list[IndexKey] = field(default_factory=list)

    def index(self, key: IndexKey) -> GalleryIndex:
        self.asked.append(key)
        self.first()
        with closing(self.store.feed()) as feed, feed.read() as read:
            (head,) = read.heads()
            builder = IndexBuilder(head.dimension)
            for batch in read.all_faces(head):
                builder.add(batch)
            return builder.finish(head.version)

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        return True


def searched(store: Store, indexes: CaughtUp) -> Searched:
    analysers = LoadedAnalysers(FakeAnalyser(), load_analyser, SlotPool(nothing, 1, 10))
    probes = Probes(analysers, ImageLimits(1000, 1000), UNCHECKED)
    probe = EmbeddingProbe(embedding(1).tolist(), SPACE_OF_IT)
    return Recognition(store, indexes, probes, Recorder(store)).search(
        CALLER, ["people"], Search(probe), {}
    )


def test_what_the_named_version_has_is_found(store: Store, gallery: Gallery) -> None:
    """Committed while the search was under way, and in the index by then."""
    indexes = CaughtUp(store, lambda: enrol(store, gallery, "late", 1))
    found = searched(store, indexes)
    with store.transaction(read_only=True) as tx:
        now = tx.find_gallery("people")
    assert now is not None
    assert found.galleries[0].version == now.version
    assert [match.external_id for match in found.faces[0].matches] == ["late"]


def test_a_gallery_made_anew_meanwhile_is_not_answered_for(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    def anew() -> None:
        psql.execute("UPDATE gallery SET name = 'old'")
        psql.execute(
            "INSERT INTO gallery (name, space_id, threshold)"
            " SELECT 'people', space_id, 0.5 FROM gallery"
        )
        psql.execute("DELETE FROM gallery WHERE name = 'old'")

    enrol(store, gallery, "ada", 1)
    with pytest.raises(GalleryNotReady):
        searched(store, CaughtUp(store, anew))
