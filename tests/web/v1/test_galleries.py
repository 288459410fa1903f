"""/v1/galleries over HTTP on a real Postgres."""

import threading
from typing import Any

import httpx
import psycopg
import pytest

# false is no 0, and a threshold of 0 would let everybody in
LOOKS_LIKE_ANOTHER: list[tuple[str, Any]] = [
    ("threshold", False),
    ("threshold", "0.9"),
    ("max_faces", True),
    ("max_faces_per_subject", "10"),
    ("subject_lifetime_s", True),
    ("unmatched_lifetime_s", True),
    ("consent_required", "no"),
    ("gates", {"quality": 0}),
]


def create(client: httpx.Client, name: str = "staff", **more: Any) -> httpx.Response:
    return client.post("/v1/galleries", json={"name": name, **more})


def test_a_gallery_is_created_with_the_model_s_defaults(client: httpx.Client) -> None:
    made = create(client)
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["name"] == "staff"
    assert body["threshold"] == 0.922
    assert body["max_faces"] is None
    assert body["max_faces_per_subject"] == 100
    assert (body["space"]["model"], body["space"]["alignment"]) == ("Dlib", "native")
    assert len(body["space"]["weights_sha256"]) == 64
    assert client.get("/v1/galleries/staff").json() == body


def test_a_taken_name_is_refused_with_a_problem(client: httpx.Client) -> None:
    create(client)
    again = create(client)
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    problem = again.json()
    assert problem["code"] == "gallery_exists"
    assert problem["type"] == "urn:facematch:problem:gallery_exists"
    assert problem["status"] == 409
    assert problem["request_id"] == again.headers["x-request-id"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"model": "Nothing"}, "invalid_request"),
        ({"detector": "nothing"}, "invalid_request"),
        ({"detector": "opencv", "alignment": "native"}, "invalid_request"),
        ({"threshold": 1.5}, "invalid_request"),
        ({"max_faces": 0}, "invalid_request"),
        ({"name": "a\nb"}, "invalid_request"),
        ({"name": "x" * 256}, "invalid_request"),
        ({"colour": "red"}, "invalid_request"),
        *(({name: wrong}, "invalid_request") for name, wrong in LOOKS_LIKE_ANOTHER),
    ],
)
def test_what_cannot_be_is_refused(client: httpx.Client, wrong: Any, code: str) -> None:
    answer = client.post("/v1/galleries", json={"name": "staff"} | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.get("/v1/galleries/staff").status_code == 404


@pytest.mark.parametrize(("name", "wrong"), LOOKS_LIKE_ANOTHER)
def test_a_setting_is_taken_for_nothing_but_what_it_is(
    client: httpx.Client, name: str, wrong: Any
) -> None:
    create(client)
    before = client.get("/v1/galleries/staff").json()
    answer = client.patch("/v1/galleries/staff", json={name: wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert client.get("/v1/galleries/staff").json() == before


def test_a_model_without_weights_here_is_unavailable(client: httpx.Client) -> None:
    answer = create(client, model="ArcFace")
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert answer.headers["retry-after"]


def test_galleries_are_listed_page_by_page(client: httpx.Client) -> None:
    for name in ("c", "a", "b"):
        create(client, name)
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/galleries", params=parameters).json()
        seen += [each["name"] for each in page["galleries"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["a", "b", "c", "dlib"]
    for cursor in ("AAAA", "Ñ", "a"):
        assert client.get("/v1/galleries", params={"cursor": cursor}).status_code == 422


def test_settings_change_only_as_asked(client: httpx.Client) -> None:
    before = create(client, max_faces=7, gates={"new_person": True}).json()
    changed = client.patch("/v1/galleries/staff", json={"threshold": 0.95, "max_faces": None})
    assert changed.status_code == 200, changed.text
    assert changed.json() == before | {"threshold": 0.95, "max_faces": None}


def test_a_change_from_stale_settings_is_refused(client: httpx.Client) -> None:
    tag = create(client).headers["etag"]
    first = client.patch("/v1/galleries/staff", json={"threshold": 0.95}, headers={"If-Match": tag})
    assert first.status_code == 200
    second = client.patch("/v1/galleries/staff", json={"threshold": 0.5}, headers={"If-Match": tag})
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    assert client.get("/v1/galleries/staff").json()["threshold"] == 0.95
    gone = client.delete("/v1/galleries/staff?confirm=staff", headers={"If-Match": tag})
    assert (gone.status_code, gone.json()["code"]) == (412, "precondition_failed")
    fresh = {"If-Match": first.headers["ETag"]}
    assert client.delete("/v1/galleries/staff?confirm=staff", headers=fresh).status_code == 204


def test_a_gallery_is_deleted_only_when_its_name_is_repeated(client: httpx.Client) -> None:
    create(client)
    refused = client.delete("/v1/galleries/staff")
    assert (refused.status_code, refused.json()["code"]) == (409, "name_unconfirmed")
    assert client.delete("/v1/galleries/staff", params={"confirm": "staff"}).status_code == 204
    gone = client.get("/v1/galleries/staff")
    assert (gone.status_code, gone.json()["code"]) == (404, "gallery_not_found")


def test_a_repeated_creation_answers_as_the_first(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post("/v1/galleries", json={"name": "staff"}, headers=headers)
    second = client.post("/v1/galleries", json={"name": "staff"}, headers=headers)
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"]
    other = client.post("/v1/galleries", json={"name": "guests"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_request_in_flight_is_not_carried_out_twice(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    """The first waits behind a lock while the second comes."""
    headers = {"Idempotency-Key": "two"}
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(client.post("/v1/galleries", json={"name": "staff"}, headers=headers))

    first = threading.Thread(target=send)
    with sql.transaction():
        sql.execute("LOCK TABLE gallery IN SHARE MODE")
        first.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        while sql.execute(waiting).fetchone() == (0,):
            pass
        second = client.post("/v1/galleries", json={"name": "staff"}, headers=headers)
    first.join()
    assert (second.status_code, second.json()["code"]) == (409, "request_in_flight")
    assert answers[0].status_code == 201


def test_a_refused_request_may_be_sent_again_with_its_key(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "three"}
    create(client)
    refused = client.post("/v1/galleries", json={"name": "staff"}, headers=headers)
    assert refused.status_code == 409
    client.delete("/v1/galleries/staff", params={"confirm": "staff"})
    again = client.post("/v1/galleries", json={"name": "staff"}, headers=headers)
    assert again.status_code == 201
