"""From one alignment to another on a running service, with the real model and real photographs."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.photograph_keys import PhotographKey
from tests import photos
from tests.databases import copy_of
from tests.servers import Server, facematch, running

PEOPLE: dict[str, Callable[[], bytes]] = {
    "grace": photos.grace_bytes,
    "eileen": photos.astronaut_bytes,
}


@dataclass(frozen=True)
class Site:
    server: Server
    environment: dict[str, str]
    originals: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        """A `gallery` command's exit code, and what it printed."""
        done = facematch("gallery", *arguments, environment=self.environment)
        return done.returncode, done.stdout + done.stderr

    def switch(self, gallery: str, *options: str) -> tuple[int, str]:
        """As soon as the replica has loaded what it needs for that."""
        end = time.monotonic() + 60
        while "replicas_not_ready" in (done := self.run("switch", gallery, *options))[1]:
            assert time.monotonic() < end
        return done

    def named(self, gallery: str, photograph: bytes, **fields: str) -> list[str]:
        answer = self.server.post(
            f"/v1/galleries/{gallery}/search", files={"file": photograph}, data=fields
        )
        assert answer.status_code == 200, answer.text
        return [match["subject"] for match in answer.json()["faces"][0]["matches"]]

    def gallery(self, name: str) -> dict[str, object]:
        answer: dict[str, object] = self.server.get(f"/v1/galleries/{name}").json()
        return answer


