"""A database that loses commits while a request is on its way must not make the answer false."""

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import uvicorn

from service.audit import Recorder
from service.consents import Consents
from service.detection import Detection
from service.domain.galleries import GalleryVersion
from service.domain.quality import QualityRules
from service.enrolment import Enrolment
from service.erasures import Erasures
from service.faces import Faces
from service.galleries import Galleries, GalleryDefaults, open_gallery
from service.images import ImageLimits
from service.jobs.imports import Imports
from service.jobs.uploads import ImportLimits
from service.key_file import KeyFile
from service.keys import Keys
from service.probes import Probes
from service.recognition import Recognition
from service.store import open_store
from service.subjects import Subjects
from service.sync import Replica
from service.verification import Verification
from service.vision import load_analyser
from service.vision.loaded import LoadedAnalysers
from service.vision.models import KnownModels
from service.vision.pool import SlotPool
from service.web import create_app
from service.web.problems import VERSION_HEADER
from service.wiring import Access, Services
from tests.fakes.analyser import SPACE, FakeAnalyser, photograph
from tests.servers import free_port


class FailingOver(Replica):
    """Between the wait for a version and the answer, another server takes over without it."""

    database_url: str
    armed = False

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        if self.armed:
            with psycopg.connect(self.database_url) as connection:
                connection.execute("UPDATE gallery SET mark = gen_random_uuid()")
                connection.execute("DELETE FROM gallery_change")
        return super().wait_for(gallery_id, version)


@pytest.fixture
def replica(database_url: str) -> Iterator[FailingOver]:
    store = open_store(database_url, pool_size=3, timeout_s=5)
    open_gallery(store, GalleryDefaults("dlib", None, None), SPACE)
    replica = FailingOver(store.feed(), poll_s=1, stale_s=15, wait_s=5)
    replica.database_url = database_url
    replica.start()
    yield replica
    replica.close()
    store.close()


@pytest.fixture
def client(replica: FailingOver, tmp_path: Path) -> Iterator[httpx.Client]:
    store = open_store(replica.database_url, pool_size=3, timeout_s=5)
    analyser, limits = FakeAnalyser(), ImageLimits(10_000_000, 40_000_000)
    analysers = LoadedAnalysers(analyser, load_analyser, SlotPool(lambda: None, 1, 10))
    galleries = Galleries(store, replica, analysers, 10)
    probes = Probes(analysers, limits, QualityRules())
    services = Services(
        gallery_name="dlib",
        limits=limits,
        analysers=analysers,
        replica=replica,
        galleries=galleries,
        enrolment=Enrolment(galleries, analysers, limits, QualityRules()),
        recognition=Recognition(store, replica, probes, Recorder(store)),
        verification=Verification(store, probes, Recorder(store)),
        detection=Detection(analysers, limits, QualityRules(), store),
        models=KnownModels(tmp_path, "auto"),
        subjects=Subjects(galleries),
        faces=Faces(galleries),
        consents=Consents(galleries),
        keys=Keys(store, KeyFile.of(tmp_path)),
        access=Access(anonymous=True),
        imports=Imports(store, limits, ImportLimits(1_000_000, 100, tmp_path), 60),
        erasures=Erasures(store),
        workers=2,
        patience_s=10.0,
        started=time.monotonic(),
    )
    config = uvicorn.Config(create_app(services), port=free_port(), log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{config.port}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()
    store.close()


REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "match": ("POST", "/match_face", {"files": {"file": photograph(1)}}),
    "search": ("POST", "/v1/galleries/dlib/search", {"files": {"file": photograph(1)}}),
    "verify": (
        "POST",
        "/v1/galleries/dlib/verify",
        {"data": {"subject": "grace"}, "files": {"file": photograph(1)}},
    ),
    "list": ("GET", "/list_faces", {}),
    "stats": ("GET", "/stats", {}),
    "delete": ("DELETE", "/delete_face/grace", {}),
    "add": ("POST", "/add_face", {"data": {"id": "ada"}, "files": {"file": photograph(2)}}),
}


@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_version_lost_while_it_was_waited_for_is_said_to_be_lost(
    request_name: str, client: httpx.Client, replica: FailingOver
) -> None:
    method, path, content = REQUESTS[request_name]
    grace = client.post("/add_face", data={"id": "grace"}, files={"file": photograph(1)})
    version = grace.headers[VERSION_HEADER]
    replica.armed = True
    answer = client.request(method, path, headers={"X-Min-Gallery-Version": version}, **content)
    replica.armed = False
    assert (answer.status_code, answer.json()["code"]) == (409, "version_lost")
    assert [face["id"] for face in client.get("/list_faces").json()["faces"]] == ["grace"]


def test_a_lost_version_of_one_of_several_galleries_is_said_to_be_lost(
    client: httpx.Client, replica: FailingOver
) -> None:
    grace = client.post("/add_face", data={"id": "grace"}, files={"file": photograph(1)})
    versions = {"dlib": grace.headers[VERSION_HEADER]}
    image = base64.b64encode(photograph(1)).decode()
    body = {"image": image, "galleries": ["dlib"], "min_versions": versions}
    assert client.post("/v1/search", json=body).status_code == 200
    replica.armed = True
    answer = client.post("/v1/search", json=body)
    replica.armed = False
    assert (answer.status_code, answer.json()["code"]) == (409, "version_lost")
