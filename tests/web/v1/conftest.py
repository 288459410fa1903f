"""What the tests of /v1 share: only the default gallery at first, and people in it."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos

GALLERY = "/v1/galleries/dlib"


@pytest.fixture(autouse=True)
def only_the_default_one(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    yield
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")
    sql.execute("DELETE FROM idempotency_key")


@pytest.fixture
def people(client: httpx.Client) -> None:
    """`grace` and `eileen`, of one photograph each."""
    for name, photo in (("grace", photos.grace_bytes()), ("eileen", photos.astronaut_bytes())):
        answer = client.post("/add_face", data={"id": name}, files={"file": photo})
        assert answer.status_code == 200, answer.text


def in_json(photograph: bytes) -> str:
    return base64.b64encode(photograph).decode()


def detected(client: httpx.Client, photograph: bytes) -> tuple[list[float], dict[str, Any]]:
    """The embedding of its largest face, and the space that it is of."""
    files = {"file": photograph}
    found = client.post("/v1/detect", files=files, data={"include": "embedding"}).json()
    return found["faces"][0]["embedding"], found["space"]


def face_of(sql: psycopg.Connection, subject: str) -> str:
    """The id of the subject's oldest face."""
    row = sql.execute(
        "SELECT f.id::text FROM face f JOIN subject s ON s.id = f.subject_id"
        " WHERE s.external_id = %s ORDER BY f.id LIMIT 1",
        (subject,),
    ).fetchone()
    assert row is not None
    return str(row[0])


def copied(sql: psycopg.Connection, subject: str, gallery: str, name: str) -> None:
    """Enrol a subject of the default gallery in another one too, which is made where it is new."""
    with sql.transaction():
        sql.execute(
            "INSERT INTO gallery (name, space_id, threshold) SELECT %s, space_id, threshold"
            " FROM gallery WHERE name = 'dlib' ON CONFLICT DO NOTHING",
            (gallery,),
        )
        sql.execute(
            "WITH there AS (SELECT id FROM gallery WHERE name = %s),"
            " old AS (SELECT * FROM face f JOIN face_embedding e ON e.face_id = f.id"
            "  WHERE f.subject_id = (SELECT s.id FROM subject s JOIN gallery g"
            "   ON g.id = s.gallery_id WHERE s.external_id = %s AND g.name = 'dlib')),"
            " s AS (INSERT INTO subject (gallery_id, external_id) SELECT id, %s FROM there"
            "  RETURNING id, gallery_id),"
            " f AS (INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM s"
            "  RETURNING id, gallery_id)"
            " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT f.id, f.gallery_id, old.space_id, old.vec FROM f, old",
            (gallery, subject, name),
        )