@pytest.fixture(scope="module")
def site(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = Path(tmp_path_factory.mktemp("reembed"))
    originals = folder / "originals"
    originals.mkdir()
    for name, photograph in PEOPLE.items():
        (originals / f"once {name}.jpg").write_bytes(photograph())
    with copy_of(server_url, template) as url:
        environment = {
            "DATABASE_URL": url,
            "FACEMATCH_HOME": str(folder / "home"),
            "PHOTOGRAPH_KEYS": PhotographKey.new().text,
        }
        with running(folder / "log", environment=environment) as server:
            yield Site(server, environment, originals)


def enrol(client: httpx.Client, gallery: str) -> None:
    for name, photograph in PEOPLE.items():
        made = client.post(f"/v1/galleries/{gallery}/subjects", json={"id": name})
        assert made.status_code == 201, made.text
        added = client.post(
            f"/v1/galleries/{gallery}/subjects/{name}/faces", files={"file": photograph()}
        )
        assert added.status_code == 201, added.text


def create(client: httpx.Client, name: str, **settings: str) -> None:
    made = client.post("/v1/galleries", json={"name": name, "model": "Dlib", **settings})
    assert made.status_code == 201, made.text


def test_the_default_gallery_moves_to_another_alignment_and_back_on_a_running_service(
    site: Site, tmp_path: Path
) -> None:
    report = tmp_path / "differences.json"
    with site.server.client() as client:
        enrol(client, "dlib")
    code, said = site.run(
        "reembed", "dlib", "--alignment", "deepface", "--originals", str(site.originals)
    )
    assert (code, said) == (0, "gallery 'dlib': 2 faces were embedded in its other space\n")
    other = site.gallery("dlib")["other_space"]
    assert isinstance(other, dict)
    assert (other["space"]["alignment"], other["switched_at"]) == ("deepface", None)
    for name, photograph in PEOPLE.items():
        assert site.named("dlib", photograph()) == [name]
        assert site.named("dlib", photograph(), other_space="true") == [name]
    assert site.run("missing", "dlib")[0] == 0
    told = facematch("doctor", environment=site.environment).stdout
    assert "0 are missing in its other space (Dlib, detector dlib, alignment deepface)" in told
    code, said = site.run("compare", "dlib", "--json", str(report))
    assert code == 0, said
    assert "2 faces are embedded in both spaces" in said
    assert json.loads(report.read_text())["answers"]["nobody"]["nobody"] == 2
    code, said = site.switch("dlib")
    assert code == 0, said
    assert "answers from Dlib, detector dlib, alignment deepface" in said
    assert site.named("dlib", PEOPLE["grace"]()) == ["grace"]
    assert site.gallery("dlib")["space"] == other["space"]
    # in the middle of a move a service starts with either space
    with running(tmp_path / "log", environment=site.environment) as second:
        answer = second.post("/match_face", files={"file": PEOPLE["grace"]()})
        assert answer.json()["matched_id"] == "grace", answer.text
    assert "alignment native" in site.switch("dlib", "--back")[1]
    assert site.named("dlib", PEOPLE["grace"]()) == ["grace"]
    code, said = site.run("discard", "dlib")
    assert (code, said) == (
        0,
        "gallery 'dlib' has one space; 2 embeddings of the other were deleted\n",
    )
    assert site.gallery("dlib")["other_space"] is None


@pytest.mark.parametrize("kind", ["originals", "chips"])
def test_kept_photographs_are_enough(site: Site, kind: str) -> None:
    with site.server.client() as client:
        create(client, kind, keep_photographs=kind)
        enrol(client, kind)
    code, said = site.run("reembed", kind, "--alignment", "deepface")
    assert (code, said) == (0, f"gallery '{kind}': 2 faces were embedded in its other space\n")
    assert site.switch(kind)[0] == 0
    for name, photograph in PEOPLE.items():
        assert site.named(kind, photograph()) == [name]


def test_what_has_no_photograph_is_listed_and_left_behind_only_when_that_is_said(
    site: Site,
) -> None:
    with site.server.client() as client:
        create(client, "visitors")
        enrol(client, "visitors")
    (site.originals / "once eileen.jpg").rename(site.originals.parent / "eileen.jpg")
    try:
        code, said = site.run(
            "reembed", "visitors", "--alignment", "deepface", "--originals", str(site.originals)
        )
    finally:
        (site.originals.parent / "eileen.jpg").rename(site.originals / "once eileen.jpg")
    assert code == 1
    assert "1 could not be: no_photograph" in said
    code, said = site.run("missing", "visitors")
    assert code == 1
    assert said.split("\t")[0] == "eileen"
    assert said.split("\t")[3] == "no_photograph"
    code, said = site.switch("visitors")
    assert code == 6
    assert "--leave-behind 1. [faces_missing]" in said
    assert site.switch("visitors", "--leave-behind", "1")[0] == 0
    assert site.named("visitors", PEOPLE["eileen"]()) == []
    assert site.named("visitors", PEOPLE["grace"]()) == ["grace"]
    assert site.run("discard", "visitors")[0] == 6


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("reembed", "dlib", "--model", "Nobody"), 5, "unknown_model"),
        (("compare", "plain"), 6, "no_other_space"),
        (("reembed", "plain"), 6, "in that space already"),
        (
            ("reembed", "plain", "--alignment", "deepface", "--originals", "nowhere"),
            5,
            "nowhere is not a folder",
        ),
    ],
)
def test_what_cannot_be_is_said(
    site: Site, arguments: tuple[str, ...], code: int, said: str
) -> None:
    with site.server.client() as client:
        client.post("/v1/galleries", json={"name": "plain", "model": "Dlib"})
    found, text = site.run(*arguments)
    assert (found, said in text) == (code, True), text


def test_a_search_of_a_second_space_that_is_not_there_is_refused(site: Site) -> None:
    with site.server.client() as client:
        client.post("/v1/galleries", json={"name": "plain", "model": "Dlib"})
    answer = site.server.post(
        "/v1/galleries/plain/search",
        files={"file": PEOPLE["grace"]()},
        data={"other_space": "true"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "no_other_space")


def test_without_the_key_of_what_is_kept_nothing_is_tried(site: Site) -> None:
    with site.server.client() as client:
        create(client, "sealed", keep_photographs="originals")
        enrol(client, "sealed")
    keyless = {**site.environment, "PHOTOGRAPH_KEYS": PhotographKey.new().text}
    arguments = ("gallery", "reembed", "sealed", "--alignment", "deepface")
    done = facematch(*arguments, environment=keyless)
    assert (done.returncode, "photograph_key_missing" in done.stderr) == (6, True), done.stderr
    assert "\tphotograph_key_missing" not in site.run("missing", "sealed")[1]
