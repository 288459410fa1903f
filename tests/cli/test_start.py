"""What stops the service from starting, and whether it says what to do."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.errors import SettingsInvalid
from service.settings import Settings
from tests.databases import copy_of
from tests.servers import WITHOUT_A_MODEL, facematch, ready, running, start
from tests.vision.onnx_graphs import write_graph

STARTUP = 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMILARITY_THRESHOLD", "2"),
        ("SIMILARITY_THRESHOLD", "high"),
        ("ARCFACE_THRESHOLD", "-1.5"),
        ("MAX_FACES", "0"),
        ("MAX_FACES", "many"),
        ("PORT", "70000"),
        ("MAX_IMAGE_BYTES", "1"),
        ("MAX_IMAGE_PIXELS", "-5"),
        ("DATABASE_POOL_SIZE", "1"),
        ("LOG_LEVEL", "LOUD"),
        ("ENGINE", "torch"),
        ("HOST", "no.such.host.invalid"),
        ("DEFAULT_GALLERY", "  "),
        ("DATABASE_URL", "mysql://root:s3cret@db/x"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=f"^{name}: ") as refused:
        Settings.read()
    assert "s3cret" not in str(refused.value)


def test_a_wrong_setting_ends_the_start_in_one_line(tmp_path: Path) -> None:
    wrong = {"DATABASE_URL": "mysql://root:s3cret@db/x", "FACEMATCH_HOME": str(tmp_path)}
    done = facematch("serve", environment=wrong)
    assert done.returncode == STARTUP
    (line,) = done.stderr.splitlines()
    assert line.startswith("facematch: DATABASE_URL: ")
    assert "s3cret" not in done.stderr


@pytest.fixture(scope="module")
def with_a_gallery(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The environment of a service that ran once."""
    folder = tmp_path_factory.mktemp("served")
    with copy_of(server_url, template) as url:
        environment = {"DATABASE_URL": url, "FACEMATCH_HOME": str(folder)}
        with running(folder / "log", environment=environment, module=WITHOUT_A_MODEL):
            pass
        yield environment


@pytest.mark.parametrize(("name", "value"), [("DETECTOR", "guess"), ("MODEL_NAME", "dlib")])
def test_a_wrong_name_is_refused_though_the_gallery_exists(
    name: str, value: str, with_a_gallery: dict[str, str]
) -> None:
    environment = with_a_gallery
    done = facematch("serve", environment={**environment, name: value})
    assert done.returncode == STARTUP
    assert value in done.stderr
    assert "Dlib" in done.stderr or "opencv" in done.stderr


def test_several_wrong_settings_are_all_named(tmp_path: Path) -> None:
    environment = {"PORT": "0", "MAX_FACES": "-1", "FACEMATCH_HOME": str(tmp_path)}
    done = facematch("serve", environment=environment)
    assert "PORT: " in done.stderr
    assert "MAX_FACES: " in done.stderr


