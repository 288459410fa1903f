"""Searches while the world changes under them: what is read first must not be younger."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from service.audit import Recorder
from service.domain.embeddings import ClaimedSpace, similarity
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion, IndexKey
from service.domain.keys import Caller, trusted
from service.domain.matches import Glance
from service.domain.probes import EmbeddingProbe
from service.domain.quality import UNCHECKED
from service.errors import DatabaseBusy, GalleryNotFound, GalleryNotReady, SpaceMismatch
from service.images import ImageLimits
from service.index import GalleryIndex, IndexBuilder
from service.ports import Indexes, Store
from service.probes import Looked, Probes
from service.recognition import Recognition
from service.searches import Search, Searched
from service.store import open_store
from service.vision import load_analyser
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import FakeAnalyser
from tests.store.conftest import clean_url, gallery, psql, shared_url, store
from tests.store.values import SPACE, embedding, enrol, new_face

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


class Kept(CaughtUp):
    """As a replica that hears of nothing any more."""

    def __init__(self, store: Store, kept: GalleryIndex) -> None:
        super().__init__(store)
        self._kept = kept

    def index(self, key: IndexKey) -> GalleryIndex:
        return self._kept


class Dropped(CaughtUp):
    """As a replica that has heard of the deletion."""

    def index(self, key: IndexKey) -> GalleryIndex:
        with self.store.transaction(read_only=True) as tx:
            gallery = tx.find_gallery("people")
        if gallery is None or gallery.key != key:
            raise GalleryNotReady("It is not here.")
        return super().index(key)


def recognition(store: Store, indexes: Indexes) -> Recognition:
    analysers = LoadedAnalysers(FakeAnalyser(), load_analyser, SlotPool(nothing, 1, 10))
    probes = Probes(analysers, ImageLimits(1000, 1000), UNCHECKED)
    return Recognition(store, indexes, probes, Recorder(store))


def search(
    by: Recognition, caller: Caller = CALLER, claimed: ClaimedSpace = SPACE_OF_IT
) -> Searched:
    probe = EmbeddingProbe(embedding(1).tolist(), claimed)
    return by.search(caller, ["people"], Search(probe), {})


def searched(store: Store, indexes: CaughtUp) -> Searched:
    return search(recognition(store, indexes))


def names(found: Searched) -> list[str]:
    return [match.external_id for match in found.faces[0].matches]


def test_what_the_named_version_has_is_found(store: Store, gallery: Gallery) -> None:
    """Committed while the search was under way, and in the index by then."""
    indexes = CaughtUp(store, lambda: enrol(store, gallery, "late", 1))
    found = searched(store, indexes)
    with store.transaction(read_only=True) as tx:
        now = tx.find_gallery("people")
    assert now is not None
    assert found.galleries[0].version == now.version
    assert [match.external_id for match in found.faces[0].matches] == ["late"]


def test_a_plain_search_opens_no_transaction(
    store: Store, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(store, gallery, "ada", 1)
    indexes = CaughtUp(store)

    def none(**_: bool) -> None:
        raise AssertionError("one statement decides")

    monkeypatch.setattr(store, "transaction", none)
    found = searched(store, indexes)
    assert [match.external_id for match in found.faces[0].matches] == ["ada"]


def test_a_face_deleted_meanwhile_is_decided_in_a_transaction(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    """The index of the last moment has a face that the glance does not show."""
    _, face_id = enrol(store, gallery, "ada", 1)
    with store.transaction() as tx:
        ada = tx.find_subject(gallery.id, "ada")
        assert ada is not None
        tx.add_face(gallery, ada, new_face(2))
    index = Kept(store, CaughtUp(store).index(gallery.key))
    psql.execute("DELETE FROM face WHERE id = %s", (face_id,))
    found = searched(store, index)
    assert found.faces[0].matches == ()
    assert found.faces[0].best == similarity(embedding(1), embedding(2))


def test_a_gallery_that_was_searched_before_is_not_looked_up_before_it_is_read(
    store: Store, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(store, gallery, "ada", 1)
    by = recognition(store, CaughtUp(store))
    assert names(search(by)) == ["ada"]
    glances: list[str] = []
    glance = store.glance

    def counted(name: str, *more: Any) -> Glance | None:
        glances.append(name)
        return glance(name, *more)

    monkeypatch.setattr(store, "glance", counted)
    assert names(search(by)) == ["ada"]
    assert glances == ["people"]


def test_a_gallery_that_is_gone_since_is_not_found_whatever_else_fails(
    store: Store, gallery: Gallery
) -> None:
    by = recognition(store, Dropped(store))
    search(by)
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
    with pytest.raises(GalleryNotFound):
        search(by)
    with pytest.raises(GalleryNotFound):
        search(by, claimed=replace(SPACE_OF_IT, model="ArcFace"))


def test_a_gallery_that_was_made_anew_since_is_searched(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    by = recognition(store, Dropped(store))
    search(by)
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
        anew = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    enrol(store, anew, "eve", 1)
    assert names(search(by)) == ["eve"]


def test_a_gallery_of_another_space_since_is_searched_in_that(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    other = replace(SPACE, model="Other")
    claimed = replace(SPACE_OF_IT, model="Other")
    by = recognition(store, Dropped(store))
    search(by)
    with pytest.raises(SpaceMismatch):
        search(by, claimed=claimed)
    search(by)
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
        anew = tx.create_gallery("people", other, GallerySettings(0.5))
    enrol(store, anew, "eve", 1)
    assert names(search(by, claimed=claimed)) == ["eve"]


@dataclass(frozen=True)
class Overtaken:
    """Probes at which, when they are first looked at, another search goes by."""

    probes: Probes
    others: list[Callable[[], object]]

    def look(self, *given: Any) -> Looked | None:
        while self.others:
            self.others.pop()()
        return self.probes.look(*given)


@pytest.mark.parametrize("model", [SPACE.model, "Other"])
def test_a_search_that_another_overtakes_begins_again_too(
    model: str, store: Store, gallery: Gallery
) -> None:
    claimed = replace(SPACE_OF_IT, model=model)
    by = recognition(store, Dropped(store))
    search(by)
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
        space = replace(SPACE, model=model)
        anew = tx.create_gallery("people", space, GallerySettings(0.5))
    enrol(store, anew, "eve", 1)
    probes = Overtaken(by.probes, [lambda: search(by, claimed=claimed)])
    assert names(search(replace(by, probes=cast(Probes, probes)), claimed=claimed)) == ["eve"]


@pytest.mark.usefixtures("psql")
def test_an_embedding_of_other_weights_is_refused_once_the_spaces_are_known(store: Store) -> None:
    """Until then nobody knew which they were, and any might be."""
    unknown = replace(SPACE, weights_sha256=None)
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", unknown, GallerySettings(0.5))
    enrol(store, gallery, "ada", 1)
    by = recognition(store, CaughtUp(store))
    other = replace(SPACE_OF_IT, weights_sha256="b" * 64)
    assert names(search(by, claimed=other)) == ["ada"]
    with store.transaction() as tx:
        tx.pin_weights(gallery.space_id, "a" * 64)
    with pytest.raises(SpaceMismatch):
        search(by, claimed=other)
    assert names(search(by)) == ["ada"]


def test_a_database_that_is_busy_is_waited_for_once(
    clean_url: str, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    store = open_store(clean_url, pool_size=2, timeout_s=2)
    by = recognition(store, Kept(store, CaughtUp(store).index(gallery.key)))
    search(by)
    with psql.transaction():
        psql.execute("LOCK TABLE gallery")
        began = time.monotonic()
        with pytest.raises(DatabaseBusy):
            search(by)
        assert time.monotonic() - began < 3.5
    store.close()


def test_of_several_galleries_one_that_is_not_there_is_told_first(
    store: Store, gallery: Gallery
) -> None:
    by = recognition(store, CaughtUp(store))
    probe = EmbeddingProbe(embedding(1).tolist(), SPACE_OF_IT)
    with pytest.raises(GalleryNotFound):
        by.search(CALLER, ["people", "nobody"], Search(probe, in_other=True), {})


def test_a_gallery_that_somebody_else_searched_is_not_found_by_those_it_is_not_for(
    store: Store, gallery: Gallery
) -> None:
    by = recognition(store, CaughtUp(store))
    search(by)
    with pytest.raises(GalleryNotFound):
        search(by, replace(CALLER, galleries=frozenset()))
    search(by)


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
