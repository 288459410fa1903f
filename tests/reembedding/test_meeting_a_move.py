"""Enrolments and searches under way when a gallery gets a second space, changes over, loses it."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pytest

import service.reembedding
from service.domain.embeddings import Embedding
from service.domain.faces import DetectedFace, NewFace
from service.domain.galleries import Gallery
from service.domain.reembedding import MissingFace
from service.errors import (
    FacesMissing,
)
from service.galleries import existing
from service.materials import Material, Originals
from service.ports import Picture, Transaction
from service.reembedding import Filled
from service.sync import AntiEntropy
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import FakeAnalyser, photograph
from tests.reembedding.values import CALLER, OTHER, Site


@dataclass(eq=False)
class Interrupting(FakeAnalyser):
    """Something happens, once, while this one embeds."""

    happenings: list[Callable[[], object]] = field(default_factory=list)

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        if self.happenings:
            self.happenings.pop()()
        return super().embed(picture, face)


def interrupted(site: Site, happening: Callable[[], object]) -> Site:
    """The same site, whose own model meets that at its next use."""
    again = Site(site.store, site.replica)
    own = Interrupting(happenings=[happening])
    analysers = LoadedAnalysers(own, again._load, SlotPool(lambda: None, 4, 10))
    again.galleries = replace(again.galleries, analysers=analysers)
    again.enrolment = replace(again.enrolment, galleries=again.galleries, analysers=analysers)
    probes = replace(again.recognition.probes, analysers=analysers)
    again.recognition = replace(again.recognition, probes=probes)
    return again


@pytest.fixture
def filled(site: Site, originals: Originals) -> Site:
    for seed in range(3):
        site.enrol(f"person {seed}", seed)
    site.fill(originals)
    return site


def test_a_search_that_meets_the_switch_is_answered_from_the_new_space(filled: Site) -> None:
    site = interrupted(filled, lambda: filled.reembedding.switch(CALLER, "people"))
    assert site.found(1) == "person 1"
    assert site.gallery().space == OTHER


def test_an_enrolment_that_meets_the_switch_is_in_both_spaces(filled: Site) -> None:
    site = interrupted(filled, lambda: filled.reembedding.switch(CALLER, "people"))
    site.enrol("late", 20)
    assert site.gallery().space == OTHER
    assert [site.found(20), site.found(20, in_other=True)] == ["late", "late"]


def test_an_enrolment_that_meets_the_beginning_is_in_both_spaces(site: Site) -> None:
    interrupted(site, site.begin).enrol("late", 20)
    assert site.missing() == []


def test_an_enrolment_that_meets_the_end_is_in_the_present_space(filled: Site) -> None:
    def ended() -> None:
        filled.reembedding.switch(CALLER, "people")
        filled.reembedding.discard(CALLER, "people")

    site = interrupted(filled, ended)
    site.enrol("late", 20)
    assert site.gallery().space == OTHER
    assert site.found(20) == "late"
    assert site.missing() == []


@pytest.mark.parametrize("step", ["begin", "switch"])
def test_who_is_being_enrolled_is_waited_for_and_counted(site: Site, step: str) -> None:
    """In a transaction that knows of no second space, or of no switch."""
    if step == "switch":
        site.begin()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            site.begin() if step == "begin" else site.reembedding.switch(CALLER, "people")
        except FacesMissing as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    with site.store.transaction() as tx:
        tx.enter_gallery("people")
        gallery = existing(tx, "people", CALLER)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        face = NewFace(np.eye(32, dtype=np.float32)[0], bytes(32), None, None, "test")
        tx.add_face(gallery, tx.add_subject(gallery.id, "late"), face)
    thread.join(10)
    assert site.missing() == [("late", None)]
    assert len(failed) == (step == "switch")


@dataclass
class Crowd:
    """Three who enrol, and delete every third again, and two who ask for the same person."""

    site: Site
    enrolled: list[tuple[str, int]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> "Crowd":
        self._ending = threading.Event()
        works = [partial(self._write, itertools.count(1_000 * number)) for number in (1, 2, 3)]
        self._threads = [
            threading.Thread(target=self._run, args=(work,))
            for work in (*works, self._ask, self._ask)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, work: Callable[[], None]) -> None:
        while not self._ending.is_set():
            try:
                work()
            except BaseException as error:
                self.failures.append(error)

    def _write(self, seeds: Iterator[int]) -> None:
        seed = next(seeds)
        name = f"late {seed}"
        self.site.enrol(name, seed)
        if seed % 3:
            self.enrolled.append((name, seed))
        else:
            self.site.galleries.write(
                CALLER, "people", lambda tx, gallery: tx.delete_subject(gallery.id, name)
            )

    def _ask(self) -> None:
        assert self.site.found(7) == "person 7"


class Everything:
    """Has everybody's photograph."""

    def of(self, face: MissingFace) -> Material:
        return Material(photograph(int(face.external_id.split()[1])))


