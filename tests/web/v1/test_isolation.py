"""Every endpoint from the other end: a key of one gallery neither reads, searches, counts nor
changes another one, and cannot even tell that it is there."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.web.conftest import ClientFor
from tests.web.test_scopes import document
from tests.web.v1.conftest import copied, face_of, in_json

GRACE = in_json(photos.grace_bytes())
FACE = "{face}"
SUBJECT = "/v1/galleries/{gallery}/subjects/grace"
FILE = {"image": GRACE}

# for every operation on a gallery a request that would be carried out, if the key reached it
REQUESTS: dict[tuple[str, str], tuple[str, Any]] = {
    ("get", "/v1/galleries/{gallery}"): ("/v1/galleries/{gallery}", None),
    ("patch", "/v1/galleries/{gallery}"): ("/v1/galleries/{gallery}", {"threshold": 0.5}),
    ("delete", "/v1/galleries/{gallery}"): ("/v1/galleries/{gallery}?confirm={gallery}", None),
    ("get", "/v1/galleries/{gallery}/statistics"): ("/v1/galleries/{gallery}/statistics", None),
    ("get", "/v1/galleries/{gallery}/erasures"): ("/v1/galleries/{gallery}/erasures", None),
    ("post", "/v1/galleries/{gallery}/imports"): (
        "/v1/galleries/{gallery}/imports",
        {"id": "new", "image": GRACE},
    ),
    ("post", "/v1/galleries/{gallery}/search"): ("/v1/galleries/{gallery}/search", FILE),
    ("post", "/v1/galleries/{gallery}/verify"): (
        "/v1/galleries/{gallery}/verify",
        {"image": GRACE, "subject": "grace"},
    ),
    ("get", "/v1/galleries/{gallery}/subjects"): (
        '/v1/galleries/{gallery}/subjects?metadata={"secret":1}',
        None,
    ),
    ("post", "/v1/galleries/{gallery}/subjects"): (
        "/v1/galleries/{gallery}/subjects",
        {"id": "new"},
    ),
    ("get", "/v1/galleries/{gallery}/subjects/{subject}"): (SUBJECT, None),
    ("patch", "/v1/galleries/{gallery}/subjects/{subject}"): (SUBJECT, {"metadata": {}}),
    ("delete", "/v1/galleries/{gallery}/subjects/{subject}"): (f"{SUBJECT}?wait=all", None),
    ("post", "/v1/galleries/{gallery}/subjects/{subject}/merge"): (
        f"{SUBJECT}/merge",
        {"from": "eileen"},
    ),
    ("get", "/v1/galleries/{gallery}/subjects/{subject}/consents"): (f"{SUBJECT}/consents", None),
    ("post", "/v1/galleries/{gallery}/subjects/{subject}/consents"): (
        f"{SUBJECT}/consents",
        {"text_version": "2026-11", "purpose": "entry"},
    ),
    ("get", "/v1/galleries/{gallery}/subjects/{subject}/consents/{consent}"): (
        f"{SUBJECT}/consents/{FACE}",
        None,
    ),
    ("post", "/v1/galleries/{gallery}/subjects/{subject}/consents/{consent}/withdraw"): (
        f"{SUBJECT}/consents/{FACE}/withdraw",
        None,
    ),
    ("get", "/v1/galleries/{gallery}/subjects/{subject}/faces"): (
        f"{SUBJECT}/faces?include=embedding",
        None,
    ),
    ("post", "/v1/galleries/{gallery}/subjects/{subject}/faces"): (f"{SUBJECT}/faces", FILE),
    ("get", "/v1/galleries/{gallery}/subjects/{subject}/faces/{face}"): (
        f"{SUBJECT}/faces/{FACE}",
        None,
    ),
    ("put", "/v1/galleries/{gallery}/subjects/{subject}/faces/{face}"): (
        f"{SUBJECT}/faces/{FACE}",
        FILE,
    ),
    ("delete", "/v1/galleries/{gallery}/subjects/{subject}/faces/{face}"): (
        f"{SUBJECT}/faces/{FACE}",
        None,
    ),
}


@pytest.fixture
def hers(
    client: httpx.Client, sql: psycopg.Connection, people: None, client_for: ClientFor
) -> httpx.Client:
    """A key with every scope for the gallery `hers`, which holds one of the two people."""
    copied(sql, "grace", "hers", "grace")
    return client_for(galleries=["hers"])


@pytest.fixture
def erasures_gone(sql: psycopg.Connection) -> Iterator[None]:
    yield
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")


def state(sql: psycopg.Connection) -> Any:
    """Of the gallery that is out of reach: its settings, its version, its people."""
    return sql.execute(
        "SELECT to_jsonb(g), (SELECT jsonb_agg(s ORDER BY s.id) FROM subject s"
        " WHERE s.gallery_id = g.id), (SELECT count(*) FROM import_job) FROM gallery g"
        " WHERE name = 'dlib'"
    ).fetchone()


def test_every_operation_on_a_gallery_is_among_the_requests() -> None:
    operations = {
        (method, path)
        for path, methods in document()["paths"].items()
        for method in methods
        if "{gallery}" in path
    }
    assert operations == REQUESTS.keys()


@pytest.mark.parametrize(("method", "operation"), REQUESTS)
def test_a_gallery_out_of_reach_is_told_from_none_by_nothing(
    method: str, operation: str, hers: httpx.Client, sql: psycopg.Connection
) -> None:
    path, body = REQUESTS[method, operation]
    path = path.replace(FACE, face_of(sql, "grace"))
    before = state(sql)

    def ask(name: str) -> tuple[int, dict[str, Any], set[str]]:
        content = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"}
        at = path.replace("{gallery}", name)
        answer = hers.request(method, at, content=content, headers=kind)
        problem = answer.json()
        problem.pop("request_id")
        problem["detail"] = problem["detail"].replace(name, "NAME")
        return answer.status_code, problem, set(answer.headers)

    there, nowhere = ask("dlib"), ask("none")
    assert there == nowhere
    assert (there[0], there[1]["code"]) == (404, "gallery_not_found")
    assert state(sql) == before


def test_a_list_of_galleries_counts_only_those_in_reach(hers: httpx.Client) -> None:
    page = hers.get("/v1/galleries", params={"limit": 1}).json()
    names = [each["name"] for each in page["galleries"]]
    assert names == ["hers"]
    rest = hers.get("/v1/galleries", params={"cursor": page["next"]}).json()
    assert rest == {"galleries": [], "next": None}


def test_its_own_gallery_is_all_it_has_figures_of(hers: httpx.Client) -> None:
    figures = hers.get("/v1/galleries/hers/statistics").json()
    assert (figures["subjects"], figures["faces"]) == (1, 1)
    assert hers.get("/stats").status_code == 404


def test_no_gallery_is_made_by_who_could_not_reach_it(
    hers: httpx.Client, client: httpx.Client
) -> None:
    for name in ("new", "dlib"):
        answer = hers.post("/v1/galleries", json={"name": name})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert client.get("/v1/galleries/new").status_code == 404


def test_one_id_is_erased_only_where_the_key_reaches(
    hers: httpx.Client, client: httpx.Client, erasures_gone: None
) -> None:
    client.delete("/v1/galleries/dlib/subjects/eileen")
    theirs = client.get("/v1/galleries/dlib/erasures").json()["erasures"][0]
    nobody = hers.post("/v1/erasures", json={"subject": "eileen"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "subject_not_found")
    done = hers.post("/v1/erasures", json={"subject": "grace"}).json()
    assert [each["gallery"] for each in done["galleries"]] == ["hers"]
    assert client.get("/v1/galleries/dlib/subjects/grace").json()["faces"] == 1
    own = hers.get("/v1/galleries/hers/erasures").json()["erasures"][0]
    assert hers.get(f"/v1/erasures/{own['id']}").json() == own
    hidden = hers.get(f"/v1/erasures/{theirs['id']}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "erasure_not_found")
    assert client.get(f"/v1/erasures/{theirs['id']}").status_code == 200


def test_a_page_of_erasures_continues_behind_none_of_another_gallery(
    hers: httpx.Client, client: httpx.Client, erasures_gone: None
) -> None:
    hers.delete("/v1/galleries/hers/subjects/grace")
    client.delete("/v1/galleries/dlib/subjects/eileen")
    theirs = client.get("/v1/galleries/dlib/erasures").json()["erasures"][0]["id"]
    page = hers.get("/v1/galleries/hers/erasures", params={"before": theirs}).json()
    assert [each["gallery"] for each in page["erasures"]] == ["hers"]
