"""A replica with two models, of which both are fakes."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from service.audit import Recorder
from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.domain.probes import PhotographProbe
from service.domain.quality import UNCHECKED
from service.enrolment import Enrolment, Photograph
from service.galleries import Galleries
from service.images import ImageLimits
from service.materials import Source
from service.ports import FaceAnalyser, Store
from service.probes import Probes
from service.recognition import Recognition
from service.reembedding import Filled, Filling, Reembedding
from service.searches import Search
from service.sync import Preparer, Replica
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from tests.fakes.analyser import FakeAnalyser, photograph

CALLER = trusted("tests")
LIMITS = ImageLimits(100_000, 100_000)
OTHER = EmbeddingSpace("ArcFace", 16, "cd" * 32, "retinaface", Alignment.NATIVE, 0.7)


@dataclass
class Site:
    """One replica with two models, of which the second sees all but some."""

    store: Store
    replica: Replica
    blind_to: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.other = FakeAnalyser(OTHER, self.blind_to)
        turns = SlotPool(lambda: None, 4, 10)
        analysers = LoadedAnalysers(FakeAnalyser(), self._load, turns)
        self.galleries = Galleries(self.store, self.replica, analysers, 5)
        self.enrolment = Enrolment(self.galleries, analysers, LIMITS, UNCHECKED)
        probes = Probes(analysers, LIMITS, UNCHECKED)
        self.recognition = Recognition(self.store, self.replica, probes, Recorder(self.store))
        self.reembedding = Reembedding(self.store)
        self.preparer = Preparer(
            self.store, analysers, indexes=self.replica.indexes, tell=self.replica.prepared
        )

    def _load(self, model: str, **_: object) -> FaceAnalyser:
        assert model == "ArcFace"
        return self.other

    def enrol(self, name: str, seed: int) -> UUID:
        photo = Photograph(photograph(seed), f"{name}.png")
        return self.enrolment.add(CALLER, "people", name, photo, create=True).face.id

    def found(self, seed: int, *, in_other: bool = False) -> str | None:
        """Whom a photograph names."""
        search = Search(PhotographProbe(photograph(seed)), in_other=in_other)
        matches = self.recognition.search(CALLER, ["people"], search, {}).faces[0].matches
        return matches[0].external_id if matches else None

    def gallery(self) -> Gallery:
        return self.galleries.read(CALLER, "people")

    def begin(self) -> Gallery:
        """With the replica ready for the other space."""
        gallery = self.reembedding.begin(CALLER, "people", OTHER, None)
        end = time.monotonic() + 10
        while not self._is_ready(gallery):
            assert time.monotonic() < end
            self.preparer.look()
            time.sleep(0.01)
        return gallery

    def _is_ready(self, gallery: Gallery) -> bool:
        """And not only unknown so far, which nobody waits for."""
        held = self.replica.held().get(gallery.id)
        if held is None or len(held.searchable) < 2:
            return False
        return self.reembedding.unready(CALLER, "people") == []

    def fill(self, *sources: Source) -> Filled:
        gallery = self.begin()
        filling = Filling(self.store, CALLER, gallery, self.other, LIMITS, sources, 2)
        filled = filling.run()
        with self.store.transaction(read_only=True) as tx:
            version = tx.find_gallery("people").version  # type: ignore[union-attr]
        assert self.replica.wait_for(gallery.id, version)
        return filled

    def missing(self) -> list[tuple[str, str | None]]:
        _, faces = self.reembedding.missing(CALLER, "people", None, 1000)
        return [(face.external_id, face.code) for face in faces]
