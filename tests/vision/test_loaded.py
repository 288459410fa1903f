"""Several models in one process: they share its workers, and nobody waits for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.domain.embeddings import Embedding
from service.domain.faces import Box, DetectedFace
from service.errors import ModelUnavailable, Overloaded
from service.ports import FaceAnalyser, Picture
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import SPACE, FakeAnalyser

OTHER = replace(SPACE, model="Facenet")
PICTURE = np.zeros((4, 4, 3), dtype=np.uint8)
FACE = DetectedFace(Box(0, 0, 4, 4), 1.0)


class Busy(FakeAnalyser):
    """Counts those at work at once, in whichever model."""

    at_work = most = 0
    lock = threading.Lock()

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        self._work()
        return super().detect(picture, thorough=thorough)

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        self._work()
        return super().embed(picture, face)

    def _work(self) -> None:
        with self.lock:
            Busy.at_work += 1
            Busy.most = max(Busy.most, Busy.at_work)
        time.sleep(0.02)
        with self.lock:
            Busy.at_work -= 1


def loaded(load: Any, workers: int = 2, timeout_s: float = 10) -> LoadedAnalysers:
    return LoadedAnalysers(Busy(SPACE), load, SlotPool(lambda: None, workers, timeout_s))


def test_all_models_together_have_as_many_workers_as_the_process() -> None:
    analysers = loaded(lambda *_, **__: Busy(OTHER))
    Busy.most = 0

    def work(number: int) -> None:
        analyser: FaceAnalyser = analysers.of(SPACE if number % 2 else OTHER)
        analyser.detect(PICTURE)
        analyser.embed(PICTURE, FACE)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(16)))
    assert Busy.most == 2


def test_who_gets_no_worker_in_time_is_told_so() -> None:
    turns = SlotPool(lambda: None, 1, timeout_s=0.05)
    analysers = LoadedAnalysers(Busy(SPACE), lambda *_, **__: Busy(OTHER), turns)
    with turns.take(), pytest.raises(Overloaded):
        analysers.usual(None).detect(PICTURE)


def test_nobody_waits_for_ever_while_a_model_is_loaded() -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load(*_: Any, **__: Any) -> FaceAnalyser:
        loading.set()
        go_on.wait(30)
        return Busy(OTHER)

    analysers = loaded(load, timeout_s=0.05)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(analysers.of, OTHER)
        loading.wait(30)
        try:
            assert analysers.of(SPACE).space == SPACE
            with pytest.raises(ModelUnavailable, match="being loaded"):
                analysers.of(replace(OTHER, model="ArcFace"))
        finally:
            go_on.set()
        assert first.result(30).space == OTHER
