"""/v1/galleries/{gallery}/subjects/{subject}/faces over HTTP, with real photographs."""

import hashlib
import threading
import uuid
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from tests import photos
from tests.web.conftest import ClientFor
from tests.web.v1.conftest import GALLERY, detected, in_json
from tests.web.v1.test_subjects import SUBJECTS, VERSION, add, at, create, created, found, refusal

FACES = at("grace", "faces")
UNKNOWN = uuid.UUID(int=7)


def another(quality: int = 70) -> bytes:
    """One more photograph of Grace Hopper."""
    return photos.encoded(photos.grace(), quality=quality)


def added(client: httpx.Client, photograph: bytes | None = None, id: str = "grace") -> Any:
    answer = add(client, id, photograph or photos.grace_bytes(), create=True)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_photograph_is_added_to_a_subject(client: httpx.Client) -> None:
    created(client)
    answer = add(client, "grace", photos.grace_bytes())
    assert answer.status_code == 201, answer.text
    face = answer.json()
    assert face["subject"] == "grace"
    assert face["image_name"] == "p.jpg"
    assert face["image_sha256"] == hashlib.sha256(photos.grace_bytes()).hexdigest()
    assert face["box"] == {"left": 161, "top": 137, "width": 216, "height": 216}
    assert face["quality"]["size"] == 216
    assert face["embedding"] is None
    assert answer.headers["location"] == f"{FACES}/{face['id']}"
    read = client.get(answer.headers["location"])
    assert (read.json(), read.headers["etag"]) == (face, answer.headers["etag"])
    assert found(client, photos.grace_bytes()) == ["grace"]
    assert client.get(at("grace")).json()["faces"] == 1


def test_a_photograph_in_json_is_the_same_photograph(client: httpx.Client) -> None:
    created(client)
    sent = {"image": in_json(photos.grace_bytes()), "image_name": "g.jpg"}
    answer = client.post(FACES, json=sent)
    assert answer.status_code == 201, answer.text
    assert answer.json()["image_name"] == "g.jpg"
    assert answer.json()["image_sha256"] == hashlib.sha256(photos.grace_bytes()).hexdigest()
    assert refusal(add(client, "grace", photos.grace_bytes())) == (409, "face_exists")


def test_the_largest_allowed_photograph_fits_into_json(client: httpx.Client) -> None:
    """Base64 makes four bytes of three; and a larger one is refused for its size."""
    created(client)
    padded = photos.grace_bytes().ljust(10_000_000, b"\0")
    assert client.post(FACES, json={"image": in_json(padded)}).status_code == 201
    larger = client.post(FACES, json={"image": in_json(padded + b"\0\0\0")})
    assert refusal(larger) == (413, "image_too_large")
    much_larger = client.post(FACES, json={"image": in_json(padded.ljust(20_000_000, b"\0"))})
    assert refusal(much_larger) == (413, "image_too_large")


def test_an_embedding_of_the_gallery_s_space_is_a_face(client: httpx.Client) -> None:
    created(client)
    embedding, space = detected(client, photos.grace_bytes())
    sent = {"embedding": [3 * value for value in embedding], "space": space}
    answer = client.post(FACES, json=sent)
    assert answer.status_code == 201, answer.text
    face = answer.json()
    assert (face["image_sha256"], face["box"], face["quality"]) == (None, None, None)
    assert found(client, photos.grace_bytes()) == ["grace"]
    assert refusal(client.post(FACES, json=sent)) == (409, "face_exists")
    shown = client.get(f"{FACES}/{face['id']}", params={"include": "embedding"}).json()
    assert shown["embedding"] == pytest.approx(embedding, abs=1e-6)


def test_an_embedding_of_another_space_is_refused(client: httpx.Client) -> None:
    created(client)
    embedding, space = detected(client, photos.grace_bytes())
    for wrong in (
        {"model": "ArcFace"},
        {"detector": "opencv"},
        {"alignment": "deepface"},
        {"weights_sha256": "0" * 64},
    ):
        answer = client.post(FACES, json={"embedding": embedding, "space": space | wrong})
        assert refusal(answer) == (409, "space_mismatch")
    unnamed = client.post(FACES, json={"embedding": embedding})
    assert refusal(unnamed) == (422, "invalid_request")
    assert client.get(FACES).json()["faces"] == []


