"""`facematch photographs`, and what else operators type of kept photographs, run as they do."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from service.photograph_keys import NAME, PhotographKey, PhotographKeys
from service.store import open_store
from tests import photos
from tests.jobs.values import tar_of
from tests.servers import facematch, running
from tests.store.photographs import KEYS, all_kept
from tests.web.v1.test_imports import ended

FILES = {"grace": photos.grace_bytes(), "eileen": photos.astronaut_bytes()}
KEY = {"PHOTOGRAPH_KEYS": KEYS.sealing.text}
COUNT = "SELECT count(*) FROM kept_photograph"


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people").mkdir()
    for name, photograph in FILES.items():
        (tmp_path / "people" / f"{name}.jpg").write_bytes(photograph)
    return tmp_path / "people"


def done(environment: dict[str, str], *arguments: str, code: int = 0) -> str:
    result = facematch(*arguments, environment=environment)
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def run(environment: dict[str, str], statement: str) -> None:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute(statement.encode())


def one(environment: dict[str, str], statement: str) -> Any:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def enrolled(environment: dict[str, str], folder: Path) -> None:
    """The folder's people in a gallery `dlib` that keeps originals, sealed with KEYS."""
    done(environment, "enroll", str(folder))
    done(environment | KEY, "photographs", "keep", "dlib", "originals")
    run(environment, "DELETE FROM subject")
    done(environment | KEY, "enroll", str(folder))


def opened(environment: dict[str, str], keys: PhotographKeys, name: str = "dlib") -> list[bytes]:
    store = open_store(environment["DATABASE_URL"], pool_size=1, timeout_s=5)
    try:
        with store.transaction(read_only=True) as tx:
            gallery = tx.find_gallery(name)
            assert gallery is not None
            kept = all_kept(tx, gallery)
    finally:
        store.close()
    return sorted(keys.open(each).content for each in kept)


