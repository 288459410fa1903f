"""Two services, one on a machine without the weights of the model that a gallery moves to."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.vision import find_model
from tests import photos
from tests.servers import Server, facematch, running
from tests.vision.onnx_graphs import write_graph

MODEL = "SFace"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Machine:
    server: Server
    environment: dict[str, str]

    @property
    def replica(self) -> str:
        return f"{socket.gethostname()}:{self.server.process.pid}"

    def run(self, *arguments: str) -> tuple[int, str]:
        done = facematch(*arguments, environment=self.environment)
        return done.returncode, done.stdout + done.stderr


@dataclass(frozen=True)
class Site:
    """`able` has the weights, which lie in `weights` too; the gallery has its second space."""

    able: Machine
    bare: Machine
    weights: Path

    def named(self, machine: Machine) -> object:
        """Whom a machine's service names, or the code of its refusal."""
        with self.able.server.client() as client:
            answer = client.post(
                f"{machine.server.url}/v1/galleries/dlib/search",
                files={"file": photos.grace_bytes()},
            )
        if answer.status_code != 200:
            return answer.json()["code"]
        return [match["subject"] for match in answer.json()["faces"][0]["matches"]]


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    spec = find_model(MODEL)
    weights = tmp_path / "sface.onnx"
    write_graph(weights, input_size=spec.input_size, dimension=spec.dimension, channels_last=False)
    homes = [tmp_path / name for name in ("able", "bare")]
    of_able = homes[0] / ".deepface" / "weights" / spec.weights[0].name
    of_able.parent.mkdir(parents=True)
    shutil.copy(weights, of_able)
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "grace.jpg").write_bytes(photos.grace_bytes())
    able, bare = ({"DATABASE_URL": database_url, "FACEMATCH_HOME": str(home)} for home in homes)
    with (
        running(tmp_path / "able.log", environment=able) as first,
        running(tmp_path / "bare.log", environment=bare) as second,
    ):
        found = Site(Machine(first, able), Machine(second, bare), weights)
        added = first.post("/add_face", data={"id": "grace"}, files={"file": photos.grace_bytes()})
        assert added.status_code == 200, added.text
        arguments = ("--model", MODEL, "--originals", str(tmp_path / "originals"))
        code, said = found.able.run("gallery", "reembed", "dlib", *arguments)
        assert code == 0, said
        # the one that has the weights gets ready by itself
        until(lambda: found.able.replica not in found.able.run("gallery", "missing", "dlib")[1])
        yield found


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_switch_is_refused_until_the_weights_are_on_every_machine(site: Site) -> None:
    code, said = site.able.run("gallery", "switch", "dlib")
    assert (code, "[replicas_not_ready]" in said) == (6, True), said
    assert (
        f"yet: {site.bare.replica}. Nothing was changed. Run `facematch models pull SFace`" in said
    )
    code, told = site.able.run("doctor")
    wanted = f"FAIL replicas of gallery 'dlib': {site.bare.replica} cannot search its other space"
    assert (code, wanted in told) == (1, True), told
    assert site.named(site.able) == site.named(site.bare) == ["grace"]
    code, said = site.bare.run("models", "add", MODEL, str(site.weights))
    assert code == 0, said
    until(lambda: site.able.run("gallery", "switch", "dlib")[0] == 0)
    assert site.named(site.able) == site.named(site.bare) == ["grace"]
    told = site.able.run("doctor")[1]
    assert "ok   replicas of gallery 'dlib': every live one can search its other space" in told


def test_whoever_wants_it_all_the_same_may_and_the_way_back_is_open(site: Site) -> None:
    code, said = site.able.run("gallery", "switch", "dlib", "--even-if-unready")
    assert code == 0, said
    assert site.named(site.able) == ["grace"]
    assert site.named(site.bare) == "model_unavailable"
    code, said = site.able.run("gallery", "switch", "dlib", "--back")
    assert code == 0, said
    assert site.named(site.bare) == ["grace"]
