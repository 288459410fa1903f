"""A gallery changes over once every live replica has said that it can search there."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service.domain.galleries import IndexKey
from service.errors import ReplicasNotReady, WeightsMissing
from service.ports import FaceAnalyser
from service.sync import Preparer, preparer
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import FakeAnalyser
from tests.reembedding.values import CALLER, OTHER, Site

Sql = psycopg.Connection[Any]

HOLDS = """
WITH other AS (INSERT INTO replica (id, name, seen_at)
               VALUES (%s, 'door:7', now() - make_interval(secs => %s)) RETURNING id)
INSERT INTO replica_gallery (replica_id, gallery_id, version, mark, searchable)
SELECT other.id, g.id, g.version, g.mark, %s FROM other, gallery g
"""


def another(psql: Sql, searchable: list[UUID] | None, silent_s: float = 0) -> None:
    psql.execute(HOLDS, (uuid4(), silent_s, searchable))


@pytest.mark.parametrize("back", [False, True])
def test_a_replica_without_the_model_is_named_and_nothing_is_changed(
    site: Site, psql: Sql, back: bool
) -> None:
    site.begin()
    if back:
        site.reembedding.switch(CALLER, "people")
    before = site.gallery()
    another(psql, [before.space_id])
    with pytest.raises(ReplicasNotReady, match=r"yet: door:7\. .* --even-if-unready") as refused:
        site.reembedding.switch(CALLER, "people", back=back)
    assert "`facematch models pull " + before.in_other().space.model in str(refused.value)
    assert refused.value.facts == {"replicas": ["door:7"]}
    assert site.gallery() == before
    assert site.reembedding.switch(CALLER, "people", back=back, even_if_unready=True).changed


def test_a_replica_that_says_nothing_of_spaces_is_told_to_be_upgraded(
    site: Site, psql: Sql
) -> None:
    site.begin()
    another(psql, None)
    with pytest.raises(ReplicasNotReady, match=r"door:7 \(of an older release\)\. .* upgrade"):
        site.reembedding.switch(CALLER, "people")


def test_a_replica_that_has_not_read_the_gallery_yet_is_waited_for(site: Site, psql: Sql) -> None:
    site.begin()
    psql.execute("INSERT INTO replica (id, name) VALUES (%s, 'door:8')", (uuid4(),))
    with pytest.raises(ReplicasNotReady, match=r"yet: door:8\."):
        site.reembedding.switch(CALLER, "people")


def test_a_dead_replica_is_not_counted(site: Site, psql: Sql) -> None:
    site.begin()
    another(psql, None, silent_s=16)
    assert site.reembedding.unready(CALLER, "people") == []
    assert site.reembedding.switch(CALLER, "people").changed


def test_the_way_back_is_open_at_once(site: Site) -> None:
    site.begin()
    for back in (False, True, False):
        assert site.reembedding.switch(CALLER, "people", back=back).changed


def test_a_gallery_with_one_space_waits_for_nobody(site: Site, psql: Sql) -> None:
    another(psql, None)
    assert site.reembedding.unready(CALLER, "people") == []


@dataclass
class Machine:
    """One on which the other model's weights may be, and what its replica was told."""

    site: Site
    has_weights: bool = False
    tries: int = 0
    told: frozenset[UUID] = frozenset()

    def __post_init__(self) -> None:
        analysers = LoadedAnalysers(FakeAnalyser(), self._load, SlotPool(lambda: None, 1, 10))
        self.preparer = Preparer(
            self.site.store, analysers, indexes=self.site.replica.indexes, tell=self._tell
        )

    def _load(self, model: str, **_: object) -> FaceAnalyser:
        self.tries += 1
        if not self.has_weights:
            raise WeightsMissing(f"The weights of {model} are missing.")
        return FakeAnalyser(OTHER)

    def _tell(self, spaces: frozenset[UUID]) -> None:
        self.told = spaces


def test_models_are_loaded_once_and_only_of_galleries_with_two_spaces(site: Site) -> None:
    machine = Machine(site, has_weights=True)
    machine.preparer.look()
    assert (machine.tries, machine.told) == (0, frozenset())
    gallery = site.begin()
    both = frozenset({gallery.space_id, gallery.in_other().space_id})
    for _ in range(3):
        machine.preparer.look()
        assert (machine.tries, machine.told) == (1, both)


def test_weights_that_come_later_are_found_without_a_restart_and_not_sought_all_the_time(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preparer, "AGAIN_S", 1.0)
    gallery, machine = site.begin(), Machine(site)
    machine.preparer.look()
    machine.preparer.look()
    assert (machine.tries, machine.told) == (1, frozenset({gallery.space_id}))
    assert "no gallery can change over to ArcFace" in caplog.text
    machine.has_weights = True
    time.sleep(1.05)
    machine.preparer.look()
    assert machine.told == {gallery.space_id, gallery.in_other().space_id}


def test_what_is_searchable_needs_the_index_too(site: Site) -> None:
    """A replica may have the model of a space that it has not read the gallery in yet."""
    gallery = site.gallery()
    assert site.replica.wait_for(gallery.id, gallery.version)
    site.replica.prepared(frozenset({uuid4(), gallery.space_id}))
    (held,) = site.replica.held().values()
    assert held.searchable == {gallery.space_id}
    assert set(site.replica.indexes()) == {IndexKey(gallery.id, gallery.space_id)}
