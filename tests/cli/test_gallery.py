"""`facematch calibrate` and `facematch gallery check`, run as users do, on a real database."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import ImageEnhance, ImageOps

from service.domain.embeddings import Embedding
from service.domain.faces import NewFace
from service.domain.galleries import Gallery, GallerySettings
from service.ports import Store
from service.store import open_store
from tests import photos
from tests.evaluation.galleries import SPACE, Population, unit
from tests.servers import Server, facematch, running

STARTUP = 5


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    yield store
    store.close()


def enrol(store: Store, names: list[str], vectors: np.ndarray[Any, Any]) -> Gallery:
    """A gallery `people` with these faces; a name that comes again gets another face."""
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
        for number, (name, vector) in enumerate(zip(names, vectors, strict=True)):
            known = tx.find_subject(gallery.id, name)
            face = new_face(vector, f"{number}.jpg")
            tx.add_face(gallery, known or tx.add_subject(gallery.id, name), face)
    return gallery


def new_face(embedding: Embedding, name: str) -> NewFace:
    return NewFace(embedding, None, name, None, "test")


def synthetic(store: Store, people: int, *, copies: int = 0) -> Population:
    """People named p0, p1 ... with two faces each; the last `copies` of p0, under other names."""
    population = Population(11)
    means = population.people(people)
    vectors = population.photographs(np.concatenate([means, *[means[:1]] * copies]), 2, blur=0.1)
    enrol(store, [f"p{number // 2}" for number in range(len(vectors))], unit(vectors))
    return population


def row(environment: dict[str, str], statement: str) -> Any:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        found = connection.execute(statement.encode()).fetchone()
    assert found is not None
    return found


def test_a_dry_run_says_the_threshold_and_changes_nothing(
    environment: dict[str, str], store: Store
) -> None:
    synthetic(store, 120)
    done = facematch("calibrate", "people", "--dry-run", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "gallery 'people': 240 faces of 120 people" in done.stdout
    assert "for FPIR 0.001 (now 0.5000)" in done.stdout
    assert "FPIR 0.001 is extrapolated" in done.stdout
    assert "dry run: nothing was changed" in done.stdout
    assert row(environment, "SELECT threshold FROM gallery") == (0.5,)
    assert row(environment, "SELECT count(*) FROM gallery_calibration") == (0,)


def test_the_threshold_is_stored_with_its_evidence(
    environment: dict[str, str], store: Store
) -> None:
    synthetic(store, 120)
    done = facematch("calibrate", "people", "--fpir", "0.01", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "stored with its evidence" in done.stdout
    assert "extrapolated" not in done.stdout
    threshold, fpir, low, high, subjects, faces, version = row(
        environment,
        "SELECT g.threshold, c.fpir, c.threshold_low, c.threshold_high, c.subjects, c.faces,"
        " c.version FROM gallery g JOIN gallery_calibration c ON c.gallery_id = g.id",
    )
    assert (fpir, subjects, faces, version) == (0.01, 120, 240, 1)
    assert low < threshold < high
    assert f"threshold {threshold:.4f} [{low:.4f} to {high:.4f}]" in done.stdout
    assert row(environment, "SELECT version FROM gallery") == (1,), "no face has changed"


def test_duplicates_are_named_and_left_out_when_asked(
    environment: dict[str, str], store: Store
) -> None:
    synthetic(store, 80, copies=2)
    spoiled = facematch("calibrate", "people", "--dry-run", environment=environment)
    assert "suspect: 'p0' and 'p8" in spoiled.stdout
    assert "delete one of each pair and calibrate again" in spoiled.stdout
    mended = facematch("calibrate", "people", "--ignore-suspects", environment=environment)
    assert mended.returncode == 0, mended.stderr
    assert "164 faces of 80 people" in mended.stdout
    assert "taken for one person each" in mended.stdout
    (suspects,) = row(environment, "SELECT suspects FROM gallery_calibration")
    assert suspects >= 2


def test_too_few_people_and_unknown_galleries_are_refused(
    environment: dict[str, str], store: Store
) -> None:
    none = facematch("calibrate", "people", environment=environment)
    assert none.returncode == STARTUP
    assert "There is no gallery 'people'; there are: none yet. [unknown_gallery]" in none.stderr
    synthetic(store, 5)
    few = facematch("calibrate", "people", environment=environment)
    assert few.returncode == STARTUP
    assert "5 different people" in few.stderr
    assert "[calibration_impossible]" in few.stderr
    other = facematch("gallery", "check", "nobody", environment=environment)
    assert other.returncode == STARTUP
    assert "there are: 'people'." in other.stderr
    assert facematch("calibrate", "people", "--fpir", "1", environment=environment).returncode == 2


def test_check_names_mistakes_and_exits_with_one(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    population = Population(4)
    means = population.people(6)
    # p5 is p0 once more, and the last face of p1 shows p2
    shown = np.concatenate([means[:5].repeat(2, axis=0), means[[0, 0, 2]]])
    vectors = unit(population.photographs(shown, 1, blur=0.05))
    names = [f"p{number // 2}" for number in range(12)]
    enrol(store, [*names, "p1"], vectors)
    report = tmp_path / "findings.json"
    done = facematch("gallery", "check", "people", "--json", str(report), environment=environment)
    assert done.returncode == 1, done.stderr
    assert "13 faces of 6 subjects" in done.stdout
    document = json.loads(report.read_text())
    # faces of the two duplicates and of p2 resemble what is not theirs too, but less clearly
    assert document["mislabelled"][0]["image"] == "12.jpg"
    assert document["mislabelled"][0]["resembles"] == "p2"
    assert {tuple(sorted((each["one"], each["other"]))) for each in document["one_person"]} == {
        *{("p0", "p5"), ("p1", "p2")}
    }
    assert document["ceiling"] > document["threshold"]


def test_check_of_a_clean_gallery_is_well(environment: dict[str, str], store: Store) -> None:
    enrol(store, ["a", "a", "b"], np.eye(64, dtype=np.float32)[[0, 0, 1]])
    done = facematch("gallery", "check", "people", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "nothing doubtful was found" in done.stdout


def test_check_says_before_the_work_that_the_file_cannot_be_written(
    environment: dict[str, str],
) -> None:
    done = facematch(
        *("gallery", "check", "x", "--json", "no/such/folder/x.json"), environment=environment
    )
    assert done.returncode == STARTUP
    assert "there is no folder no/such/folder" in done.stderr


def test_a_running_service_decides_by_the_new_threshold_and_labels_by_the_tail(
    environment: dict[str, str], store: Store, tmp_path: Path
) -> None:
    """Dlib's gallery with a real face and synthetic people around it."""
    with running(tmp_path / "log", environment=environment) as server:
        added = server.post(
            "/add_face",
            data={"id": "grace"},
            files={"file": photos.grace_bytes()},
            timeout=30,
        )
        assert added.status_code == 200, added.text
        with store.transaction() as tx:
            gallery = tx.find_gallery("dlib")
            assert gallery is not None
            random = np.random.default_rng(0)
            for number in range(80):
                subject = tx.add_subject(gallery.id, f"p{number}")
                vector = unit(random.normal(size=(1, 128)).astype(np.float32))[0]
                tx.add_face(gallery, subject, new_face(vector, f"{number}.jpg"))
        other = ImageEnhance.Brightness(ImageOps.mirror(photos.grace())).enhance(0.8)
        before = match(server, photos.encoded(other))
        assert server.get("/stats").json()["calibration"] is None
        done = facematch("calibrate", "dlib", "--fpir", "0.02", environment=environment)
        assert done.returncode == 0, done.stderr
        after = match(server, photos.encoded(other))
        assert before["threshold"] == 0.922
        assert after["threshold"] < 0.7, "these people are further apart than real ones"
        assert (before["matched_id"], after["matched_id"]) == ("grace", "grace")
        assert after["confidence"] == "very_high"
        stats = server.get("/stats").json()
        assert stats["threshold"] == after["threshold"]
        assert (stats["calibration"]["fpir"], stats["calibration"]["subjects"]) == (0.02, 81)


