"""Whom a key may search for: what it does not reach is not there, whatever it asks."""

import json
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.servers import NO_TLS
from tests.web.conftest import ClientFor
from tests.web.v1.conftest import GALLERY, copied, face_of, in_json

GRACE = in_json(photos.grace_bytes())
NOBODY = "00000000-0000-7000-8000-000000000000"
HERS = "/v1/galleries/hers"


@pytest.fixture
def theirs(client: httpx.Client, sql: psycopg.Connection, people: None) -> str:
    """`grace` is in a gallery of her own too, as `admiral`; the id of her face there."""
    copied(sql, "grace", "hers", "admiral")
    return face_of(sql, "admiral")


@pytest.fixture
def hers(client_for: ClientFor, theirs: str) -> httpx.Client:
    """A client whose key reaches that one alone."""
    return client_for(["search", "read"], ["hers"])


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/galleries/GALLERY/search", {"image": GRACE}),
    ("/v1/galleries/GALLERY/search", {"image": GRACE, "metadata": {}}),
    ("/v1/galleries/GALLERY/verify", {"image": GRACE, "subject": "grace"}),
    ("/v1/search", {"image": GRACE, "galleries": ["hers", "GALLERY"]}),
    (
        "/v1/search",
        {"face": NOBODY, "galleries": ["GALLERY"], "min_versions": {"GALLERY": "1-" + 32 * "0"}},
    ),
]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_a_gallery_out_of_reach_is_told_from_none_by_nothing(
    path: str, body: dict[str, Any], hers: httpx.Client
) -> None:
    def ask(name: str) -> tuple[int, dict[str, Any]]:
        sent = json.dumps(body).replace("GALLERY", name)
        kind = {"Content-Type": "application/json"}
        answer = hers.post(path.replace("GALLERY", name), content=sent, headers=kind)
        problem = answer.json()
        problem.pop("request_id")
        problem["detail"] = problem["detail"].replace(name, "NAME")
        return answer.status_code, problem

    status, problem = ask("dlib")
    assert (status, problem["code"]) == (404, "gallery_not_found")
    assert ask("none") == (status, problem)


def test_a_key_finds_whom_it_reaches_and_nobody_else(hers: httpx.Client) -> None:
    found = hers.post(f"{HERS}/search", json={"image": GRACE, "threshold": -1, "top_k": 100})
    (face,) = found.json()["faces"]
    assert [match["subject"] for match in face["matches"]] == ["admiral"]


def test_a_face_out_of_reach_is_no_probe(hers: httpx.Client, sql: psycopg.Connection) -> None:
    others = face_of(sql, "eileen")
    for path, body in (
        (f"{HERS}/search", {"face": others}),
        ("/v1/search", {"face": others, "galleries": ["hers"]}),
        (f"{HERS}/verify", {"face": others, "subject": "admiral"}),
    ):
        assert refusal(hers.post(path, json=body)) == (404, "face_not_found")
    own = hers.post(f"{HERS}/search", json={"face": face_of(sql, "admiral")})
    assert own.status_code == 200


def test_a_subject_out_of_reach_is_not_found(hers: httpx.Client) -> None:
    body = {"image": GRACE, "subject": "grace"}
    assert refusal(hers.post(f"{HERS}/verify", json=body)) == (404, "subject_not_found")


@pytest.mark.parametrize("scope", ["enrol", "read", "export", "admin"])
def test_without_the_scope_search_nobody_is_searched_for(
    scope: str, client_for: ClientFor, people: None
) -> None:
    other = client_for([scope])
    for path, body in (
        (f"{GALLERY}/search", {"image": GRACE}),
        ("/v1/search", {"image": GRACE, "galleries": ["dlib"]}),
        (f"{GALLERY}/verify", {"image": GRACE, "subject": "grace"}),
        ("/v1/verify", {"image": GRACE, "others": [GRACE]}),
        ("/v1/detect", {"image": GRACE}),
    ):
        assert refusal(other.post(path, json=body)) == (403, "scope_missing"), path


def test_metadata_needs_the_scope_read(client_for: ClientFor, people: None) -> None:
    searching = client_for(["search"])
    body = {"image": GRACE, "include": ["metadata"]}
    assert refusal(searching.post(f"{GALLERY}/search", json=body)) == (403, "scope_missing")
    several = body | {"galleries": ["dlib"]}
    assert refusal(searching.post("/v1/search", json=several)) == (403, "scope_missing")
    (face,) = searching.post(f"{GALLERY}/search", json={"image": GRACE}).json()["faces"]
    assert face["matches"][0]["subject"] == "grace"
    assert face["matches"][0]["metadata"] is None
    assert client_for(["search", "read"]).post(f"{GALLERY}/search", json=body).status_code == 200


def test_an_embedding_needs_the_scope_export(client_for: ClientFor) -> None:
    body = {"image": GRACE, "include": ["embedding"]}
    for scopes in (["search"], ["search", "read", "enrol", "admin"]):
        assert refusal(client_for(scopes).post("/v1/detect", json=body)) == (403, "scope_missing")
    allowed = client_for(["search", "export"]).post("/v1/detect", json=body)
    assert len(allowed.json()["faces"][0]["embedding"]) == 128


def test_the_catalogue_needs_the_scope_read(client_for: ClientFor) -> None:
    for path in ("/v1/models", "/v1/models/Dlib"):
        assert refusal(client_for(["search"]).get(path)) == (403, "scope_missing")
        assert client_for(["read"]).get(path).status_code == 200


def test_nobody_is_answered_without_a_key(site: Any) -> None:
    with httpx.Client(base_url=site.server.url, verify=NO_TLS) as stranger:
        for path in (f"{GALLERY}/search", "/v1/search", "/v1/verify", "/v1/detect"):
            answer = stranger.post(path, json={"image": "AAAA"})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert stranger.get("/v1/models").status_code == 401
