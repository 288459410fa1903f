"""`facematch evaluate`, run as users run it. The database it is given does not exist."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import ImageEnhance, ImageOps

from service.errors import WeightsMissing
from service.evaluation import Labels
from service.settings import Settings
from tests import photos
from tests.servers import facematch

STARTUP = 5


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "FACEMATCH_HOME": str(tmp_path / "home"),
        # nothing can be downloaded: the test must not depend on a network
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two real people with two photographs each, a folder a person; and one without a face."""
    folder = tmp_path / "people"
    for name, image in (("grace", photos.grace()), ("eileen", photos.astronaut())):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").write_bytes(photos.encoded(image))
        other = ImageEnhance.Brightness(ImageOps.mirror(image)).enhance(0.8)
        (folder / name / "2.png").write_bytes(photos.encoded(other, "PNG"))
    (folder / "grace" / "<b>.jpg").write_bytes(photos.encoded(photos.landscape()))
    return folder


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_a_folder_a_person_end_to_end(
    people: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    done = facematch(
        *("evaluate", str(people), "--json", str(report), "--html", str(page)),
        environment=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "labels: a folder a person, 5 photographs" in done.stderr
    assert "skipped (Dlib, native, dlib): grace/<b>.jpg: Face detection failed." in done.stdout
    document = read(report)
    # ten pairs, four of them with the photograph that shows nobody
    assert (document["pairs"], document["skipped"]) == (10, 4)
    assert document["correct_at_default_threshold"] == 6
    assert document["default_threshold"] == 0.922
    assert document["best_accuracy"] == 1.0
    assert document["margin"] > 0
    assert document["seconds_median"] > 0
    assert document["identification"]["rank_1"] == 1.0
    assert "&lt;b&gt;.jpg" in page.read_text()
    assert "<b>" not in page.read_text()
    # no database: all that is left is what was found of the engine
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["agreements"]


def test_alignments_side_by_side(people: Path, environment: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    (people / "pairs.csv").write_text(
        "image_a,image_b,same_person\n"
        "grace/1.jpg,grace/2.png,true\n"
        "grace/1.jpg,eileen/1.jpg,false\n"
    )
    done = facematch(
        *("evaluate", str(people), "--alignment", "native", "--alignment", "deepface"),
        *("--detector", "dlib", "--json", str(report)),
        environment=environment,
    )
    assert done.returncode == 0, done.stderr
    runs = read(report)["runs"]
    assert [run["space"]["alignment"] for run in runs] == ["native", "deepface"]
    assert [run["default_threshold"] for run in runs] == [0.922, 0.93]
    assert [run["correct_at_default_threshold"] for run in runs] == [2, 2]
    assert runs[0]["identification"] is None
    assert "labels: pairs.csv, 3 photographs" in done.stderr


def test_what_cannot_be_run_is_said_and_the_rest_measured(
    people: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    done = facematch(
        *("evaluate", str(people), "--model", "Dlib", "--model", "ArcFace", "--json", str(report)),
        environment=environment,
    )
    assert done.returncode == 1, done.stderr
    assert "not measured: ArcFace: " in done.stdout
    document = read(report)
    assert len(document["runs"]) == 1
    (unmeasured,) = document["unmeasured"]
    assert "arcface_weights" in unmeasured["reason"]


def test_weights_that_cannot_be_had_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def run(labels: Labels, settings: Settings, shown: object) -> None:
        asked.append(settings.alignment)
        raise WeightsMissing("no address answers")

    module = import_module("service.cli.evaluate")
    monkeypatch.setattr(module, "_run", run)
    both = [Settings.read(model_name="ArcFace", alignment=each) for each in ("native", "deepface")]
    with pytest.raises(WeightsMissing):
        module._measured(Path("people"), cast(Labels, None), both)
    assert asked == ["native"]


def test_nothing_that_can_be_run_is_an_error(
    people: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    done = facematch("evaluate", str(people), "--model", "ArcFace", environment=environment)
    assert done.returncode == STARTUP
    assert "[weights_missing]" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--model", "Nobody"], STARTUP, "There is no model 'Nobody'"),
        (["--alignment", "crooked"], STARTUP, "ALIGNMENT: "),
        (["--detector", "dlib", "--detector", "guess"], STARTUP, "DETECTOR: there is no 'guess'"),
        (["--engine", "steam"], STARTUP, "ENGINE: "),
        (["--json", "no/such/folder/x.json"], STARTUP, "there is no folder no/such/folder"),
        (["--pairs", "none.csv"], STARTUP, "none.csv cannot be read"),
        (["--by-folder", "--pairs", "none.csv"], 2, "--by-folder"),
    ],
)
def test_what_is_wrong_is_said_before_the_work(
    people: Path,
    environment: dict[str, str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    done = facematch("evaluate", str(people), *arguments, environment=environment)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_labelled_photographs_are_all_right_at_the_default(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Where FACEMATCH_FACES names them: as many right, and the margin, as docs/models.md says."""
    report = tmp_path / "report.json"
    done = facematch(
        *("evaluate", str(photos.faces_folder()), "--json", str(report)), environment=environment
    )
    assert done.returncode == 0, done.stderr
    document = read(report)
    assert (document["pairs"], document["skipped"]) == (300, 0)
    assert document["unfit_for_enrolment"] == []
    assert document["correct_at_default_threshold"] == 300
    assert document["best_accuracy"] == 1.0
    assert document["margin"] > 0.005
    assert (document["genuine"], document["people"]) == (38, 9)
    assert document["identification"]["faces"] == 25
    assert document["identification"]["rank_1"] == 1.0
    evidence = [point["evidence"] for point in document["tar_at_fmr"]]
    assert evidence == ["few", "none", "none"]