@pytest.mark.parametrize(
    "values",
    [
        "[1, 2, 3]",
        "[" + ",".join(["0"] * 128) + "]",
        "[" + ",".join(["NaN"] * 128) + "]",
        "[" + ",".join(["1e999"] * 128) + "]",
        "[" + ",".join(["1" + "0" * 400] * 128) + "]",
        "[]",
        '["1"]',
        "7",
        "[" + ",".join(["1"] * 5000) + "]",
    ],
    ids=range(9),
)
def test_an_embedding_that_cannot_be_is_refused(client: httpx.Client, values: str) -> None:
    created(client)
    space = '{"model": "Dlib", "detector": "dlib", "alignment": "native"}'
    answer = client.post(
        FACES,
        content=f'{{"embedding": {values}, "space": {space}}}',
        headers={"Content-Type": "application/json"},
    )
    assert refusal(answer) in {(400, "invalid_embedding"), (422, "invalid_request")}
    assert client.get(FACES).json()["faces"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"image": "no base64!"}, 422, "invalid_request"),
        ({"image": "data:image/jpeg;base64,AAAA"}, 422, "invalid_request"),
        ({"image": "AAAA", "embedding": [1.0]}, 422, "invalid_request"),
        ({"image": "AAAA", "colour": "red"}, 422, "invalid_request"),
        ({"image": "AAAA", "image_name": "x" * 1001}, 422, "invalid_request"),
        ({"image": "AAAA"}, 415, "image_type_unsupported"),
        ({"image": ""}, 400, "image_damaged"),
    ],
)
def test_a_body_that_is_no_face_is_refused(
    client: httpx.Client, body: Any, status: int, code: str
) -> None:
    created(client)
    assert refusal(client.post(FACES, json=body)) == (status, code)


def test_a_body_of_another_type_is_refused(client: httpx.Client) -> None:
    created(client)
    raw = client.post(FACES, content=photos.grace_bytes(), headers={"Content-Type": "image/jpeg"})
    assert refusal(raw) == (422, "invalid_request")
    assert refusal(client.post(FACES)) == (422, "invalid_request")
    assert refusal(client.post(FACES, data={"file": "text"})) == (422, "invalid_request")


def test_photographs_without_or_with_several_faces_are_refused(client: httpx.Client) -> None:
    created(client)
    answer = add(client, "grace", photos.encoded(photos.landscape()))
    assert refusal(answer) == (400, "no_face")
    answer = add(client, "grace", photos.encoded(photos.couple()))
    assert refusal(answer) == (400, "several_faces")


def test_an_unknown_subject_is_made_only_when_that_is_asked_for(client: httpx.Client) -> None:
    answer = add(client, "grace", photos.grace_bytes())
    assert refusal(answer) == (404, "subject_not_found")
    assert client.get(SUBJECTS).json()["subjects"] == []
    assert added(client)["subject"] == "grace"
    assert added(client, another())["subject"] == "grace"
    assert client.get(at("grace")).json()["faces"] == 2
    blank = add(client, " ", photos.grace_bytes(), create=True)
    assert refusal(blank) == (422, "invalid_request")


def test_faces_are_listed_in_the_order_of_their_enrolment(client: httpx.Client) -> None:
    made = [added(client, another(quality)) for quality in (90, 80, 70)]
    added(client, photos.astronaut_bytes(), "eileen")
    page = client.get(FACES, params={"limit": 2}).json()
    assert page["faces"] == made[:2]
    rest = client.get(FACES, params={"limit": 2, "cursor": page["next"]}).json()
    assert rest == {"faces": made[2:], "next": None}
    for wrong in ({"cursor": "AAAA"}, {"cursor": "Z3JhY2U"}, {"limit": 0}):
        assert refusal(client.get(FACES, params=wrong)) == (422, "invalid_request")


def test_a_face_of_somebody_else_is_not_found_under_a_subject(client: httpx.Client) -> None:
    created(client)
    face = added(client, photos.astronaut_bytes(), "eileen")["id"]
    for id in (face, UNKNOWN):
        cases: list[tuple[str, Any]] = [
            ("GET", {}),
            ("PUT", {"files": {"file": photos.grace_bytes()}}),
            ("DELETE", {}),
        ]
        for method, more in cases:
            answer = client.request(method, f"{FACES}/{id}", **more)
            assert refusal(answer) == (404, "face_not_found")
    assert refusal(client.get(f"{FACES}/7")) == (422, "invalid_request")
    assert client.get(at("eileen", "faces", face)).status_code == 200