def match(server: Server, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = server.post("/match_face", files={"file": data}).json()
    return found


def test_the_doctor_says_when_a_threshold_is_outgrown_or_set_by_hand(
    environment: dict[str, str], store: Store
) -> None:
    synthetic(store, 60)
    facematch("calibrate", "people", "--fpir", "0.05", environment=environment)
    fresh = facematch("doctor", environment=environment)
    assert "ok   threshold of gallery 'people': calibrated for FPIR 0.05" in fresh.stdout
    vectors = unit(np.random.default_rng(9).normal(size=(40, 64)).astype(np.float32))
    enrol(store, [f"q{number}" for number in range(40)], vectors)
    grown = facematch("doctor", environment=environment)
    assert "calibrated with 120 faces, and there are 160 now" in grown.stdout
    assert "run facematch calibrate people --fpir 0.05" in grown.stdout
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE gallery SET threshold = 0.25")
    assert "set to 0.25 by hand" in facematch("doctor", environment=environment).stdout


def test_labelled_photographs_hold_no_mistake_until_one_is_made(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Where FACEMATCH_FACES names them: a photograph filed under somebody else is found."""
    folder = photos.faces_folder()
    lines = (folder / "identities.csv").read_text().splitlines()[1:]
    labelled = [line.split(",") for line in lines if line]
    for image, person in labelled:
        place = tmp_path / "people" / person.strip()
        place.mkdir(parents=True, exist_ok=True)
        data = (folder / "images" / Path(image).name).read_bytes()
        (place / Path(image).name).write_bytes(data)
    facematch("enroll", "--by-folder", str(tmp_path / "people"), environment=environment)
    clean = facematch("gallery", "check", "dlib", environment=environment)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        moved = connection.execute(
            "UPDATE face SET subject_id = (SELECT subject_id FROM face ORDER BY subject_id DESC"
            " LIMIT 1) WHERE id = (SELECT f.id FROM face f WHERE subject_id IN (SELECT subject_id"
            " FROM face GROUP BY 1 HAVING count(*) > 2) ORDER BY f.subject_id LIMIT 1)"
            " RETURNING image_name"
        ).fetchone()
    assert moved is not None
    wrong = facematch("gallery", "check", "dlib", environment=environment)
    assert wrong.returncode == 1
    assert moved[0] in wrong.stdout
    assert "mislabelled" in wrong.stdout
    few = facematch("calibrate", "dlib", environment=environment)
    assert few.returncode == STARTUP
    assert "9 different people" in few.stderr
