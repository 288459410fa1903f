"""Real people on labelled photographs, over HTTP, and the recipes of the documents."""

import csv
import json
import os
import re
import subprocess
import tarfile
from collections import defaultdict
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import photos
from tests.web.conftest import Site
from tests.web.v1.test_imports import ended

ROOT = Path(__file__).parents[2]


@pytest.fixture
def people() -> dict[str, list[Path]]:
    """Photographs by person."""
    folder = photos.faces_folder()
    found: dict[str, list[Path]] = defaultdict(list)
    with (folder / "identities.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            found[row["person"]].append(folder / "images" / Path(row["image"]).name)
    return found


def add(client: httpx.Client, face_id: str, photo: Path) -> None:
    files = {"file": (photo.name, photo.read_bytes())}
    answer = client.post("/add_face", data={"id": face_id}, files=files)
    assert answer.status_code == 200, f"{photo.name}: {answer.text}"


def test_every_labelled_pair_is_decided_rightly(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    folder = photos.faces_folder()
    with (folder / "pairs.csv").open(newline="") as rows:
        same = {
            frozenset((Path(row["image_a"]).name, Path(row["image_b"]).name)): row["same_person"]
            for row in csv.DictReader(rows)
        }
    for name in sorted({name for pair in same for name in pair}):
        add(client, name, folder / "images" / name)
    decided = sql.execute(
        "SELECT a.image_name, b.image_name, 1 - (x.vec <=> y.vec) >= g.threshold"
        " FROM face a JOIN face b ON a.image_name < b.image_name"
        " JOIN face_embedding x ON x.face_id = a.id JOIN face_embedding y ON y.face_id = b.id"
        " JOIN gallery g ON g.id = a.gallery_id"
    ).fetchall()
    right = [
        (same[frozenset((one, other))].lower() in {"1", "true", "yes"}) == matched
        for one, other, matched in decided
    ]
    assert len(right) == len(same) == 300
    assert sum(right) / len(right) >= 0.99


def test_people_are_found_by_their_other_photographs(
    client: httpx.Client, people: dict[str, list[Path]]
) -> None:
    for person, (first, *_) in people.items():
        add(client, person, first)
    for person, (_, *others) in people.items():
        for photo in others:
            files = {"file": photo.read_bytes()}
            answer = client.post("/match_face", files=files).json()
            assert answer.get("matched_id") == person, f"{photo.name}: {answer}"


def test_every_photograph_finds_its_person_among_all_others(
    client: httpx.Client, people: dict[str, list[Path]]
) -> None:
    """Each of the photographs as a probe, while it is itself the only one not enrolled: whoever
    has another photograph is found, and nobody else is."""
    everyone = {photo: person for person, photos_ in people.items() for photo in photos_}
    for photo in everyone:
        add(client, photo.name, photo)
    named = {photo.name: person for photo, person in everyone.items()}
    for photo, person in everyone.items():
        client.delete(f"/delete_face/{photo.name}")
        answer = client.post("/match_face", files={"file": photo.read_bytes()}).json()
        if len(people[person]) > 1:
            assert named.get(answer.get("matched_id")) == person, f"{photo.name}: {answer}"
        else:
            assert answer["match_found"] is False, f"{photo.name}: {answer}"
        add(client, photo.name, photo)


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


def curl_lines() -> list[str]:
    """Every curl command on the loopback address in the README and the API's page, in order."""
    lines = "".join(code_blocks("README.md", "sh") + code_blocks("docs/api.md", "sh"))
    plain = (line for line in lines.splitlines() if "$version" not in line)
    return [line for line in plain if line.startswith("curl ")]


def environment(client: httpx.Client) -> dict[str, str]:
    """As the README's first steps leave it."""
    return {**os.environ, "FACEMATCH_KEY": client.headers["X-API-Key"]}


def test_the_curl_recipes_work(
    client: httpx.Client, site: Site, sql: psycopg.Connection, tmp_path: Path
) -> None:
    lines = curl_lines()
    (tmp_path / "service").symlink_to(ROOT / "service")
    with tarfile.open(tmp_path / "people.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "service/cli/smoke.jpg", "grace/1.jpg")
    assert len(lines) >= 5
    variables = environment(client)
    for line in lines:
        client.delete("/delete_face/grace")
        if "add_face" not in line and "/subjects" not in line:
            add(client, "grace", ROOT / "service/cli/smoke.jpg")
        command = line.replace("http://127.0.0.1:8000", site.server.url)
        done = subprocess.run(
            ["sh", "-c", f"{command} --silent --fail-with-body"],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        if "/imports" in line:
            variables["JOB"] = json.loads(done.stdout)["id"]
            ended(client, f"/v1/jobs/{variables['JOB']}")  # it enrols her too
        sql.execute("UPDATE gallery SET gates = '{}'")  # one of them changes the default gallery's
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")
    sql.execute("DELETE FROM import_job")


def test_the_recipe_of_reading_your_writes_works(client: httpx.Client, site: Site) -> None:
    (block,) = (block for block in code_blocks("docs/api.md", "sh") if "version=$(" in block)
    script = block.replace("http://127.0.0.1:8000", site.server.url)
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=ROOT,
        env=environment(client),
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"matched_id":"ada"' in done.stdout, done.stdout + done.stderr
    client.delete("/delete_face/ada")


def test_the_python_recipes_work(
    client: httpx.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FACEMATCH_KEY", client.headers["X-API-Key"])
    enrol, erase, plain, delete = code_blocks("docs/api.md", "python")
    names: dict[str, object] = {"client": client, "face_id": "grace"}
    for made, gone in ((enrol, erase), (plain, delete)):
        exec(made.replace("http://127.0.0.1:8000", site.server.url), names)
        assert client.get("/list_faces").json()["faces"][0]["id"] == "grace"
        names["client"] = client
        exec(gone, names)
        assert client.get("/list_faces").json()["total_faces"] == 0


def test_the_sql_of_the_operators_guide_works(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    add(client, "grace", ROOT / "service/cli/smoke.jpg")
    blocks = code_blocks("docs/operations.md", "sql")
    last = [block for block in blocks if block.startswith("DELETE FROM subject")]
    assert len(last) == 1
    for block in blocks:
        if block not in last:
            sql.execute(block.encode())
    (report,) = [block for block in blocks if block.startswith("SELECT g.name AS gallery, s.")]
    (row,) = sql.execute(report.encode()).fetchall()
    assert row[:2] == ("dlib", "grace")
    assert client.get("/stats").json()["threshold"] == 0.93
    sql.execute(last[0].encode())
    assert client.get("/list_faces").json()["total_faces"] == 0