def test_a_deleted_face_is_found_by_no_search_and_the_others_are(client: httpx.Client) -> None:
    first = added(client)
    second = added(client, photos.astronaut_bytes())
    assert found(client, photos.astronaut_bytes()) == ["grace"]
    gone = client.delete(f"{FACES}/{second['id']}", params={"wait": "all"})
    assert gone.status_code == 200, gone.text
    assert gone.json()["id"] == second["id"]
    assert len(gone.json()["replicas"]["applied"]) == 1
    assert found(client, photos.astronaut_bytes()) == []
    assert found(client, photos.grace_bytes()) == ["grace"]
    assert refusal(client.get(f"{FACES}/{second['id']}")) == (404, "face_not_found")
    last = client.delete(f"{FACES}/{first['id']}")
    assert last.json() == {"id": first["id"], "replicas": None}
    assert client.get(at("grace")).json()["faces"] == 0
    assert found(client, photos.grace_bytes()) == []


def test_a_replaced_face_keeps_its_id_and_nothing_else(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    before = added(client)
    path = f"{FACES}/{before['id']}"
    answer = client.put(path, files={"file": ("new.jpg", photos.astronaut_bytes())})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["id"], after["image_name"]) == (before["id"], "new.jpg")
    for field in ("image_sha256", "box", "created_at", "quality"):
        assert after[field] != before[field]
    assert client.get(path).json() == after
    assert found(client, photos.astronaut_bytes()) == ["grace"]
    assert found(client, photos.grace_bytes()) == []
    left = sql.execute("SELECT count(*) FROM face_embedding").fetchone()
    assert left == (1,)


def test_a_face_is_replaced_by_an_embedding_and_back(client: httpx.Client) -> None:
    face = added(client)
    path = f"{FACES}/{face['id']}"
    embedding, space = detected(client, photos.astronaut_bytes())
    bare = client.put(path, json={"embedding": embedding, "space": space})
    assert bare.status_code == 200, bare.text
    assert (bare.json()["image_sha256"], bare.json()["quality"]) == (None, None)
    assert found(client, photos.astronaut_bytes()) == ["grace"]
    again = client.put(path, files={"file": photos.grace_bytes()})
    assert again.json()["image_sha256"] == face["image_sha256"]
    assert found(client, photos.grace_bytes()) == ["grace"]


def test_a_face_is_not_replaced_by_a_photograph_of_another_face(client: httpx.Client) -> None:
    first, second = added(client), added(client, another())
    answer = client.put(f"{FACES}/{first['id']}", files={"file": another()})
    assert refusal(answer) == (409, "face_exists")
    same = client.put(f"{FACES}/{second['id']}", files={"file": another()})
    assert same.status_code == 200


def test_a_face_is_changed_only_from_the_state_that_was_read(client: httpx.Client) -> None:
    face = added(client)
    path = f"{FACES}/{face['id']}"
    stale = client.get(path).headers["etag"]
    client.put(path, files={"file": another()}, headers={"If-Match": stale})
    put = client.put(path, files={"file": photos.grace_bytes()}, headers={"If-Match": stale})
    assert refusal(put) == (412, "precondition_failed")
    deleted = client.delete(path, headers={"If-Match": stale})
    assert refusal(deleted) == (412, "precondition_failed")
    fresh = client.get(path).headers["etag"]
    assert client.delete(path, headers={"If-Match": fresh}).status_code == 200


def test_embeddings_are_shown_to_those_only_who_may_export(
    client: httpx.Client, client_for: ClientFor
) -> None:
    face = added(client)
    embedding, _ = detected(client, photos.grace_bytes())
    exporting, reading = client_for(["read", "export"]), client_for(["read"])
    for path in (FACES, f"{FACES}/{face['id']}"):
        asked = {"include": "embedding"}
        assert refusal(reading.get(path, params=asked)) == (403, "scope_missing")
        shown = exporting.get(path, params=asked).json()
        vector = shown.get("embedding") or shown["faces"][0]["embedding"]
        assert vector == pytest.approx(embedding, abs=1e-6)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        unasked = exporting.get(path).json()
        assert unasked.get("embedding", unasked.get("faces", [{}])[0].get("embedding")) is None
    odd = exporting.get(FACES, params={"include": "everything"})
    assert refusal(odd) == (422, "invalid_request")


