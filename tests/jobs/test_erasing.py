"""Somebody is erased while an import enrols them."""

import itertools
import threading
import time
from collections import Counter
from dataclasses import replace

from service.domain.embeddings import Embedding
from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.erasures import Erasures
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from service.ports import Picture, Store
from tests.fakes.analyser import FakeAnalyser, photograph
from tests.jobs.values import OneAnalyser, submitted, tar_of

COUNT = 90
LAST = 10


class Slow(FakeAnalyser):
    """The last ones of an import wait until somebody has been erased."""

    def __init__(self) -> None:
        super().__init__()
        self.erased = threading.Event()
        self._begun = itertools.count(1)

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        time.sleep(0.003)
        if next(self._begun) > 2 * COUNT - LAST:
            self.erased.wait(30)
        return super().embed(picture, face)


def test_who_is_erased_in_the_middle_of_an_import_stays_erased_and_every_item_is_accounted_for(
    store: Store, gallery: Gallery, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    slow = Slow()
    slowly = replace(enrolling, analysers=OneAnalyser(slow))
    files = {
        f"{name}/{n}.png": photograph(first + n)
        for n in range(COUNT)
        for name, first in (("ada", 0), ("bob", 1000))
    }
    job = submitted(imports, caller, tar_of(files))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while (again_s := slowly.work(job.id, lambda: False)) is not None:
                time.sleep(min(again_s, 0.05))
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    while imports.read(caller, job.id).done == 0:
        time.sleep(0.005)
    Erasures(store).erase(caller, "ada")
    slow.erased.set()
    for worker in workers:
        worker.join()
    assert failed == []
    with store.transaction(read_only=True) as tx:
        assert tx.find_subject(gallery.id, "ada") is None
        bob = tx.read_subject(gallery.id, "bob")
    assert bob is not None
    assert bob.faces == COUNT
    items = imports.items(caller, job.id, None, 0, 1000)
    assert all(item.external_id in {None, "bob"} for item in items)
    assert all("ada" not in (item.file or "") for item in items)
    codes = Counter(item.reason.code if item.reason else str(item.status) for item in items)
    assert codes["erased"] > 0
    assert codes["erased"] + codes["enrolled"] == 2 * COUNT
