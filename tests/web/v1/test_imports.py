"""Imports and /v1/jobs over HTTP on a real Postgres, with the real model."""

import base64
import json
import os
import re
import socket
import subprocess
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.jobs.values import lines_of, tar_of, zip_of
from tests.web.conftest import ClientFor, Site
from tests.web.v1.conftest import GALLERY, copied, detected

FILES = {
    "grace/1.jpg": photos.grace_bytes(),
    "grace/2.jpg": photos.encoded(photos.grace(), quality=70),
    "eileen.jpg": photos.astronaut_bytes(),
    "coffee.jpg": photos.encoded(photos.landscape()),
    "notes.txt": b"no picture",
}
IMPORTS = f"{GALLERY}/imports"


@pytest.fixture(autouse=True)
def no_jobs(client: httpx.Client, sql: psycopg.Connection) -> Any:
    yield
    sql.execute("DELETE FROM import_job")


def ended(client: httpx.Client, job: str) -> dict[str, Any]:
    """The job, once it has ended."""
    end = time.monotonic() + 60
    while True:
        answer = client.get(job)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["finished_at"]:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


def imported(client: httpx.Client, body: bytes, **more: Any) -> dict[str, Any]:
    answer = client.post(IMPORTS, content=body, **more)
    assert answer.status_code == 202, answer.text
    return ended(client, answer.headers["location"])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (tar_of(FILES), "application/x-tar"),
        (tar_of(FILES, "gz"), "application/gzip"),
        (zip_of(FILES), "application/zip"),
        (zip_of(FILES), None),
    ],
    ids=["tar", "tar.gz", "zip", "zip, unsaid"],
)
def test_photographs_of_an_archive_are_enrolled(
    body: bytes, kind: str | None, client: httpx.Client
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client.post(IMPORTS, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert (accepted["state"], accepted["total"], accepted["done"]) == ("waiting", 5, 0)
    assert answer.headers["location"] == f"/v1/jobs/{accepted['id']}"

    job = ended(client, answer.headers["location"])
    assert (job["state"], job["enrolled"], job["rejected"]) == ("finished", 3, 2)
    items = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    assert {item["file"]: item["code"] for item in items} == {
        "grace/1.jpg": None,
        "grace/2.jpg": None,
        "eileen.jpg": None,
        "coffee.jpg": "no_face",
        "notes.txt": "image_type_unsupported",
    }
    assert all((item["face"] is None) == (item["status"] == "rejected") for item in items)


def test_the_documented_curl_command_sends_an_archive(
    site: Site, client: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "people.tar.gz").write_bytes(tar_of(FILES, "gz"))
    docs = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
    (command,) = re.findall(r"^curl -T people.tar.gz .*$", docs, re.MULTILINE)
    done = subprocess.run(
        ["sh", "-c", command.replace("http://127.0.0.1:8000", site.server.url) + " -sS"],
        env=os.environ | {"FACEMATCH_KEY": client.headers["x-api-key"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended(client, f"/v1/jobs/{json.loads(done.stdout)['id']}")["enrolled"] == 3


def test_the_version_of_the_job_finds_what_it_has_enrolled(client: httpx.Client) -> None:
    job = imported(client, tar_of(FILES))
    version = client.get(f"/v1/jobs/{job['id']}").headers["x-gallery-version"]
    found = client.post(
        "/match_face",
        files={"file": photos.astronaut_bytes()},
        headers={"X-Min-Gallery-Version": version},
    )
    assert found.json()["matched_id"] == "eileen"


def test_lines_of_photographs_and_embeddings_are_enrolled(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    embedding, space = detected(client, photos.astronaut_bytes())
    image = base64.b64encode(photos.grace_bytes()).decode()
    body = lines_of(
        {"id": "grace", "image": image, "metadata": {"rank": "rear admiral"}},
        {"id": "eileen", "embedding": embedding, "space": space},
        {"id": "nobody"},
    )
    job = imported(client, body, headers={"Content-Type": "application/x-ndjson"})
    assert (job["enrolled"], job["rejected"]) == (2, 1)
    (rejected,) = client.get(f"/v1/jobs/{job['id']}/items", params={"status": "rejected"}).json()[
        "items"
    ]
    assert (rejected["number"], rejected["code"]) == (3, "invalid_item")
    row = sql.execute("SELECT metadata FROM subject WHERE external_id = 'grace'").fetchone()
    assert row == ({"rank": "rear admiral"},)


def test_the_same_import_again_is_skipped(client: httpx.Client) -> None:
    imported(client, tar_of(FILES))
    again = imported(client, tar_of(FILES))
    assert (again["enrolled"], again["skipped"], again["rejected"]) == (0, 3, 2)


def test_an_id_that_is_there_may_be_refused(client: httpx.Client) -> None:
    imported(client, tar_of({"eileen.jpg": FILES["eileen.jpg"]}))
    other = tar_of({"eileen.jpg": FILES["grace/1.jpg"]})
    job = imported(client, other, params={"existing": "refuse"})
    items = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    assert [item["code"] for item in items] == ["subject_exists"]
    assert client.post(IMPORTS, content=other, params={"existing": "x"}).status_code == 422


def test_a_repeated_import_answers_as_the_first(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post(IMPORTS, content=tar_of(FILES), headers=headers)
    second = client.post(IMPORTS, content=tar_of(FILES), headers=headers)
    assert (second.status_code, second.content) == (202, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotency-replayed"] == "true"
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1
    other = client.post(IMPORTS, content=zip_of(FILES), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (IMPORTS, b"no archive", 400, "invalid_import"),
        (IMPORTS, b"", 400, "invalid_import"),
        (IMPORTS, tar_of(FILES)[:100_000], 400, "invalid_import"),
        ("/v1/galleries/none/imports", tar_of(FILES), 404, "gallery_not_found"),
    ],
    ids=["no archive", "nothing", "cut off", "no gallery"],
)
def test_what_cannot_be_is_refused_with_a_problem(
    path: str, body: bytes, status: int, code: str, client: httpx.Client, sql: psycopg.Connection
) -> None:
    answer = client.post(path, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert sql.execute("SELECT count(*) FROM import_job").fetchone() == (0,)


def test_a_form_is_refused_with_what_to_do(client: httpx.Client) -> None:
    answer = client.post(IMPORTS, files={"file": tar_of(FILES)})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_import")
    assert "not in a form" in answer.json()["detail"]


def test_a_declared_length_beyond_the_limit_is_refused_before_the_body_comes(
    site: Site, client: httpx.Client
) -> None:
    host, port = site.server.url.removeprefix("http://").split(":")
    key = client.headers.get("x-api-key") or ""
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
            "Expect: 100-continue\r\nContent-Length: 3000000000\r\n\r\n".encode()
        )
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "import_too_large")


def test_a_body_larger_than_any_photograph_is_taken(client: httpx.Client) -> None:
    """It streams: the bounds of a single photograph are not its own."""
    files = {"large.jpg": bytes(11_000_000), "eileen.jpg": FILES["eileen.jpg"]}
    job = imported(client, tar_of(files))
    assert (job["enrolled"], job["rejected"]) == (1, 1)


def test_an_upload_that_breaks_off_leaves_nothing(
    site: Site, client: httpx.Client, sql: psycopg.Connection
) -> None:
    host, port = site.server.url.removeprefix("http://").split(":")
    key = client.headers.get("x-api-key") or ""
    body = tar_of({f"{n}.jpg": FILES["grace/1.jpg"] for n in range(200)})
    jobs = "SELECT count(*) FROM import_job"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            f"POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        connection.sendall(body[: len(body) // 2])
        end = time.monotonic() + 30
        while sql.execute("SELECT count(*) FROM import_item").fetchone() == (0,):
            assert time.monotonic() < end
    while sql.execute(jobs).fetchone() != (0,):
        assert time.monotonic() < end
    assert sql.execute("SELECT count(*) FROM import_item").fetchone() == (0,)
    assert client.get("/v1/jobs").json()["jobs"] == []


def many(count: int) -> bytes:
    """Photographs of one person that all differ."""
    image = photos.grace().resize((256, 300))
    files = {f"{n}.jpg": photos.encoded(image, quality=60) + b"%d" % n for n in range(count)}
    return tar_of(files)


def test_a_job_is_cancelled_and_keeps_what_it_has_enrolled(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    job = client.post(IMPORTS, content=many(150)).json()["id"]
    end = time.monotonic() + 60
    while client.get(f"/v1/jobs/{job}").json()["enrolled"] == 0:
        assert time.monotonic() < end
    headers = {"Idempotency-Key": "cancel"}
    cancelled = client.post(f"/v1/jobs/{job}/cancel", headers=headers)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = client.post(f"/v1/jobs/{job}/cancel", headers=headers)
    assert again.content == cancelled.content
    final = ended(client, f"/v1/jobs/{job}")
    assert final["enrolled"] + final["cancelled"] == final["total"] == 150
    assert final["cancelled"] > 0
    time.sleep(1)
    assert sql.execute("SELECT count(*) FROM face").fetchone() == (final["enrolled"],)


def test_jobs_and_items_are_listed_page_by_page(client: httpx.Client) -> None:
    jobs = [imported(client, tar_of({f"{n}.txt": b"no picture"}))["id"] for n in range(3)]
    first = client.get("/v1/jobs", params={"limit": 2}).json()
    second = client.get("/v1/jobs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [each["id"] for each in first["jobs"] + second["jobs"]] == jobs[::-1]
    assert second["next"] is None

    job = imported(client, tar_of({f"{n}.txt": b"no picture" for n in range(5)}))["id"]
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/v1/jobs/{job}/items", params=parameters).json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [1, 2, 3, 4, 5]
    for path in ("/v1/jobs", f"/v1/jobs/{job}/items"):
        for foreign in ("AAAA", "eA", "MTIzNDU2Nzg5MDEyMzQ1"):
            answer = client.get(path, params={"cursor": foreign})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_job_is_forgotten_with_its_results(client: httpx.Client, sql: psycopg.Connection) -> None:
    job = imported(client, tar_of(FILES))["id"]
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    gone = client.get(f"/v1/jobs/{job}")
    assert (gone.status_code, gone.json()["code"]) == (404, "job_not_found")
    assert sql.execute("SELECT count(*) FROM import_item").fetchone() == (0,)
    assert sql.execute("SELECT count(*) FROM face").fetchone() == (3,)


def test_a_key_of_another_gallery_can_neither_import_nor_see_nor_stop(
    client: httpx.Client, client_for: ClientFor, sql: psycopg.Connection
) -> None:
    copied(sql, "", "other", "somebody")
    job = imported(client, tar_of(FILES))["id"]
    stranger = client_for(galleries=["other"])
    refused = stranger.post(IMPORTS, content=tar_of(FILES))
    assert (refused.status_code, refused.json()["code"]) == (404, "gallery_not_found")
    for answer in (
        stranger.get(f"/v1/jobs/{job}"),
        stranger.get(f"/v1/jobs/{job}/items"),
        stranger.post(f"/v1/jobs/{job}/cancel"),
        stranger.delete(f"/v1/jobs/{job}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert stranger.get("/v1/jobs").json() == {"jobs": [], "next": None}
    friend = client_for(galleries=["dlib"])
    assert [each["id"] for each in friend.get("/v1/jobs").json()["jobs"]] == [job]


def test_scopes_bound_what_a_key_may_do(client: httpx.Client, client_for: ClientFor) -> None:
    body = tar_of({"a.txt": b"no picture"})
    enrolling, reading = client_for(["enrol"]), client_for(["read"])
    searching = client_for(["search"])
    job = enrolling.post(IMPORTS, content=body).json()["id"]
    for each in (enrolling, reading):
        assert each.get(f"/v1/jobs/{job}").status_code == 200
        assert each.get(f"/v1/jobs/{job}/items").status_code == 200
        assert each.get("/v1/jobs").status_code == 200
    for each in (reading, searching):
        for answer in (
            each.post(IMPORTS, content=body),
            each.post(f"/v1/jobs/{job}/cancel"),
            each.delete(f"/v1/jobs/{job}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert searching.get(f"/v1/jobs/{job}").status_code == 403
    assert client.get(f"/v1/jobs/{job}").json()["created_by"].startswith("fm_")