def test_writers_and_searches_never_fail_while_a_gallery_is_moved_there_and_back(
    site: Site,
) -> None:
    """And nobody whose enrolment was answered is missing in either space, or in the index."""
    for seed in range(30):
        site.enrol(f"person {seed}", seed)
    with Crowd(site) as crowd:
        filled = site.fill(Everything())
        for back in (*(False, True) * 5, False):
            time.sleep(0.05)
            site.reembedding.switch(CALLER, "people", back=back)
    assert crowd.failures == []
    assert filled.failed == {}
    assert site.missing() == []
    assert crowd.enrolled
    for name, seed in crowd.enrolled:
        assert [site.found(seed), site.found(seed, in_other=True)] == [name, name]
    assert_equal_to_the_table(site)


def assert_equal_to_the_table(site: Site) -> None:
    check = AntiEntropy(
        site.store.feed(),
        every_s=1000,
        indexes=site.replica.indexes,
        distrust=lambda key: None,
        tell=lambda at, differences: None,
    )
    with closing(check):
        assert check.compare()
        assert check.differences == 0


@pytest.mark.parametrize("whose", ["own", "other"])
def test_a_threshold_that_is_set_while_a_switch_counts_is_not_lost(
    site: Site, originals: Originals, psql: psycopg.Connection[Any], whose: str
) -> None:
    site.enrol("ada", 1)
    site.fill(originals)

    def setting(tx: Transaction, gallery: Gallery, leave_behind: int) -> int:
        if next(looks) == 1:  # behind the writers
            table = {"own": "gallery", "other": "reembedding"}[whose]
            psql.execute(f"UPDATE {table} SET threshold = 0.33".encode())
        return count(tx, gallery, leave_behind)

    looks, count = itertools.count(), service.reembedding._check_missing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.reembedding, "_check_missing", setting)
        site.reembedding.switch(CALLER, "people")
    gallery = site.gallery()
    assert gallery.other is not None
    found = {"own": gallery.other.threshold, "other": gallery.threshold}
    assert found == {"own": 0.5, "other": 0.7, whose: 0.33}


def test_who_is_erased_while_it_is_noted_that_they_cannot_be_embedded_ends_nothing(
    site: Site, originals: Originals, clean_url: str
) -> None:
    for seed in range(3):
        site.enrol(f"person {seed}", seed)
        site.blind_to.add(seed)
    site.begin()
    with psycopg.connect(clean_url) as deleting, ThreadPoolExecutor(1) as pool:
        deleting.execute("DELETE FROM subject WHERE external_id = 'person 1'")
        filled = pool.submit(site.fill, originals)
        waits_for(deleting.info.backend_pid, clean_url)
        deleting.commit()
        assert filled.result(30) == Filled(0, {"no_face": 3})
    assert site.missing() == [("person 0", "no_face"), ("person 2", "no_face")]


def waits_for(pid: int, url: str) -> None:
    """Until somebody waits for that process of the server."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    with psycopg.connect(url, autocommit=True) as looking:
        end = time.monotonic() + 20
        while looking.execute(waiting, (pid,)).fetchone() == (0,):
            assert time.monotonic() < end
            time.sleep(0.05)
