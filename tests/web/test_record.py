"""What the record says of calls over HTTP: searches by policy, exports, and who enrolled whom."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.jobs.values import tar_of
from tests.servers import facematch
from tests.web.conftest import ClientFor, Site
from tests.web.v1.conftest import detected, in_json
from tests.web.v1.test_imports import ended

GRACE, STRANGER = photos.grace_bytes(), photos.astronaut_bytes()
STAFF = "/v1/galleries/staff"
SEARCHES = (
    "SELECT action, outcome, subject, caller, address, request_id, gallery_version, threshold,"
    " similarity FROM audit.searches WHERE request_id = ANY (%s) ORDER BY request_id"
)


@pytest.fixture(autouse=True)
def staff(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    """A gallery with `grace`."""
    assert client.post("/v1/galleries", json={"name": "staff"}).status_code == 201
    added = client.post(f"{STAFF}/subjects/grace/faces?create=true", files={"file": GRACE})
    assert added.status_code == 201, added.text
    yield
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")


def asked(client: httpx.Client, policy: str) -> dict[str, httpx.Response]:
    """Searches and verifications, of her and of a stranger, each under an id of its own."""
    changed = client.patch(STAFF, json={"audit_searches": policy})
    assert changed.status_code == 200, changed.text
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "search-hers": (f"{STAFF}/search", {"image": in_json(GRACE)}),
        "search-none": (f"{STAFF}/search", {"image": in_json(STRANGER)}),
        "several-hers": ("/v1/search", {"image": in_json(GRACE), "galleries": ["staff"]}),
        "verify-hers": (f"{STAFF}/verify", {"image": in_json(GRACE), "subject": "grace"}),
        "verify-none": (f"{STAFF}/verify", {"image": in_json(STRANGER), "subject": "grace"}),
    }
    return {
        name: client.post(path, json=body, headers={"X-Request-ID": f"{policy}-{name}"})
        for name, (path, body) in calls.items()
    }


NAMES = ("search-hers", "search-none", "several-hers", "verify-hers", "verify-none")


def recorded(
    sql: psycopg.Connection, prefix: str, count: int, names: Iterable[str] = NAMES
) -> list[tuple[Any, ...]]:
    """The rows, once there are so many, and a moment to see whether more come."""
    ids = [f"{prefix}-{name}" for name in names]
    end = time.monotonic() + 10
    while len(rows := sql.execute(SEARCHES, (ids,)).fetchall()) < count:
        assert time.monotonic() < end, rows
        time.sleep(0.05)
    time.sleep(1.2)
    return sql.execute(SEARCHES, (ids,)).fetchall()


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (
            "all",
            {
                "search-hers": "match",
                "search-none": "no_match",
                "several-hers": "match",
                "verify-hers": "match",
                "verify-none": "no_match",
            },
        ),
        ("matches", {"search-hers": "match", "several-hers": "match", "verify-hers": "match"}),
        ("none", {}),
    ],
)
def test_searches_and_verifications_are_recorded_as_the_gallery_says(
    policy: str, names: dict[str, str], client: httpx.Client, sql: psycopg.Connection
) -> None:
    answers = asked(client, policy)
    assert all(answer.status_code == 200 for answer in answers.values()), answers
    rows = {row[5].removeprefix(f"{policy}-"): row for row in recorded(sql, policy, len(names))}
    assert {name: row[1] for name, row in rows.items()} == names
    gallery = client.get(STAFF)
    version = int(gallery.headers["X-Gallery-Version"].partition("-")[0])
    for name, row in rows.items():
        action, outcome, subject, caller, address, _, at_version, threshold, similarity = row
        assert action == ("verify" if name.startswith("verify") else "search")
        assert caller == client.headers["X-API-Key"][:11]
        assert address == "127.0.0.1"
        assert (at_version, threshold) == (version, gallery.json()["threshold"])
        assert subject == (None if name == "search-none" else "grace")
        assert (similarity >= threshold) is (outcome == "match")


def test_a_search_by_the_plain_endpoint_is_recorded_too(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    headers = {"X-Request-ID": "plain-search"}
    client.post("/match_face", files={"file": GRACE}, headers=headers)
    (row,) = recorded(sql, "plain", 1, ["search"])
    assert row[:3] == ("search", "no_match", None)


def test_no_event_holds_a_photograph_or_an_embedding(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    embedding, space = detected(client, GRACE)
    body = {"embedding": embedding, "space": space}
    headers = {"X-Request-ID": "raw-search"}
    assert client.post(f"{STAFF}/search", json=body, headers=headers).status_code == 200
    recorded(sql, "raw", 1, ["search"])
    text = "\n".join(row[0] for row in sql.execute("SELECT e::text FROM audit_event e").fetchall())
    assert "search" in text
    assert str(embedding[0])[:8] not in text
    assert in_json(GRACE)[100:140] not in text
    keys = "SELECT DISTINCT jsonb_object_keys(detail) FROM audit_event WHERE action IN %s"
    told = sql.execute(keys.replace("IN %s", "= ANY (%s)").encode(), (["search", "verify"],))
    assert {row[0] for row in told.fetchall()} <= {"similarity"}


def test_the_log_names_nobody_and_holds_no_embedding(client: httpx.Client, site: Site) -> None:
    name = "Rumpelstiltskin/1"
    path = f"{STAFF}/subjects/Rumpelstiltskin%2F1"
    embedding, space = detected(client, GRACE)
    body = {"embedding": embedding, "space": space}
    statuses = [
        client.post(f"{path}/faces?create=true", json=body).status_code,
        client.post(f"{path}/faces", json=body).status_code,
        client.post(f"{STAFF}/subjects", json={"id": name}).status_code,
        client.post(f"{path}/faces", content=b"{", headers={"Content-Type": "x"}).status_code,
        client.get(f"{path}/nothing").status_code,
        client.delete(path).status_code,
        client.get(path).status_code,
    ]
    assert statuses == [201, 409, 409, 422, 404, 200, 404]
    job = client.post(f"{STAFF}/imports", content=tar_of({f"{name}.jpg": b"none"}))
    assert ended(client, job.headers["location"])["rejected"] == 1
    log = site.server.log.read_text()
    assert "Rumpelstiltskin" not in log
    assert str(embedding[3])[:8] not in log


def exports(sql: psycopg.Connection) -> list[tuple[Any, ...]]:
    return sql.execute(
        "SELECT what, gallery, subject, faces, caller, address, request_id IS NOT NULL"
        " FROM audit.exports ORDER BY occurred_at"
    ).fetchall()


def test_embeddings_that_are_given_out_are_recorded(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    before = len(exports(sql))
    path = f"{STAFF}/subjects/grace/faces"
    (face,) = client.get(path, params={"include": "embedding"}).json()["faces"]
    assert face["embedding"]
    one = client.get(f"{path}/{face['id']}", params={"include": "embedding"}).json()
    assert one["embedding"]
    detected(client, GRACE)
    client.get(path)
    client.get(f"{path}/{face['id']}")
    client.post("/v1/detect", files={"file": GRACE})
    who = (client.headers["X-API-Key"][:11], "127.0.0.1", True)
    assert exports(sql)[before:] == [
        ("subject", "staff", "grace", 1, *who),
        ("face", "staff", "grace", 1, *who),
        ("probe", None, None, 1, *who),
    ]


def test_a_refused_export_gives_nothing_out(client_for: ClientFor, sql: psycopg.Connection) -> None:
    before = exports(sql)
    path = f"{STAFF}/subjects/grace/faces"
    answer = client_for(["read"]).get(path, params={"include": "embedding"})
    assert answer.status_code == 403
    assert exports(sql) == before


def test_an_exported_gallery_is_recorded(
    site: Site, sql: psycopg.Connection, client: httpx.Client
) -> None:
    before = len(exports(sql))
    done = facematch(
        "gallery", "export", "staff", "-", environment={"DATABASE_URL": site.database_url}
    )
    assert done.returncode == 0, done.stderr
    (row,) = exports(sql)[before:]
    assert row == ("gallery", "staff", None, 1, "facematch gallery export", None, False)


def enrolled(sql: psycopg.Connection, subject: str) -> tuple[Any, ...]:
    row = sql.execute(
        "SELECT created_by, key_id IS NOT NULL, address, image_sha256, created_at <= now(),"
        " sql_user = session_user, model, threshold, gallery_version >= 1, image_name"
        " FROM audit.enrolments WHERE subject = %s",
        (subject,),
    ).fetchall()
    assert len(row) == 1, row
    return row[0]


def test_every_way_of_enrolment_says_by_whom_when_and_of_which_photograph(
    client: httpx.Client, site: Site, sql: psycopg.Connection, tmp_path: Any
) -> None:
    import hashlib

    def digest(photograph: bytes) -> str:
        return hashlib.sha256(photograph).hexdigest()

    ways = {f"way{n}": photos.encoded(photos.grace(), quality=50 + n) for n in range(4)}
    client.post("/add_face", data={"id": "way0"}, files={"file": ("0.jpg", ways["way0"])})
    path = "/v1/galleries/dlib/subjects/way1/faces?create=true"
    client.post(path, files={"file": ("1.jpg", ways["way1"])})
    job = client.post("/v1/galleries/dlib/imports", content=tar_of({"way2.jpg": ways["way2"]}))
    assert ended(client, job.headers["location"])["enrolled"] == 1
    (tmp_path / "way3.jpg").write_bytes(ways["way3"])
    home = {"DATABASE_URL": site.database_url, "FACEMATCH_HOME": str(tmp_path / "home")}
    done = facematch("enroll", str(tmp_path), environment=home)
    assert done.returncode == 0, done.stderr
    sql.execute(
        "WITH s AS (INSERT INTO subject (gallery_id, external_id)"
        "  SELECT id, 'typed' FROM gallery WHERE name = 'dlib' RETURNING id, gallery_id)"
        " INSERT INTO face (gallery_id, subject_id, image_sha256)"
        " SELECT gallery_id, id, sha256('typed') FROM s"
    )
    key = client.headers["X-API-Key"][:11]
    for n, way in enumerate(("way0", "way1", "way2")):
        assert enrolled(sql, way) == (
            *(key, True, "127.0.0.1", digest(ways[way]), True, True, "Dlib", 0.922, True),
            f"{n}.jpg" if n < 2 else "way2.jpg",
        )
    assert enrolled(sql, "way3")[:4] == ("facematch enroll", False, None, digest(ways["way3"]))
    me = sql.execute("SELECT session_user").fetchone()
    assert me is not None
    assert enrolled(sql, "typed")[:4] == (me[0], False, None, digest(b"typed"))
    assert json.dumps(str(enrolled(sql, "typed")))
    sql.execute("DELETE FROM import_job")
