"""`facematch gallery export` and `import`, run as operators do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.domain.galleries import GallerySettings
from service.store import open_store
from tests.servers import facematch
from tests.store.values import SPACE, enrol


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    store.close()
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}


def names(environment: dict[str, str], gallery: str) -> list[Any]:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        return connection.execute(
            "SELECT s.external_id, encode(vector_send(e.vec), 'hex') FROM subject s"
            " JOIN gallery g ON g.id = s.gallery_id JOIN face f ON f.subject_id = s.id"
            " JOIN face_embedding e ON e.face_id = f.id WHERE g.name = %s ORDER BY 1",
            (gallery,),
        ).fetchall()


def test_a_gallery_goes_through_a_packed_file_into_another_one(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "people.ndjson.gz"
    done = facematch("gallery", "export", "people", str(file), environment=environment)
    assert (done.returncode, done.stdout) == (
        0,
        "gallery 'people': 2 faces of 2 subjects exported\n",
    )
    taken = facematch("gallery", "import", str(file), environment=environment)
    assert taken.returncode == 6
    assert "[gallery_exists]" in taken.stderr
    done = facematch("gallery", "import", str(file), "--as", "copy", environment=environment)
    assert (done.returncode, done.stdout) == (0, "gallery 'copy': 2 faces of 2 subjects imported\n")
    assert names(environment, "copy") == names(environment, "people") != []
    again = facematch("gallery", "export", "people", str(file), environment=environment)
    assert again.returncode == 5
    assert "is there already" in again.stderr


def test_a_gallery_goes_through_a_pipe(environment: dict[str, str]) -> None:
    exported = facematch("gallery", "export", "people", "-", environment=environment)
    kinds = [json.loads(line)["kind"] for line in exported.stdout.splitlines()]
    assert kinds == ["header", "subject", "face", "subject", "face", "end"]
    assert "exported" in exported.stderr
    done = subprocess.run(
        [sys.executable, "-m", "service", "gallery", "import", "-", "--as", "copy"],
        input=exported.stdout,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert names(environment, "copy") == names(environment, "people")


def test_a_gallery_that_is_not_there_leaves_no_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = facematch(
        "gallery", "export", "nobody", str(tmp_path / "export"), environment=environment
    )
    assert done.returncode == 6
    assert "There is no gallery 'nobody'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_packed_file_is_told_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "people.ndjson.gz"
    facematch("gallery", "export", "people", str(file), environment=environment)
    for content in (file.read_bytes()[:-20], file.read_bytes()[:-4] + b"\0\0\0\0"):
        file.write_bytes(content)
        done = facematch("gallery", "import", str(file), "--as", "copy", environment=environment)
        assert done.returncode == 5
        assert "damaged or cut off" in done.stderr
    assert names(environment, "copy") == []
