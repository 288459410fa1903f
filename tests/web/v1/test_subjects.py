"""/v1/galleries/{gallery}/subjects over HTTP on a real Postgres."""

import json
import threading
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests import photos
from tests.web.conftest import ClientFor
from tests.web.v1.conftest import GALLERY, copied

SUBJECTS = f"{GALLERY}/subjects"
VERSION = "x-gallery-version"


def create(client: httpx.Client, id: str = "grace", **more: Any) -> httpx.Response:
    return client.post(SUBJECTS, json={"id": id, **more})


def created(client: httpx.Client, id: str = "grace", **more: Any) -> Any:
    answer = create(client, id, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def at(id: str, *more: str) -> str:
    return "/".join([SUBJECTS, quote(id, safe=""), *more])


def add(client: httpx.Client, id: str, photograph: bytes, **parameters: Any) -> httpx.Response:
    return client.post(at(id, "faces"), files={"file": ("p.jpg", photograph)}, params=parameters)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def found(client: httpx.Client, photograph: bytes) -> list[str]:
    answer = client.post(f"{GALLERY}/search", files={"file": photograph}, data={"top_k": 100})
    assert answer.status_code == 200, answer.text
    return [match["subject"] for match in answer.json()["faces"][0]["matches"]]


def test_a_subject_is_created_and_read(client: httpx.Client) -> None:
    made = create(client, metadata={"department": "navy"}, expires_at="2100-01-01T02:00:00+02:00")
    assert made.status_code == 201, made.text
    body = made.json()
    assert body == {
        "id": "grace",
        "metadata": {"department": "navy"},
        "created_at": body["created_at"],
        "expires_at": "2100-01-01T00:00:00Z",
        "expired": False,
        "faces": 0,
    }
    assert made.headers["location"] == at("grace")
    read = client.get(at("grace"), headers={"X-Min-Gallery-Version": made.headers[VERSION]})
    assert read.json() == body
    assert read.headers["etag"] == made.headers["etag"]
    assert read.headers[VERSION] == made.headers[VERSION]


def test_a_taken_id_is_refused(client: httpx.Client) -> None:
    created(client)
    assert refusal(create(client)) == (409, "subject_exists")


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    cases: list[tuple[str, str, Any]] = [
        ("GET", at("nobody"), {}),
        ("PATCH", at("nobody"), {"json": {"metadata": {}}}),
        ("DELETE", at("nobody"), {}),
        ("POST", at("nobody", "merge"), {"json": {"from": "grace"}}),
        ("GET", at("nobody", "faces"), {}),
    ]
    for method, path, more in cases:
        answer = client.request(method, path, **more)
        assert refusal(answer) == (404, "subject_not_found")
        assert answer.headers[VERSION]
    elsewhere = client.get("/v1/galleries/nowhere/subjects/grace")
    assert refusal(elsewhere) == (404, "gallery_not_found")


ODD = [
    "a/faces",
    "a/faces/b",
    "/",
    "a//b",
    "%",
    "%2F",
    "100%25",
    "?",
    "a?b=c#d",
    "#",
    "...",
    " grace ",
    "a+b",
    "é\u0301",
    "宇航员",
    "👩‍🚀",
    "🧑" * 255,
    "x" * 255,
    "'; DROP TABLE subject; --",
    "-",
    "\\",
    "merge",
]


@pytest.mark.parametrize("id", ODD)
def test_any_id_makes_the_whole_round(client: httpx.Client, id: str) -> None:
    made = create(client, id)
    assert made.status_code == 201, made.text
    assert client.get(made.headers["location"]).json()["id"] == id
    face = add(client, id, photos.grace_bytes())
    assert face.status_code == 201, face.text
    assert face.json()["subject"] == id
    assert client.get(face.headers["location"]).json() == face.json()
    assert client.patch(at(id), json={"metadata": {"a": 1}}).json()["metadata"] == {"a": 1}
    assert client.get(SUBJECTS, params={"metadata": '{"a": 1}'}).json()["subjects"][0]["id"] == id
    assert client.delete(at(id)).json() == {"id": id, "faces": 1, "replicas": None}
    assert refusal(client.get(at(id))) == (404, "subject_not_found")


@pytest.mark.parametrize("id", [".", "..", "a/b", "-", "?&#"])
def test_an_id_that_cannot_stand_in_a_path_goes_into_the_query(
    client: httpx.Client, id: str
) -> None:
    made = create(client, id)
    named = {"subject": id}
    assert client.get(f"{SUBJECTS}/-", params=named).json() == made.json()
    assert client.get(made.headers["location"]).json() == made.json()
    face = client.post(
        f"{SUBJECTS}/-/faces", params=named, files={"file": photos.grace_bytes()}
    ).json()
    one = client.get(f"{SUBJECTS}/-/faces/{face['id']}", params=named)
    assert one.json() == face
    assert refusal(client.get(f"{SUBJECTS}/x", params=named)) == (422, "invalid_request")
    assert client.delete(f"{SUBJECTS}/-", params=named).status_code == 200
    assert client.get(SUBJECTS).json()["subjects"] == []


def test_an_id_with_a_path_in_it_reaches_no_other_resource(client: httpx.Client) -> None:
    created(client, "a")
    face = add(client, "a", photos.grace_bytes()).json()["id"]
    for id in ("a/faces", f"a/faces/{face}", "a/merge", "a/../a", "b/../a", "a%2Ffaces"):
        for method in ("GET", "DELETE"):
            assert refusal(client.request(method, at(id))) == (404, "subject_not_found")
    assert client.get(at("a", "faces")).json()["faces"][0]["id"] == face


def test_a_gallery_with_a_slash_in_its_name_is_reached_too(client: httpx.Client) -> None:
    name = "sites/north?#%2F"
    assert client.post("/v1/galleries", json={"name": name}).status_code == 201
    path = f"/v1/galleries/{quote(name, safe='')}"
    assert client.get(path).json()["name"] == name
    assert client.post(f"{path}/subjects", json={"id": "a"}).status_code == 201
    assert client.get(f"{path}/subjects/a").status_code == 200
    assert client.get("/v1%2Fgalleries").status_code == 404


def test_a_path_that_is_no_text_is_refused(client: httpx.Client) -> None:
    assert refusal(client.get(f"{SUBJECTS}/%ff")) == (422, "invalid_request")
    assert refusal(client.get("/v1/galleries/%ff/subjects")) == (422, "invalid_request")
    for id in ("%00", "%0a", "%20", "x" * 256):
        assert refusal(client.get(f"{SUBJECTS}/{id}")) == (404, "subject_not_found")


@pytest.mark.parametrize("id", ["", " ", "a\x00b", "a\nb", "x" * 256, 7, None])
def test_an_id_that_cannot_be_is_refused(client: httpx.Client, id: Any) -> None:
    created(client, "there")
    assert refusal(create(client, id)) == (422, "invalid_request")
    assert refusal(client.patch(at("there"), json={"id": id})) == (422, "invalid_request")
    assert client.get(SUBJECTS).json()["subjects"][0]["id"] == "there"


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


GOOD_METADATA: list[Any] = [
    {},
    {"a": [1, 2.5, True, None, "x", {"b": []}]},
    nested(16),
    {"long": "x" * 16_000},
    {"big": 2**1000, "small": -1e-300},
    {"": {"💥": "\x01\x7f"}},
]
BAD_METADATA = [
    '{"a": NaN}',
    '{"a": Infinity}',
    '{"a": 1e999}',
    f'{{"a": {10**400}}}',
    f'{{"a": {"1" * 5000}}}',
    '{"a": "\\u0000"}',
    '{"\\u0000": 1}',
    '{"a": "\\ud800"}',
    '{"\\ud800": 1}',
    json.dumps(nested(17)),
    json.dumps({"long": "x" * 17_000}),
    '{"a": [' + '"' + "é" * 8_200 + '"]}',
    "[]",
    '"text"',
    "null",
    "[" * 100_000 + "]" * 100_000,
]


@pytest.mark.parametrize("metadata", GOOD_METADATA, ids=range(len(GOOD_METADATA)))
def test_metadata_come_back_as_they_were_given(client: httpx.Client, metadata: Any) -> None:
    assert created(client, metadata=metadata)["metadata"] == metadata
    assert client.get(at("grace")).json()["metadata"] == metadata


@pytest.mark.parametrize("metadata", BAD_METADATA, ids=range(len(BAD_METADATA)))
def test_metadata_that_cannot_be_are_refused(client: httpx.Client, metadata: str) -> None:
    created(client, "there")
    headers = {"Content-Type": "application/json"}
    whole = f'{{"id": "grace", "metadata": {metadata}}}'.encode()
    answer = client.post(SUBJECTS, content=whole, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    part = f'{{"metadata": {metadata}}}'.encode()
    answer = client.patch(at("there"), content=part, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    assert [each["id"] for each in client.get(SUBJECTS).json()["subjects"]] == ["there"]
    assert client.get(at("there")).json()["metadata"] == {}
    if len(metadata) < 2000:
        filtered = client.get(SUBJECTS, params={"metadata": metadata})
        assert refusal(filtered) == (422, "invalid_request")


def test_a_number_that_only_sql_finds_too_long_is_refused_as_well(client: httpx.Client) -> None:
    metadata = {"numbers": [1e300] * 100}
    answer = create(client, metadata=metadata)
    assert refusal(answer) == (422, "invalid_request")
    assert "16384" in answer.json()["detail"]


def test_a_field_that_is_no_text_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        SUBJECTS,
        content=b'{"id": "a", "\\ud800": 1}',
        headers={"Content-Type": "application/json"},
    )
    assert refusal(answer) == (422, "invalid_request")


@pytest.mark.parametrize(
    "expires_at",
    [
        *("tomorrow", "2030-01-01T00:00:00", "0001-01-01T00:00:00+14:00", 1e300),
        # seconds, which were taken for milliseconds and so for a day in 1978
        *(253_402_300_799, "253402300799"),
    ],
)
def test_an_expiry_that_cannot_be_is_refused(client: httpx.Client, expires_at: Any) -> None:
    assert refusal(create(client, expires_at=expires_at)) == (422, "invalid_request")


def test_the_gallery_s_lifetime_gives_new_subjects_their_end(client: httpx.Client) -> None:
    client.post("/v1/galleries", json={"name": "guests", "subject_lifetime_s": 86_400})
    subjects = "/v1/galleries/guests/subjects"
    made = client.post(subjects, json={"id": "a"}).json()
    assert made["created_at"][:10] < made["expires_at"][:10]
    said = {"id": "b", "expires_at": "2100-01-01T00:00:00Z"}
    assert client.post(subjects, json=said).json()["expires_at"] == said["expires_at"]
    face = client.post(
        f"{subjects}/c/faces", params={"create": True}, files={"file": photos.grace_bytes()}
    )
    assert face.status_code == 201
    assert client.get(f"{subjects}/c").json()["expires_at"]
    unending = client.patch(f"{subjects}/a", json={"expires_at": None}).json()
    assert unending["expires_at"] is None


def test_an_expired_subject_is_there_but_found_by_nobody(client: httpx.Client) -> None:
    created(client)
    face = add(client, "grace", photos.grace_bytes()).json()
    ended = client.patch(at("grace"), json={"expires_at": "2020-01-01T00:00:00Z"}).json()
    assert (ended["expired"], ended["faces"]) == (True, 1)
    assert found(client, photos.grace_bytes()) == []
    assert client.get(at("grace")).json() == ended
    assert client.get(SUBJECTS).json()["subjects"] == [ended]
    assert client.get(at("grace", "faces", face["id"])).json() == face
    other = photos.encoded(photos.grace(), quality=60)
    assert refusal(add(client, "grace", other)) == (409, "subject_expired")
    replaced = client.put(at("grace", "faces", face["id"]), files={"file": other})
    assert refusal(replaced) == (409, "subject_expired")
    assert refusal(create(client)) == (409, "subject_exists")
    client.patch(at("grace"), json={"expires_at": None})
    assert found(client, photos.grace_bytes()) == ["grace"]


def test_subjects_are_listed_page_by_page(client: httpx.Client) -> None:
    ids = ["b", "a/1", "ä", "👩‍🚀", "B"]
    for id in ids:
        created(client, id)
    seen: list[str] = []
    cursor = None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = client.get(SUBJECTS, params=parameters)
        assert answer.headers[VERSION]
        page = answer.json()
        seen += [each["id"] for each in page["subjects"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(ids)
    for wrong in ({"limit": 0}, {"limit": 1001}, {"cursor": "AAAA"}):
        assert refusal(client.get(SUBJECTS, params=wrong)) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["ada", "eileen", "grace"]),
        ({"department": "navy"}, ["grace"]),
        ({"badge": 7.0}, ["eileen"]),
        ({"tags": ["x"]}, ["eileen", "grace"]),
        ({"tags": ["x", "y"]}, ["grace"]),
        ({"address": {"city": "New York"}}, ["grace"]),
        ({"department": None}, []),
        ({"department": {"a": 1}}, []),
    ],
)
def test_subjects_are_filtered_by_what_their_metadata_contain(
    client: httpx.Client, wanted: Any, ids: list[str]
) -> None:
    created(client, "ada")
    created(client, "eileen", metadata={"department": "nasa", "badge": 7, "tags": ["x"]})
    address = {"city": "New York", "country": "US"}
    created(
        client,
        "grace",
        metadata={"department": "navy", "tags": ["y", "x"], "address": address},
    )
    page = client.get(SUBJECTS, params={"metadata": json.dumps(wanted)}).json()
    assert [each["id"] for each in page["subjects"]] == ids


@pytest.mark.parametrize("wanted", ["", "[]", "7", "{", "navy"])
def test_a_filter_that_is_no_object_is_refused(client: httpx.Client, wanted: str) -> None:
    answer = client.get(SUBJECTS, params={"metadata": wanted})
    assert refusal(answer) == (422, "invalid_request")


def test_a_change_keeps_what_it_does_not_name(client: httpx.Client) -> None:
    before = created(client, metadata={"a": 1}, expires_at="2100-01-01T00:00:00Z")
    changed = client.patch(at("grace"), json={"metadata": {"b": 2}})
    assert changed.json() == before | {"metadata": {"b": 2}}
    same = client.patch(at("grace"), json={})
    assert same.json() == changed.json()
    assert same.headers[VERSION] == changed.headers[VERSION]


def test_a_renamed_subject_is_found_by_its_new_id(client: httpx.Client) -> None:
    created(client)
    add(client, "grace", photos.grace_bytes())
    created(client, "taken")
    refused = client.patch(at("grace"), json={"id": "taken"})
    assert refusal(refused) == (409, "subject_exists")
    renamed = client.patch(at("grace"), json={"id": "Grace/Hopper"})
    assert renamed.json()["id"] == "Grace/Hopper"
    assert refusal(client.get(at("grace"))) == (404, "subject_not_found")
    assert client.get(at("Grace/Hopper")).json() == renamed.json()
    assert found(client, photos.grace_bytes()) == ["Grace/Hopper"]


def test_two_renames_to_one_id_end_with_one_of_it(client: httpx.Client) -> None:
    for id in ("a", "b", "c", "d"):
        created(client, id)
    answers: list[httpx.Response] = []

    def rename(id: str) -> None:
        answers.append(client.patch(at(id), json={"id": "new"}))

    threads = [threading.Thread(target=rename, args=(id,)) for id in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 409, 409, 409]
    assert len(client.get(SUBJECTS).json()["subjects"]) == 4


def test_a_change_or_deletion_from_a_stale_state_is_refused(client: httpx.Client) -> None:
    stale = create(client).headers["etag"]
    changed = client.patch(at("grace"), headers={"If-Match": stale}, json={"metadata": {"a": 1}})
    fresh = changed.headers["etag"]
    assert fresh != stale
    cases: list[tuple[str, Any]] = [("PATCH", {"json": {"metadata": {}}}), ("DELETE", {})]
    for method, more in cases:
        answer = client.request(method, at("grace"), headers={"If-Match": stale}, **more)
        assert refusal(answer) == (412, "precondition_failed")
    assert client.get(at("grace")).json()["metadata"] == {"a": 1}
    add(client, "grace", photos.grace_bytes())
    seen = client.delete(at("grace"), headers={"If-Match": fresh})
    assert refusal(seen) == (412, "precondition_failed")
    assert client.delete(at("grace"), headers={"If-Match": "*"}).status_code == 200


def test_a_deleted_subject_is_found_by_no_search(client: httpx.Client) -> None:
    created(client)
    add(client, "grace", photos.grace_bytes())
    add(client, "grace", photos.encoded(photos.grace(), quality=70))
    assert found(client, photos.grace_bytes()) == ["grace"]
    deleted = client.delete(at("grace"), params={"wait": "all"})
    body = deleted.json()
    assert (body["id"], body["faces"]) == ("grace", 2)
    assert len(body["replicas"]["applied"]) == 1
    assert body["replicas"]["pending"] == []
    assert found(client, photos.grace_bytes()) == []
    assert client.get("/list_faces").json()["total_faces"] == 0


def test_merging_moves_the_other_s_faces_and_deletes_it(client: httpx.Client) -> None:
    created(client, "grace", metadata={"badge": 1, "name": "Grace"})
    created(client, "hopper", metadata={"badge": 2, "rank": "rear admiral"})
    first = add(client, "grace", photos.grace_bytes()).json()
    again = photos.encoded(photos.grace(), quality=70)
    other = add(client, "hopper", again).json()
    add(client, "hopper", photos.grace_bytes())
    merged = client.post(at("grace", "merge"), json={"from": "hopper"})
    assert merged.status_code == 200, merged.text
    body = merged.json()
    assert (body["moved"], body["dropped"]) == (1, 1)
    assert body["subject"]["metadata"] == {"badge": 1, "name": "Grace", "rank": "rear admiral"}
    assert body["subject"] == client.get(at("grace")).json()
    assert merged.headers["etag"] == client.get(at("grace")).headers["etag"]
    faces = client.get(at("grace", "faces")).json()["faces"]
    assert faces == [first, other | {"subject": "grace"}]
    assert refusal(client.get(at("hopper"))) == (404, "subject_not_found")
    version = {"X-Min-Gallery-Version": merged.headers[VERSION]}
    answer = client.post(f"{GALLERY}/search", files={"file": again}, headers=version)
    (match,) = answer.json()["faces"][0]["matches"]
    assert (match["subject"], match["face"]) == ("grace", other["id"])


def test_merging_with_itself_nobody_or_the_expired_is_refused(client: httpx.Client) -> None:
    created(client)
    created(client, "old", expires_at="2020-01-01T00:00:00Z")
    for other, status, code in (
        ("grace", 422, "invalid_request"),
        ("nobody", 404, "subject_not_found"),
        ("\x00", 404, "subject_not_found"),
        ("old", 409, "subject_expired"),
    ):
        answer = client.post(at("grace", "merge"), json={"from": other})
        assert refusal(answer) == (status, code)
    back = client.post(at("old", "merge"), json={"from": "grace"})
    assert refusal(back) == (409, "subject_expired")
    assert len(client.get(SUBJECTS).json()["subjects"]) == 2


def test_a_merge_that_would_be_too_much_changes_nothing(client: httpx.Client) -> None:
    rules = {"name": "small", "max_faces_per_subject": 1}
    client.post("/v1/galleries", json=rules)
    subjects = "/v1/galleries/small/subjects"
    for id, quality in (("a", 90), ("b", 70)):
        file = {"file": photos.encoded(photos.grace(), quality=quality)}
        client.post(f"{subjects}/{id}/faces", params={"create": True}, files=file)
    answer = client.post(f"{subjects}/a/merge", json={"from": "b"})
    assert refusal(answer) == (409, "subject_full")
    for id in ("a", "b"):
        assert client.get(f"{subjects}/{id}").json()["faces"] == 1
    client.patch(f"{subjects}/a", json={"metadata": {"a": "x" * 9000}})
    client.patch(f"{subjects}/b", json={"metadata": {"b": "x" * 9000}})
    client.patch("/v1/galleries/small", json={"max_faces_per_subject": 2})
    answer = client.post(f"{subjects}/a/merge", json={"from": "b"})
    assert refusal(answer) == (422, "invalid_request")
    assert client.get(f"{subjects}/b").json()["faces"] == 1


def test_merging_two_subjects_into_each_other_ends_with_one(client: httpx.Client) -> None:
    for id, quality in (("a", 90), ("b", 70)):
        created(client, id)
        add(client, id, photos.encoded(photos.grace(), quality=quality))
    answers: list[int] = []

    def merge(into: str, other: str) -> None:
        answers.append(client.post(at(into, "merge"), json={"from": other}).status_code)

    threads = [threading.Thread(target=merge, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 404]
    (left,) = client.get(SUBJECTS).json()["subjects"]
    assert left["faces"] == 2


def test_a_repeated_request_answers_as_the_first(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post(SUBJECTS, json={"id": "a"}, headers=headers)
    again = client.post(SUBJECTS, json={"id": "a"}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("etag", "location", VERSION):
        assert again.headers[name] == first.headers[name]
    other = client.post(SUBJECTS, json={"id": "b"}, headers=headers)
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_repeated_merge_answers_as_the_first(client: httpx.Client) -> None:
    for id in ("a", "b", "a#x", "a#y"):
        created(client, id)
    headers = {"Idempotency-Key": "two"}
    first = client.post(at("a", "merge"), json={"from": "b"}, headers=headers)
    again = client.post(at("a", "merge"), json={"from": "b"}, headers=headers)
    assert again.json() == first.json()
    # the part of a path after an encoded # belongs to it
    headers = {"Idempotency-Key": "three"}
    client.post(at("a#x", "merge"), json={"from": "a"}, headers=headers)
    other = client.post(at("a#y", "merge"), json={"from": "a"}, headers=headers)
    assert refusal(other) == (422, "idempotency_key_reused")


@pytest.fixture
def elsewhere(client: httpx.Client, sql: psycopg.Connection, client_for: ClientFor) -> httpx.Client:
    """A key for the gallery `guests` alone; both galleries hold a `grace`."""
    created(client, metadata={"secret": 1})
    add(client, "grace", photos.grace_bytes())
    copied(sql, "grace", "guests", "grace")
    return client_for(galleries=["guests"])


def test_a_key_for_one_gallery_sees_and_changes_no_other(
    client: httpx.Client, elsewhere: httpx.Client
) -> None:
    assert elsewhere.get("/v1/galleries/guests/subjects").json()["subjects"][0]["faces"] == 1
    face = client.get(at("grace", "faces")).json()["faces"][0]["id"]
    before = client.get(at("grace"))
    file = {"files": {"file": photos.astronaut_bytes()}}
    cases: list[tuple[str, str, Any]] = [
        ("GET", SUBJECTS, {}),
        ("GET", f"{SUBJECTS}?metadata=%7B%7D", {}),
        ("POST", SUBJECTS, {"json": {"id": "new"}}),
        ("GET", at("grace"), {}),
        ("PATCH", at("grace"), {"json": {"metadata": {}}}),
        ("DELETE", at("grace"), {}),
        ("POST", at("grace", "merge"), {"json": {"from": "new"}}),
        ("GET", at("grace", "faces"), {}),
        ("POST", at("grace", "faces"), file),
        ("GET", at("grace", "faces", face), {}),
        ("PUT", at("grace", "faces", face), file),
        ("DELETE", at("grace", "faces", face), {}),
    ]
    for method, path, more in cases:
        answer = elsewhere.request(method, path, **more)
        assert refusal(answer) == (404, "gallery_not_found"), f"{method} {path}"
        assert VERSION not in answer.headers
    after = client.get(at("grace"))
    assert (after.content, after.headers[VERSION]) == (before.content, before.headers[VERSION])


def test_ids_of_another_gallery_are_not_found_in_one_s_own(
    client: httpx.Client, elsewhere: httpx.Client
) -> None:
    face = client.get(at("grace", "faces")).json()["faces"][0]["id"]
    own = "/v1/galleries/guests/subjects/grace/faces"
    cases: list[tuple[str, Any]] = [
        ("GET", {}),
        ("GET", {"params": {"include": "embedding"}}),
        ("PUT", {"files": {"file": photos.astronaut_bytes()}}),
        ("DELETE", {}),
    ]
    for method, more in cases:
        answer = elsewhere.request(method, f"{own}/{face}", **more)
        assert refusal(answer) == (404, "face_not_found")
    assert client.get(at("grace", "faces", face)).status_code == 200


def test_every_endpoint_asks_for_its_scope(client: httpx.Client, client_for: ClientFor) -> None:
    created(client)
    face = add(client, "grace", photos.grace_bytes()).json()["id"]
    file = {"files": {"file": photos.astronaut_bytes()}}
    cases: list[tuple[str, str, str, Any]] = [
        ("enrol search", "GET", SUBJECTS, {}),
        ("enrol search", "GET", at("grace"), {}),
        ("enrol search export", "GET", at("grace", "faces"), {}),
        ("enrol search export", "GET", at("grace", "faces", face), {}),
        ("read search", "POST", SUBJECTS, {"json": {"id": "new"}}),
        ("read search", "PATCH", at("grace"), {"json": {}}),
        ("read search", "DELETE", at("grace"), {}),
        ("read search", "POST", at("grace", "merge"), {"json": {"from": "x"}}),
        ("read search", "POST", at("grace", "faces"), file),
        ("read search", "PUT", at("grace", "faces", face), file),
        ("read search", "DELETE", at("grace", "faces", face), {}),
        ("read", "GET", f"{at('grace', 'faces')}?include=embedding", {}),
        ("read", "GET", f"{at('grace', 'faces', face)}?include=embedding", {}),
    ]
    for scopes, method, path, more in cases:
        answer = client_for(scopes.split()).request(method, path, **more)
        assert refusal(answer) == (403, "scope_missing"), f"{scopes}: {method} {path}"
    assert client.get(at("grace")).json()["faces"] == 1


def test_who_may_not_read_learns_nothing_from_a_change(
    client: httpx.Client, client_for: ClientFor
) -> None:
    created(client, metadata={"secret": 1})
    created(client, "hopper", metadata={"other": 2})
    enrolling = client_for(["enrol"])
    for answer in (
        enrolling.patch(at("grace"), json={}),
        enrolling.patch(at("grace"), json={"expires_at": "2100-01-01T00:00:00Z"}),
        enrolling.post(at("grace", "merge"), json={"from": "hopper"}),
    ):
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers[VERSION]
        assert "etag" not in answer.headers
    assert client.get(at("grace")).json()["metadata"] == {"secret": 1, "other": 2}
