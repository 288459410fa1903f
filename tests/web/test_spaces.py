"""Embeddings of two spaces are never compared, whatever happens to the rows meanwhile."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import photos
from tests.servers import facematch, running

OTHER_SPACE = (
    "INSERT INTO embedding_space (model, dimension, detector, alignment, default_threshold)"
    " VALUES ('{model}', {dimension}, 'opencv', 'deepface', 0.6) RETURNING id"
)


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    with (
        running(tmp_path / "log", environment=environment) as server,
        server.client() as client,
    ):
        yield client


def add(client: httpx.Client, face_id: str) -> httpx.Response:
    return client.post("/add_face", data={"id": face_id}, files={"file": photos.grace_bytes()})


def match(client: httpx.Client) -> httpx.Response:
    return client.post("/match_face", files={"file": photos.grace_bytes()})


@pytest.mark.parametrize(("model", "dimension"), [("Facenet", 128), ("ArcFace", 512)])
def test_a_gallery_bound_to_another_space_is_not_served(
    model: str, dimension: int, client: httpx.Client, sql: psycopg.Connection
) -> None:
    assert add(client, "grace").status_code == 200
    home = sql.execute("SELECT space_id FROM gallery").fetchone()
    other = sql.execute(OTHER_SPACE.format(model=model, dimension=dimension).encode()).fetchone()
    assert home is not None
    assert other is not None
    sql.execute("UPDATE gallery SET space_id = %s", other)
    for answer in (add(client, "eve"), match(client)):
        assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
        assert model in answer.json()["detail"]
    sql.execute("UPDATE gallery SET space_id = %s", home)
    end = time.monotonic() + 5
    while match(client).status_code != 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert match(client).json()["matched_id"] == "grace"
    stored = sql.execute("SELECT DISTINCT space_id FROM face_embedding").fetchall()
    assert stored == [home]


def test_a_space_cannot_become_another_one(sql: psycopg.Connection) -> None:
    sql.execute(OTHER_SPACE.format(model="Facenet", dimension=128).encode())
    for change in (
        "model = 'ArcFace'",
        "detector = 'dlib'",
        "alignment = 'native'",
        "dimension = 64",
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot become another"):
            sql.execute(f"UPDATE embedding_space SET {change}".encode())
    sql.execute("UPDATE embedding_space SET weights_sha256 = repeat('a', 64)")
    with pytest.raises(psycopg.errors.CheckViolation):
        sql.execute("UPDATE embedding_space SET weights_sha256 = repeat('b', 64)")


def test_imported_vectors_are_served_by_weights_that_pin_their_space_once(
    database_url: str, sql: psycopg.Connection, tmp_path: Path
) -> None:
    """Vectors of unknown weights take the digest of the first that serve them, and keep it."""
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "ALIGNMENT": "deepface",
        "DETECTOR": "opencv",
    }
    sql.execute(
        "WITH s AS (INSERT INTO embedding_space"
        " (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('Dlib', 128, 'opencv', 'deepface', 0.93) RETURNING id)"
        " INSERT INTO gallery (name, space_id, threshold) SELECT 'dlib', id, 0.93 FROM s"
    )
    with running(tmp_path / "log", environment=environment):
        pinned = sql.execute("SELECT weights_sha256 FROM embedding_space").fetchall()
    assert len(pinned) == 1
    assert len(pinned[0][0]) == 64

    sql.execute(
        "WITH s AS (INSERT INTO embedding_space"
        " (model, weights_sha256, dimension, detector, alignment, default_threshold) VALUES"
        " ('Dlib', repeat('b', 64), 128, 'opencv', 'deepface', 0.93) RETURNING id)"
        " INSERT INTO gallery (name, space_id, threshold) SELECT 'others', id, 0.93 FROM s"
    )
    refused = facematch(
        "serve", "--port", "1", environment=environment | {"DEFAULT_GALLERY": "others"}
    )
    assert refused.returncode == 5
    assert "[embedding_space_conflict]" in refused.stderr
