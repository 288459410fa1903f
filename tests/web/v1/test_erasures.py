"""/v1/erasures over HTTP: everything of one id, and the receipts."""

import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from service.erasures import Erasures
from service.store import open_store
from tests import photos
from tests.web.conftest import Site


@pytest.fixture(autouse=True)
def emptied(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    yield
    sql.execute("DELETE FROM subject")
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")


def enrol(client: httpx.Client, face_id: str) -> None:
    answer = client.post("/add_face", data={"id": face_id}, files={"file": photos.grace_bytes()})
    assert answer.status_code == 200, answer.text


def test_one_id_is_erased_and_every_replica_that_passed_it_is_named(
    client: httpx.Client, site: Site
) -> None:
    enrol(client, "grace")
    done = client.post("/v1/erasures", json={"subject": "grace"})
    assert done.status_code == 200, done.text
    (gallery,) = done.json()["galleries"]
    assert gallery["gallery"] == "dlib"
    found = client.post(
        "/match_face",
        files={"file": photos.grace_bytes()},
        headers={"X-Min-Gallery-Version": gallery["gallery_version"]},
    )
    assert found.json()["match_found"] is False
    page = client.get("/v1/galleries/dlib/erasures").json()["erasures"]
    receipt = page[0]
    assert (receipt["subjects"], receipt["faces"]) == (1, 1)
    assert gallery["gallery_version"].startswith(f"{receipt['gallery_version']}-")
    assert "Write-ahead log" in receipt["backups"]
    store = open_store(site.database_url, pool_size=2, timeout_s=5)
    end = time.monotonic() + 20
    while receipt["replicas_passed_at"] is None and time.monotonic() < end:
        Erasures(store).follow()  # as every replica does from time to time
        receipt = client.get(f"/v1/erasures/{receipt['id']}").json()
    store.close()
    assert receipt["replicas_passed_at"] is not None
    assert len(receipt["replicas"]) == 1
    assert "grace" not in str(receipt)


def test_the_receipts_are_of_a_version_and_wait_for_one(client: httpx.Client) -> None:
    enrol(client, "grace")
    gone = client.delete("/v1/galleries/dlib/subjects/grace").headers["X-Gallery-Version"]
    wanted = {"X-Min-Gallery-Version": gone}
    answer = client.get("/v1/galleries/dlib/erasures", headers=wanted)
    assert answer.headers["X-Gallery-Version"] == gone
    assert gone.startswith(f"{answer.json()['erasures'][0]['gallery_version']}-")
    wanted = {"X-Min-Gallery-Version": f"999999999-{32 * '0'}"}
    lost = client.get("/v1/galleries/dlib/erasures", headers=wanted)
    assert (lost.status_code, lost.json()["code"]) == (409, "version_lost")


def test_nobody_of_that_id_is_not_found(client: httpx.Client) -> None:
    answer = client.post("/v1/erasures", json={"subject": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "subject_not_found")


def test_an_unknown_receipt_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/v1/erasures/00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (404, "erasure_not_found")


def test_a_rule_about_matches_needs_them_recorded(client: httpx.Client) -> None:
    wrong = {"name": "staff", "unmatched_lifetime_s": 86400, "audit_searches": "none"}
    answer = client.post("/v1/galleries", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "audit_searches" in answer.json()["detail"]
    made = client.post("/v1/galleries", json=wrong | {"audit_searches": "matches"})
    assert made.status_code == 201
    answer = client.patch("/v1/galleries/staff", json={"audit_searches": "none"})
    assert answer.status_code == 422
    answer = client.patch(
        "/v1/galleries/staff", json={"audit_searches": "none", "unmatched_lifetime_s": None}
    )
    assert answer.status_code == 200, answer.text


def test_a_repetition_of_an_erased_enrolment_enrols_nobody(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    def enrolled() -> httpx.Response:
        return client.post(
            "/v1/galleries/dlib/subjects/grace/faces?create=true",
            files={"file": photos.grace_bytes()},
            headers={"Idempotency-Key": "once"},
        )

    assert enrolled().status_code == 201
    assert enrolled().headers["Idempotency-Replayed"] == "true"
    body = sql.execute("SELECT convert_from(body, 'UTF8')::jsonb FROM idempotency_key").fetchone()
    assert body is not None
    assert (body[0]["subject"], body[0]["embedding"]) == ("grace", None)
    assert client.post("/v1/erasures", json={"subject": "grace"}).status_code == 200
    kept = sql.execute("SELECT k::text FROM idempotency_key k").fetchall()
    assert len(kept) == 1
    assert "grace" not in kept[0][0]
    again = enrolled()
    assert (again.status_code, again.json()["code"]) == (410, "erased")
    assert client.get("/v1/galleries/dlib/subjects/grace").status_code == 404