@pytest.mark.timeout(300)  # some ten processes, of which two load the model
def test_from_the_first_key_to_the_end_of_what_was_kept(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "home" / NAME
    first = folder / "grace.jpg"
    second = first.rename(tmp_path / "grace.jpg")
    done(environment, "enroll", str(folder))
    said = done(environment, "photographs", "keep", "dlib", "originals", code=6)
    assert "[photograph_key_missing]" in said
    assert "seals from the next start on" in done(environment, "photographs", "new-key")
    said = done(environment, "photographs", "keep", "dlib", "originals")
    assert said == "gallery 'dlib' keeps originals: 0 photographs of 1 faces\n"
    second.rename(first)
    done(environment, "enroll", str(folder))
    old = PhotographKeys.read(None, file.parent)
    assert opened(environment, old) == [FILES["grace"]]
    status = done(environment, "photographs", "status", "dlib")
    assert status == (
        "gallery 'dlib' keeps originals: 1 photographs of 2 faces\n"
        f"  1 under key {old.sealing.id}\n"
    )

    done(environment, "photographs", "new-key")
    new = PhotographKeys.read(None, file.parent)
    said = done(environment, "photographs", "rotate")
    assert said == f"1 photographs were sealed anew with the key {new.sealing.id}\n"
    file.write_text(new.sealing.text + "\n")
    alone = PhotographKeys.read(None, file.parent)
    assert opened(environment, alone) == [FILES["grace"]]
    done(environment, "photographs", "new-key")
    run(
        environment,
        "UPDATE kept_photograph SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
    )
    said = done(environment, "photographs", "rotate", code=1)
    assert "0 photographs were sealed anew" in said
    assert "cannot be opened; replace the face's photograph" in said
    assert "run it again" not in said
    said = done(environment, "doctor")
    assert "ok   photographs of gallery 'dlib': 1 are kept, and their keys are here" in said
    file.write_text(old.sealing.text + "\n")
    status = done(environment, "photographs", "status", "dlib", code=1)
    assert "(this key is not here)" in status
    said = done(environment, "doctor", code=1)
    assert "FAIL photographs of gallery 'dlib': 1 are sealed under a key that is not here" in said
    assert new.sealing.id in said
    assert "[photograph_key_missing]" in done(environment, "photographs", "rotate", code=6)

    said = done(environment, "photographs", "keep", "dlib", "none")
    assert said == "gallery 'dlib' keeps none: 0 photographs of 2 faces\n"
    assert one(environment, COUNT) == 0
    for secret in (old.sealing, new.sealing):
        assert secret.text not in said


@pytest.mark.timeout(300)  # four starts of the service
def test_a_service_without_the_key_does_nothing_by_halves(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """It started before the gallery kept anything; then it does not start at all."""
    at = "/v1/galleries/dlib"
    photograph = {"file": FILES["grace"]}

    def refused(answer: httpx.Response) -> None:
        told = (answer.status_code, answer.json()["code"], answer.headers.get("retry-after"))
        assert told == (409, "photograph_key_missing", None), answer.text

    with running(tmp_path / "log", environment=environment) as server, server.client() as client:
        refused(client.patch(at, json={"keep_photographs": "chips"}))
        body = {"name": "staff", "keep_photographs": "chips"}
        refused(client.post("/v1/galleries", json=body))
        assert client.get("/v1/galleries/staff").status_code == 404
        # as a replica that has the key would do
        said = done(environment | KEY, "photographs", "keep", "dlib", "originals")
        assert "keeps originals" in said
        refused(client.post("/add_face", data={"id": "grace"}, files=photograph))
        path = f"{at}/subjects/grace/faces?create=true"
        refused(client.post(path, files=photograph))
        assert one(environment, "SELECT count(*) FROM subject") == 0
        answer = client.patch(at, json={"threshold": 0.9})
        assert answer.status_code == 200, answer.text
        assert client.post(f"{at}/search", files=photograph).status_code == 200
        job = client.post(f"{at}/imports", content=tar_of({"grace.jpg": FILES["grace"]}))
        assert job.status_code == 202, job.text
        assert client.get(job.headers["location"]).json()["rejected"] == 0

    for command in (["serve"], ["worker"], ["enroll", str(tmp_path)]):
        said = done(environment, *command, code=5)
        assert "'dlib' keeps photographs, and there is no key" in said
    said = done(environment, "doctor", code=1)
    assert "FAIL photographs of gallery 'dlib': there is no key to seal them with" in said

    # it is looked at again after a minute
    run(environment, "UPDATE procrastinate_jobs SET scheduled_at = now()")
    with (
        running(tmp_path / "log", environment=environment | KEY) as server,
        server.client() as client,
    ):
        assert ended(client, job.headers["location"])["enrolled"] == 1
    assert opened(environment, KEYS) == [FILES["grace"]]


def exported(environment: dict[str, str], file: Path, *more: str) -> list[dict[str, Any]]:
    done(environment, "gallery", "export", "dlib", str(file), *more)
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.timeout(300)  # some ten processes, of which one loads the model
def test_photographs_go_through_an_export_only_where_they_are_asked_for(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    enrolled(environment, folder)
    bare = exported(environment | KEY, tmp_path / "bare")
    assert [line.get("photograph") for line in bare if line["kind"] == "face"] == [None, None]
    full = exported(environment | KEY, tmp_path / "full", "--photographs")
    sent = [base64.b64decode(line["photograph"]) for line in full if line["kind"] == "face"]
    assert sorted(sent) == sorted(FILES.values())
    assert (tmp_path / "full").stat().st_mode & 0o777 == 0o600
    said = done(environment, "gallery", "export", "dlib", str(tmp_path / "no"), "--photographs",
                code=6)  # fmt: skip
    assert "[photograph_key_missing]" in said
    assert not (tmp_path / "no").exists()

    new = PhotographKeys((PhotographKey.new(),))
    other = environment | {"PHOTOGRAPH_KEYS": new.sealing.text}
    said = done(environment, "gallery", "import", str(tmp_path / "full"), "--as", "copy", code=6)
    assert "[photograph_key_missing]" in said
    assert one(environment, "SELECT count(*) FROM gallery") == 1
    said = done(other, "gallery", "import", str(tmp_path / "full"), "--as", "copy")
    assert "2 faces of 2 subjects with 2 photographs imported" in said
    assert opened(environment, new, "copy") == sorted(FILES.values())
    said = done(other, "gallery", "import", str(tmp_path / "bare"), "--as", "without")
    assert "2 faces came without a photograph" in said
    assert opened(environment, new, "without") == []
