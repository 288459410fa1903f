"""The commands, run as users run them, on a real database."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from tests import photos
from tests.servers import facematch, running


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}


def query(environment: dict[str, str], statement: str) -> list[Any]:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        return connection.execute(statement).fetchall()


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from service.cli import app\n"
        "from typer.testing import CliRunner\n"
        "out = CliRunner().invoke(app, ['--help']).output\n"
        "assert 'serve' in out and 'import-json' in out, out\n"
        "heavy = {'numpy', 'cv2', 'dlib', 'faiss', 'sqlalchemy', 'psycopg', 'fastapi', 'PIL',"
        " 'deepface', 'tensorflow', 'onnxruntime', 'pydantic', 'httpx', 'alembic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_db_commands(empty_database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": empty_database_url, "FACEMATCH_HOME": str(tmp_path)}
    assert "database: empty" in facematch("db", "current", environment=environment).stdout
    assert facematch("db", "check", environment=environment).returncode == 5
    assert "upgraded" in facematch("db", "upgrade", environment=environment).stdout
    assert "already at" in facematch("db", "upgrade", environment=environment).stdout
    checked = facematch("db", "check", environment=environment)
    assert checked.returncode == 0, checked.stderr
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("ALTER TABLE subject DROP COLUMN expires_at CASCADE")
    drifted = facematch("db", "check", environment=environment)
    assert drifted.returncode == 1
    assert "expires_at" in drifted.stderr


def test_models_list_names_every_model_and_what_is_missing(tmp_path: Path) -> None:
    done = facematch("models", "list", environment={"FACEMATCH_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    names = "Dlib ArcFace Facenet Facenet512 VGG-Face OpenFace SFace DeepID GhostFaceNet Buffalo_L"
    for name in names.split():
        assert f"\n{name}: " in f"\n{done.stdout}"
    assert "missing: " + str(tmp_path / ".deepface/weights/arcface_weights.h5") in done.stdout


def folder_of_faces(tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "grace hopper.jpg").write_bytes(photos.grace_bytes())
    (folder / "eileen.png").write_bytes(photos.encoded(photos.astronaut(), "PNG"))
    (folder / "coffee.jpg").write_bytes(photos.encoded(photos.landscape()))
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden").write_text("passed over")
    dark = photos.grace().point(lambda value: value * 0.1)
    (folder / "night.png").write_bytes(photos.encoded(dark, "PNG"))
    return folder


def test_enroll_takes_a_folder_and_lists_what_it_rejects(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = folder_of_faces(tmp_path)
    done = facematch("enroll", str(folder), environment=environment)
    assert done.returncode == 1
    assert "2 enrolled, 0 skipped, 3 rejected" in done.stdout
    assert "night.png: The face cannot be seen well enough" in done.stderr
    assert "(too_dark)" in done.stderr
    assert "coffee.jpg: Face detection failed" in done.stderr
    assert "notes.txt: The file is not a JPEG" in done.stderr
    names = query(environment, "SELECT external_id FROM subject ORDER BY 1")
    assert names == [("eileen",), ("grace hopper",)]

    again = facematch("enroll", str(folder), environment=environment)
    assert "0 enrolled, 2 skipped, 3 rejected" in again.stdout
    assert query(environment, "SELECT count(*) FROM face") == [(2,)]

    lenient = {**environment, "ENROL_MIN_BRIGHTNESS": "0", "ENROL_MIN_CONTRAST": "0"}
    done = facematch("enroll", str(folder), environment=lenient)
    assert "1 enrolled, 2 skipped, 2 rejected" in done.stdout


def test_enroll_by_folder_gives_a_person_several_faces(
    environment: dict[str, str], tmp_path: Path
) -> None:
    person = tmp_path / "people" / "grace"
    person.mkdir(parents=True)
    for quality in (95, 80, 60):
        (person / f"{quality}.jpg").write_bytes(photos.encoded(photos.grace(), quality=quality))
    done = facematch("enroll", "--by-folder", str(person.parent), environment=environment)
    assert done.returncode == 0, done.stderr
    assert "3 enrolled, 0 skipped, 0 rejected" in done.stdout
    rows = query(
        environment,
        "SELECT s.external_id, count(*) FROM subject s JOIN face f ON f.subject_id = s.id"
        " GROUP BY 1",
    )
    assert rows == [("grace", 3)]
    again = facematch("enroll", "--by-folder", str(person.parent), environment=environment)
    assert "0 enrolled, 3 skipped, 0 rejected" in again.stdout


def test_enroll_names_what_it_passes_over(environment: dict[str, str], tmp_path: Path) -> None:
    people = tmp_path / "people"
    (people / "grace" / "deeper").mkdir(parents=True)
    (people / "grace" / "1.jpg").write_bytes(photos.grace_bytes())
    (people / "loose.jpg").write_bytes(photos.astronaut_bytes())
    done = facematch("enroll", "--by-folder", str(people), environment=environment)
    assert done.returncode == 0, done.stderr
    assert "1 enrolled, 0 skipped, 0 rejected" in done.stdout
    assert f"passed over: {people / 'loose.jpg'}: it is in no folder of a person" in done.stderr
    assert f"passed over: {people / 'grace' / 'deeper'}" in done.stderr
    done = facematch("enroll", str(people), environment=environment)
    assert "1 enrolled, 0 skipped, 0 rejected" in done.stdout
    assert f"passed over: {people / 'grace'}: a folder; see --by-folder" in done.stderr


@pytest.mark.parametrize("folder", ["missing", "."])
def test_enroll_refuses_a_folder_without_files(
    folder: str, environment: dict[str, str], tmp_path: Path
) -> None:
    done = facematch("enroll", str(tmp_path / folder), environment=environment)
    assert done.returncode == 5
    assert "[invalid_input_file]" in done.stderr


def old_database(path: Path, faces: list[dict[str, Any]]) -> Path:
    text = json.dumps({"face_ids": [str(face.get("id")) for face in faces], "face_db": faces})
    path.write_text(text)
    return path


def old_face(name: str, vector: Any, model: str = "ArcFace") -> dict[str, Any]:
    metadata = {
        "added_time": "2022-05-06T07:08:09.123456",
        "image_name": f"{name}.jpg",
        "model": model,
    }
    return {"id": name, "embedding": vector, "metadata": metadata}


def vectors(count: int) -> list[list[float]]:
    """Raw vectors as DeepFace gave them out: not of unit length."""
    rows: list[list[float]] = np.random.default_rng(1).normal(size=(count, 512)).tolist()
    return rows


def test_import_json_takes_the_good_and_names_the_bad(
    environment: dict[str, str], tmp_path: Path
) -> None:
    good = vectors(450)
    faces = [old_face(f"person {number}", vector) for number, vector in enumerate(good)]
    faces += [
        old_face("short", good[0][:511]),
        old_face("not a number", [math.nan] * 512),
        old_face("zeros", [0.0] * 512),
        old_face("words", ["x"] * 512),
        old_face("other model", good[0], model="Facenet"),
        old_face("a\x00b", good[0]),
        old_face("person 3", good[4]),
        {"embedding": good[0]},
    ]
    path = old_database(tmp_path / "arcface_database.json", faces)
    done = facematch("import-json", str(path), "--detector", "opencv", environment=environment)
    assert done.returncode == 1, done.stderr
    assert "450 enrolled, 0 skipped, 8 rejected" in done.stdout
    for words in (
        "short: the embedding has 511 values, the gallery's space has 512",
        "not a number: the embedding contains NaN",
        "zeros: the embedding is all zeros",
        "words: the embedding is not a list of numbers",
        "other model: the vector was made by Facenet",
        "person 3: A face with ID 'person 3' is already enrolled",
        "item 458: id: must be a text",
    ):
        assert f"rejected: {words}" in done.stderr
    assert query(
        environment,
        "SELECT g.name, p.model, p.dimension, p.detector, p.alignment, p.weights_sha256,"
        " count(*) FROM gallery g JOIN embedding_space p ON p.id = g.space_id"
        " JOIN face f ON f.gallery_id = g.id GROUP BY 1, 2, 3, 4, 5, 6",
    ) == [("arcface", "ArcFace", 512, "opencv", "deepface", None, 450)]
    assert query(
        environment,
        "SELECT f.image_name, f.created_by, f.created_at AT TIME ZONE 'UTC' = timestamp"
        " '2022-05-06 07:08:09.123456' FROM face f JOIN subject s ON s.id = f.subject_id"
        " WHERE s.external_id = 'person 7'",
    ) == [("person 7.jpg", "facematch import-json", True)]
    # bulk work commits many faces as one version
    assert query(environment, "SELECT version FROM gallery")[0][0] <= 10

    again = facematch("import-json", str(path), "--detector", "opencv", environment=environment)
    assert "0 enrolled, 450 skipped, 8 rejected" in again.stdout
    assert query(environment, "SELECT count(*) FROM face_embedding") == [(450,)]


def test_import_json_reads_its_file_from_the_environment(
    environment: dict[str, str], tmp_path: Path
) -> None:
    path = old_database(tmp_path / "old.json", [old_face("a", vectors(1)[0])])
    environment = {**environment, "DATABASE_PATH": str(path)}
    done = facematch("import-json", "--detector", "opencv", environment=environment)
    assert "1 enrolled" in done.stdout, done.stderr


def test_import_json_keeps_the_limit_of_faces(environment: dict[str, str], tmp_path: Path) -> None:
    faces = [old_face(str(number), vector) for number, vector in enumerate(vectors(5))]
    path = old_database(tmp_path / "old.json", faces)
    done = facematch(
        "import-json",
        str(path),
        "--detector",
        "opencv",
        environment={**environment, "MAX_FACES": "3"},
    )
    assert "3 enrolled, 0 skipped, 2 rejected" in done.stdout
    assert query(environment, "SELECT count(*) FROM subject") == [(3,)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.json", "--detector", "opencv"], "cannot be read"),
        (["--detector", "opencv"], "DATABASE_PATH"),
        (["old.json", "--detector", "guess"], "DETECTOR"),
        (["old.json", "--detector", "opencv", "--model", "Nobody"], "Nobody"),
    ],
)
def test_import_json_says_what_is_wrong(
    arguments: list[str], words: str, environment: dict[str, str], tmp_path: Path
) -> None:
    path = old_database(tmp_path / "old.json", [old_face("a", vectors(1)[0])])
    arguments = [str(path) if part == "old.json" else part for part in arguments]
    done = facematch("import-json", *arguments, environment=environment)
    assert done.returncode == 5, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_smoke_walks_a_running_service_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running(tmp_path / "log", environment=environment) as server:
        done = facematch("smoke", server.url, environment=environment)
        assert done.returncode == 0, done.stderr
        assert "the round trip works" in done.stdout
        assert query(environment, "SELECT count(*) FROM subject") == [(0,)]
    gone = facematch("smoke", server.url, environment=environment)
    assert gone.returncode == 1
    assert "FAIL" in gone.stderr
    assert "Traceback" not in gone.stderr


def test_enrolment_beside_a_running_service_is_found_by_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "grace.jpg").write_bytes(photos.grace_bytes())
    with running(tmp_path / "log", environment=environment) as server:
        import time

        facematch("enroll", str(folder), environment=environment)
        end = time.monotonic() + 5
        found: Any = None
        while found != "grace" and time.monotonic() < end:
            answer = server.post("/match_face", files={"file": photos.grace_bytes()}, timeout=30)
            found = answer.json().get("matched_id")
    assert found == "grace"
