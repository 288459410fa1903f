"""What a gallery keeps of the photographs that it is sent, over HTTP with the real model."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from service.domain.photographs import OpenPhotograph
from service.images import ImageLimits, decode
from service.store import open_store
from tests import photos
from tests.jobs.values import lines_of, tar_of
from tests.store.photographs import KEYS
from tests.web.conftest import Site
from tests.web.v1.conftest import GALLERY, detected, in_json
from tests.web.v1.test_imports import IMPORTS, ended
from tests.web.v1.test_subjects import add, at, created

COUNT = "SELECT count(*) FROM kept_photograph"
FILES = {"grace": photos.grace_bytes(), "eileen": photos.astronaut_bytes()}
OTHER = photos.encoded(photos.grace(), quality=70)


def keep(client: httpx.Client, kind: str) -> None:
    answer = client.patch(GALLERY, json={"keep_photographs": kind})
    assert (answer.status_code, answer.json()["keep_photographs"]) == (200, kind), answer.text


@pytest.fixture(autouse=True)
def keeping(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    keep(client, "originals")
    yield
    sql.execute("DELETE FROM import_job")
    sql.execute("UPDATE gallery SET keep_photographs = 'none'")
    sql.execute("DELETE FROM kept_photograph")


@pytest.fixture
def kept(site: Site, sql: psycopg.Connection) -> Any:
    """What is kept, opened, by subject."""

    def photographs() -> dict[str, OpenPhotograph]:
        rows = sql.execute(
            "SELECT s.external_id, f.gallery_id, f.id FROM face f"
            " JOIN subject s ON s.id = f.subject_id"
        ).fetchall()
        store = open_store(site.database_url, pool_size=1, timeout_s=5)
        try:
            with store.transaction(read_only=True) as tx:
                found = {name: tx.kept_photograph(*ids) for name, *ids in rows}
        finally:
            store.close()
        return {name: KEYS.open(each) for name, each in found.items() if each is not None}

    return photographs


def contents(kept: Any) -> dict[str, bytes]:
    return {name: photograph.content for name, photograph in kept().items()}


def one(sql: psycopg.Connection, statement: str) -> Any:
    row = sql.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def test_the_plain_endpoint_keeps_the_file_as_it_came(client: httpx.Client, kept: Any) -> None:
    for name, photograph in FILES.items():
        answer = client.post("/add_face", data={"id": name}, files={"file": photograph})
        assert answer.status_code == 200, answer.text
    assert contents(kept) == FILES


def test_a_file_and_a_photograph_in_json_are_kept(client: httpx.Client, kept: Any) -> None:
    created(client, "grace")
    assert add(client, "grace", FILES["grace"]).status_code == 201
    body = {"image": in_json(FILES["eileen"])}
    answer = client.post(at("eileen", "faces"), json=body, params={"create": True})
    assert answer.status_code == 201, answer.text
    assert contents(kept) == FILES
    assert kept()["eileen"].face_id == UUID(answer.json()["id"])


def test_of_an_embedding_there_is_nothing_to_keep(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    embedding, space = detected(client, FILES["grace"])
    body = {"embedding": embedding, "space": space}
    answer = client.post(at("grace", "faces"), json=body, params={"create": True})
    assert answer.status_code == 201, answer.text
    job = client.post(IMPORTS, content=lines_of({"id": "eve", **body}))
    assert ended(client, job.headers["location"])["enrolled"] == 1
    assert (one(sql, "SELECT count(*) FROM face"), one(sql, COUNT)) == (2, 0)


def test_another_photograph_takes_the_kept_one_s_place_and_an_embedding_takes_it_away(
    client: httpx.Client, sql: psycopg.Connection, kept: Any
) -> None:
    face = add(client, "grace", FILES["grace"], create=True).headers["location"]
    answer = client.put(face, files={"file": ("p.jpg", OTHER)})
    assert answer.status_code == 200, answer.text
    assert contents(kept) == {"grace": OTHER}
    assert one(sql, COUNT) == 1
    embedding, space = detected(client, FILES["grace"])
    answer = client.put(face, json={"embedding": embedding, "space": space})
    assert answer.status_code == 200, answer.text
    assert one(sql, COUNT) == 0


def test_an_import_keeps_them(client: httpx.Client, sql: psycopg.Connection, kept: Any) -> None:
    archive = tar_of({f"{name}.jpg": photograph for name, photograph in FILES.items()})
    job = client.post(IMPORTS, content=archive)
    assert ended(client, job.headers["location"])["enrolled"] == 2
    assert contents(kept) == FILES
    assert one(sql, "SELECT count(photograph) FROM import_item") == 0


def test_a_chip_is_the_face_alone_and_not_the_file(client: httpx.Client, kept: Any) -> None:
    keep(client, "chips")
    add(client, "grace", FILES["grace"], create=True)
    (photograph,) = kept().values()
    assert photograph.kind == "chips"
    assert photograph.content != FILES["grace"]
    height, width = decode(photograph.content, ImageLimits(10_000_000, 1_000_000)).shape[:2]
    assert height == width == round(2.5 * 216)
    found = client.post(f"{GALLERY}/search", files={"file": photograph.content}).json()
    assert found["faces"][0]["matches"][0]["subject"] == "grace"


@pytest.mark.parametrize(
    "erase",
    [
        lambda client, face: client.delete(face),
        lambda client, face: client.delete(at("grace")),
        lambda client, face: client.post("/v1/erasures", json={"subject": "grace"}),
        lambda client, face: client.delete("/delete_face/grace"),
    ],
    ids=["face", "subject", "external id", "plain endpoint"],
)
def test_whatever_erases_the_face_erases_its_photograph(
    client: httpx.Client, sql: psycopg.Connection, kept: Any, erase: Any
) -> None:
    face = add(client, "grace", FILES["grace"], create=True).headers["location"]
    add(client, "eileen", FILES["eileen"], create=True)
    assert one(sql, COUNT) == 2
    answer = erase(client, face)
    assert answer.status_code in (200, 204), answer.text
    assert one(sql, COUNT) == 1
    assert contents(kept) == {"eileen": FILES["eileen"]}


def test_whoever_is_merged_brings_the_photographs_along(client: httpx.Client, kept: Any) -> None:
    add(client, "grace", FILES["grace"], create=True)
    created(client, "g.h.")
    answer = client.post(at("g.h.", "merge"), json={"from": "grace"})
    assert answer.status_code == 200, answer.text
    assert contents(kept) == {"g.h.": FILES["grace"]}


def test_a_gallery_that_keeps_is_made_and_deleted_with_what_it_kept(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    body = {"name": "staff", "keep_photographs": "chips"}
    assert client.post("/v1/galleries", json=body).json()["keep_photographs"] == "chips"
    answer = client.post(
        "/v1/galleries/staff/subjects/grace/faces",
        files={"file": FILES["grace"]},
        params={"create": True},
    )
    assert answer.status_code == 201, answer.text
    assert one(sql, COUNT) == 1
    client.delete("/v1/galleries/staff", params={"confirm": "staff"})
    assert one(sql, COUNT) == 0


def test_a_kind_that_there_is_not_is_refused(client: httpx.Client) -> None:
    for wrong in ("everything", True, ""):
        answer = client.patch(GALLERY, json={"keep_photographs": wrong})
        assert answer.status_code == 422, answer.text


def test_neither_photograph_nor_key_is_anywhere_else(
    client: httpx.Client, site: Site, sql: psycopg.Connection
) -> None:
    """In every form in which a byte of them could be written: of rows of all tables, and the
    log."""
    body = {"image": in_json(FILES["grace"])}
    headers = {"Idempotency-Key": "once"}
    path = at("grace", "faces")
    for _ in range(2):
        answer = client.post(path, json=body, params={"create": True}, headers=headers)
        assert answer.status_code == 201, answer.text
    job = client.post(IMPORTS, content=tar_of({"eileen.jpg": FILES["eileen"]}))
    assert ended(client, job.headers["location"])["enrolled"] == 1
    assert one(sql, COUNT) == 2
    tables = [
        row[0]
        for row in sql.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
    ]
    rows = "\n".join(
        row[0] for each in tables for row in sql.execute(f"SELECT t::text FROM {each} t".encode())
    )
    assert KEYS.sealing.id in rows
    everything = rows + site.server.log.read_text()
    secret = KEYS.sealing.secret
    for part in (secret, FILES["grace"][2000:2030], FILES["eileen"][2000:2030]):
        assert part.hex() not in everything
        assert in_json(part)[:-4] not in everything
    assert KEYS.sealing.text not in everything
    # three bytes are four characters: wherever it is cut, the middle is the same
    assert in_json(FILES["grace"])[4000:4040] not in everything