def test_an_outdated_schema_is_refused_until_it_is_migrated(
    empty_database_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": empty_database_url, "FACEMATCH_HOME": str(tmp_path)}
    done = facematch("serve", environment=environment)
    assert done.returncode == STARTUP
    assert "facematch db upgrade" in done.stderr
    assert "[schema_outdated]" in done.stderr
    with running(
        tmp_path / "log", "--migrate", environment=environment, module=WITHOUT_A_MODEL
    ) as server:
        assert server.stop() == 0


def test_an_unknown_model_is_refused_with_those_there_are(
    database_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    done = facematch("serve", "--model", "Nobody", environment=environment)
    assert done.returncode == STARTUP
    assert "Dlib" in done.stderr
    assert "ArcFace" in done.stderr


def test_missing_weights_name_the_file_and_its_place(database_url: str, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        # nothing can be downloaded: the test must not depend on a network
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    done = facematch("serve", "--model", "ArcFace", environment=environment)
    assert done.returncode == STARTUP, done.stderr
    assert "[weights_missing]" in done.stderr
    assert str(tmp_path / ".deepface" / "weights" / "arcface_weights.onnx") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gallery_of_another_model_is_refused(database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "WITH s AS (INSERT INTO embedding_space"
            " (model, dimension, detector, alignment, default_threshold)"
            " VALUES ('ArcFace', 512, 'opencv', 'deepface', 0.32) RETURNING id)"
            " INSERT INTO gallery (name, space_id, threshold) SELECT 'dlib', id, 0.32 FROM s"
        )
    done = facematch("serve", environment=environment)
    assert done.returncode == STARTUP
    assert "[embedding_space_conflict]" in done.stderr
    assert "DEFAULT_GALLERY" in done.stderr


def test_the_environment_gives_a_new_gallery_its_first_values_only(
    database_url: str, tmp_path: Path
) -> None:
    def row() -> object:
        with psycopg.connect(database_url) as connection:
            return connection.execute("SELECT name, threshold, max_faces FROM gallery").fetchone()

    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    first = {"SIMILARITY_THRESHOLD": "0.95", "MAX_FACES": "7", "DEFAULT_GALLERY": "staff"}
    with running(tmp_path / "log", environment={**environment, **first}, module=WITHOUT_A_MODEL):
        assert row() == ("staff", 0.95, 7)
    later = {**first, "SIMILARITY_THRESHOLD": "0.5", "MAX_FACES": "9"}
    with running(
        tmp_path / "log", environment={**environment, **later}, module=WITHOUT_A_MODEL
    ) as server:
        assert row() == ("staff", 0.95, 7)
        warnings = server.log.read_text()
        assert "threshold 0.95 in the database, which rules" in warnings
        assert "max_faces 7 in the database, which rules" in warnings


def test_sigterm_during_start_up_is_heeded(database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    server = start(tmp_path / "log", environment=environment)
    code = server.stop()
    assert code in {0, -15}  # -15: Python itself was still starting
    assert "Traceback" not in server.log.read_text()


def test_a_port_in_use_ends_the_start(database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    with running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
        port = int(server.url.rpartition(":")[2])
        other = start(
            tmp_path / "other", port=port, environment=environment, module=WITHOUT_A_MODEL
        )
        assert other.process.wait(timeout=60) == 3
        assert "address already in use" in other.log.read_text()
        ready(server)


@pytest.mark.parametrize(
    ("alignment", "detector"), [("deepface", "opencv"), ("deepface", "dlib"), (None, None)]
)
def test_a_gallery_keeps_the_alignment_that_it_was_made_with(
    alignment: str | None, detector: str | None, database_url: str, tmp_path: Path
) -> None:
    """ArcFace's default was DeepFace's own alignment once; those galleries are served as before."""
    weights = tmp_path / ".deepface" / "weights" / "arcface_weights.onnx"
    weights.parent.mkdir(parents=True)
    write_graph(weights, input_size=(112, 112), dimension=512)
    with psycopg.connect(database_url) as connection:
        if alignment:
            connection.execute(
                "WITH s AS (INSERT INTO embedding_space"
                " (model, dimension, detector, alignment, default_threshold)"
                " VALUES ('ArcFace', 512, %s, %s, 0.32) RETURNING id)"
                " INSERT INTO gallery (name, space_id, threshold)"
                " SELECT 'arcface', id, 0.32 FROM s",
                (detector, alignment),
            )
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "MODEL_NAME": "ArcFace",
    }
    with running(tmp_path / "log", environment=environment) as server:
        expected = f"detector {detector or 'dlib'}, alignment {alignment or 'native'}"
        assert f"gallery 'arcface': ArcFace, {expected}" in server.log.read_text()
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT g.name, s.detector, s.alignment, s.weights_sha256 IS NOT NULL"
            " FROM gallery g JOIN embedding_space s ON s.id = g.space_id"
        ).fetchall()
    assert rows == [("arcface", detector or "dlib", alignment or "native", True)]