def test_a_face_tells_whose_key_enrolled_it(client: httpx.Client, client_for: ClientFor) -> None:
    created(client)
    by = client_for(["enrol"])
    face = add(by, "grace", photos.grace_bytes()).json()
    plain = by.post("/add_face", data={"id": "eileen"}, files={"file": photos.astronaut_bytes()})
    assert plain.status_code == 200
    (listed,) = client.get(at("eileen", "faces")).json()["faces"]
    assert listed["created_by"] == face["created_by"]
    assert face["created_by"].startswith("fm_")


def test_a_repeated_addition_answers_as_the_first(client: httpx.Client) -> None:
    created(client)
    headers = {"Idempotency-Key": "one"}
    file = {"file": ("p.jpg", photos.grace_bytes())}
    first = client.post(FACES, files=file, headers=headers)
    again = client.post(FACES, files=file, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert client.get(at("grace")).json()["faces"] == 1
    other = {"file": ("p.jpg", another())}
    assert refusal(client.post(FACES, files=other, headers=headers)) == (
        422,
        "idempotency_key_reused",
    )
    making = client.post(FACES, files=file, headers=headers, params={"create": True})
    assert refusal(making) == (422, "idempotency_key_reused")


def test_a_version_that_nobody_has_is_lost_for_every_endpoint(client: httpx.Client) -> None:
    face = added(client)["id"]
    lost = {"X-Min-Gallery-Version": f"999-{'0' * 32}"}
    file = {"files": {"file": another()}}
    cases: list[tuple[str, str, Any]] = [
        ("GET", SUBJECTS, {}),
        ("POST", SUBJECTS, {"json": {"id": "a"}}),
        ("GET", at("grace"), {}),
        ("PATCH", at("grace"), {"json": {}}),
        ("POST", at("grace", "merge"), {"json": {"from": "a"}}),
        ("GET", FACES, {}),
        ("POST", FACES, file),
        ("GET", f"{FACES}/{face}", {}),
        ("PUT", f"{FACES}/{face}", file),
        ("DELETE", f"{FACES}/{face}", {}),
        ("DELETE", at("grace"), {}),
    ]
    for method, path, more in cases:
        answer = client.request(method, path, headers=lost, **more)
        assert refusal(answer) == (409, "version_lost"), f"{method} {path}"
    assert client.get(FACES).headers[VERSION]


def with_rules(client: httpx.Client, **rules: Any) -> None:
    answer = client.patch(GALLERY, json=rules)
    assert answer.status_code == 200, answer.text


@pytest.fixture(autouse=True)
def usual_rules(client: httpx.Client) -> Any:
    yield
    with_rules(client, max_faces_per_subject=100, gates={})


def test_a_subject_has_only_as_many_faces_as_its_gallery_allows(client: httpx.Client) -> None:
    with_rules(client, max_faces_per_subject=2)
    face = added(client, another(90))
    added(client, another(80))
    assert refusal(add(client, "grace", another(70))) == (409, "subject_full")
    replaced = client.put(f"{FACES}/{face['id']}", files={"file": another(70)})
    assert replaced.status_code == 200
    client.delete(f"{FACES}/{face['id']}")
    assert add(client, "grace", another(90)).status_code == 201


def test_faces_added_at_once_never_exceed_the_limit(client: httpx.Client) -> None:
    with_rules(client, max_faces_per_subject=3)
    created(client)
    answers: list[httpx.Response] = []

    def work(quality: int) -> None:
        answers.append(add(client, "grace", another(quality)))

    threads = [threading.Thread(target=work, args=(quality,)) for quality in range(40, 88, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201] * 3 + [409] * 5
    assert {refusal(answer) for answer in answers if answer.status_code == 409} == {
        (409, "subject_full")
    }
    assert client.get(at("grace")).json()["faces"] == 3


def test_one_subject_made_by_several_requests_at_once_has_all_their_faces(
    client: httpx.Client,
) -> None:
    answers: list[httpx.Response] = []

    def work(quality: int) -> None:
        answers.append(add(client, "grace", another(quality), create=True))

    threads = [threading.Thread(target=work, args=(quality,)) for quality in (90, 80, 70, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4, [a.text for a in answers]
    assert client.get(at("grace")).json()["faces"] == 4


def test_the_gallery_s_own_limit_holds_as_well(client: httpx.Client) -> None:
    with_rules(client, max_faces=1)
    added(client)
    assert refusal(add(client, "grace", another())) == (409, "gallery_full")
    assert create(client, "eileen").status_code == 201
