"""Consents over HTTP: with every way of enrolment, recorded, listed, withdrawn."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from service.client import FaceMatch, FaceMatchError
from tests import photos
from tests.jobs.values import lines_of, tar_of, zip_of
from tests.web.conftest import ClientFor, Site
from tests.web.v1.conftest import detected, in_json
from tests.web.v1.test_imports import ended

STAFF = "/v1/galleries/staff"
GRACE = f"{STAFF}/subjects/grace"
CONSENTS = f"{GRACE}/consents"
GIVEN: dict[str, Any] = {"text_version": "2026-11", "purpose": "entry by face"}
NOBODY = "01a21066-80b2-7646-a76d-1c44833cc389"


@pytest.fixture(autouse=True)
def staff(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    """A gallery that demands consent."""
    body = {"name": "staff", "consent_required": True}
    assert client.post("/v1/galleries", json=body).status_code == 201
    yield
    sql.execute("DELETE FROM import_job")
    sql.execute("UPDATE gallery SET consent_required = false")


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def form(client: httpx.Client, consent: dict[str, Any] | None) -> httpx.Response:
    data = {} if consent is None else {"consent": json.dumps(consent)}
    files = {"file": photos.grace_bytes()}
    return client.post(f"{GRACE}/faces?create=true", data=data, files=files)


def as_json(client: httpx.Client, consent: dict[str, Any] | None) -> httpx.Response:
    body = {"image": in_json(photos.grace_bytes()), "consent": consent}
    return client.post(f"{GRACE}/faces?create=true", json=body)


def as_embedding(client: httpx.Client, consent: dict[str, Any] | None) -> httpx.Response:
    embedding, space = detected(client, photos.grace_bytes())
    body = {"embedding": embedding, "space": space, "consent": consent}
    return client.post(f"{GRACE}/faces?create=true", json=body)


@pytest.mark.parametrize("add", [form, as_json, as_embedding])
def test_a_face_needs_a_consent_and_may_bring_it(
    add: Callable[..., httpx.Response], client: httpx.Client
) -> None:
    assert refused(add(client, None)) == (409, "consent_missing")
    assert client.get(GRACE).status_code == 404
    added = add(client, GIVEN)
    assert added.status_code == 201, added.text
    (consent,) = client.get(CONSENTS).json()["consents"]
    assert {name: consent[name] for name in GIVEN} == GIVEN
    assert (consent["state"], consent["expires_at"], consent["withdrawn_at"]) == (
        "valid",
        None,
        None,
    )
    assert consent["recorded_by"] == client.headers["X-API-Key"][:11]


def test_a_subject_may_bring_its_consent(client: httpx.Client) -> None:
    body = {"id": "grace", "consent": GIVEN}
    assert client.post(f"{STAFF}/subjects", json=body).status_code == 201
    assert len(client.get(CONSENTS).json()["consents"]) == 1
    assert form(client, None).status_code == 201


def test_a_replaced_face_may_bring_it_too(client: httpx.Client, sql: psycopg.Connection) -> None:
    face = form(client, GIVEN).json()["id"]
    files = {"file": photos.encoded(photos.grace(), quality=60)}
    sql.execute("DELETE FROM consent")
    assert refused(client.put(f"{GRACE}/faces/{face}", files=files)) == (409, "consent_missing")
    data = {"consent": json.dumps(GIVEN)}
    assert client.put(f"{GRACE}/faces/{face}", files=files, data=data).status_code == 200
    assert len(client.get(CONSENTS).json()["consents"]) == 1


def test_the_plain_endpoint_takes_it(client: httpx.Client, sql: psycopg.Connection) -> None:
    sql.execute("UPDATE gallery SET consent_required = true WHERE name = 'dlib'")
    files = {"file": photos.grace_bytes()}
    answer = client.post("/add_face", data={"id": "grace"}, files=files)
    assert refused(answer) == (409, "consent_missing")
    wrong = client.post("/add_face", data={"id": "grace", "consent": "yes"}, files=files)
    assert refused(wrong) == (422, "invalid_request")
    data = {"id": "grace", "consent": json.dumps(GIVEN)}
    assert client.post("/add_face", data=data, files=files).status_code == 200
    there = client.get("/v1/galleries/dlib/subjects/grace/consents").json()["consents"]
    assert [each["text_version"] for each in there] == ["2026-11"]


CSV = (
    "file,id,department,consent_text_version,consent_purpose,consent_given_at\n"
    "a.jpg,grace,navy,2026-11,entry by face,2026-11-01T08:00:00Z\n"
    "b.jpg,eileen,nasa,,,\n"
)
NDJSON = lines_of(
    {"file": "a.jpg", "id": "grace", "metadata": {"department": "navy"}, "consent": GIVEN},
    {"file": "b.jpg", "id": "eileen"},
)
PICTURES = {"a.jpg": photos.grace_bytes(), "b.jpg": photos.astronaut_bytes()}
LINES = lines_of(
    {
        "id": "grace",
        "image": in_json(photos.grace_bytes()),
        "metadata": {"department": "navy"},
        "consent": GIVEN,
    },
    {"id": "eileen", "image": in_json(photos.astronaut_bytes())},
)


@pytest.mark.parametrize(
    "body",
    [
        tar_of({"manifest.csv": CSV.encode(), **PICTURES}),
        zip_of({**PICTURES, "manifest.ndjson": NDJSON}),
        LINES,
    ],
    ids=["csv", "ndjson", "lines"],
)
def test_an_import_enrols_who_has_a_consent_and_rejects_the_others(
    body: bytes, client: httpx.Client
) -> None:
    answer = client.post(f"{STAFF}/imports", content=body)
    assert answer.status_code == 202, answer.text
    job = ended(client, answer.headers["location"])
    items = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    assert [(each["id"], each["code"]) for each in items] == [
        ("grace", None),
        ("eileen", "consent_missing"),
    ]
    (consent,) = client.get(CONSENTS).json()["consents"]
    assert (consent["text_version"], consent["purpose"]) == ("2026-11", "entry by face")
    assert client.get(GRACE).json()["metadata"] == {"department": "navy"}
    assert client.get(f"{STAFF}/subjects/eileen").status_code == 404


def test_an_item_whose_consent_cannot_be_is_rejected(client: httpx.Client) -> None:
    image = in_json(photos.grace_bytes())
    wrong = [{"purpose": "entry"}, {**GIVEN, "given_at": "2999-01-01T00:00:00Z"}, "yes"]
    body = lines_of(*({"id": "grace", "image": image, "consent": each} for each in wrong))
    answer = client.post(f"{STAFF}/imports", content=body)
    job = ended(client, answer.headers["location"])
    items = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    assert [each["status"] for each in items] == ["rejected"] * 3
    assert all("consent" in each["reason"] for each in items)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text_version": ""},
        {"text_version": " "},
        {"purpose": None},
        {"purpose": "x" * 1001},
        {"purpose": "a\x00b"},
        {"given_at": "2026-11-01"},
        {"given_at": "2999-01-01T00:00:00Z"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"colour": "red"},
    ],
)
def test_a_consent_that_cannot_be_is_refused_everywhere(
    wrong: dict[str, Any], client: httpx.Client
) -> None:
    client.post(f"{STAFF}/subjects", json={"id": "grace"})
    for answer in (
        client.post(CONSENTS, json=GIVEN | wrong),
        form(client, GIVEN | wrong),
        as_json(client, GIVEN | wrong),
    ):
        assert refused(answer) == (422, "invalid_request"), answer.text
    assert client.get(CONSENTS).json()["consents"] == []


def test_consents_are_recorded_read_and_paged(client: httpx.Client) -> None:
    client.post(f"{STAFF}/subjects", json={"id": "grace"})
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    made = [
        client.post(CONSENTS, json=GIVEN | {"text_version": str(n), "expires_at": end})
        for n in range(3)
    ]
    assert [each.status_code for each in made] == [201] * 3
    assert client.get(made[0].headers["Location"]).json() == made[0].json()
    first = client.get(CONSENTS, params={"limit": 2}).json()
    second = client.get(CONSENTS, params={"limit": 2, "cursor": first["next"]}).json()
    listed = first["consents"] + second["consents"]
    assert listed == [each.json() for each in made]
    assert second["next"] is None


def test_a_repeated_request_records_one(client: httpx.Client) -> None:
    client.post(f"{STAFF}/subjects", json={"id": "grace"})
    headers = {"Idempotency-Key": "one"}
    first, second = (client.post(CONSENTS, json=GIVEN, headers=headers) for _ in range(2))
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()
    assert len(client.get(CONSENTS).json()["consents"]) == 1


def test_a_withdrawal_ends_searches_and_enrolments_until_a_new_consent(
    client: httpx.Client,
) -> None:
    form(client, GIVEN)
    probe = {"image": in_json(photos.grace_bytes())}
    assert client.post(f"{STAFF}/search", json=probe).json()["faces"][0]["matches"]
    (consent,) = client.get(CONSENTS).json()["consents"]
    path = f"{CONSENTS}/{consent['id']}/withdraw"
    answer = client.post(path)
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert client.post(path).json() == answer.json(), "again does nothing"
    assert client.get(f"{CONSENTS}/{consent['id']}").json() == answer.json()
    assert client.post(f"{STAFF}/search", json=probe).json()["faces"][0]["matches"] == []
    verified = client.post(f"{STAFF}/verify", json=probe | {"subject": "grace"})
    assert refused(verified) == (404, "subject_not_found")
    assert client.get(GRACE).json()["expired"] is True
    other = {"file": photos.encoded(photos.grace(), quality=60)}
    assert refused(client.post(f"{GRACE}/faces", files=other)) == (409, "subject_expired")
    data = {"consent": json.dumps(GIVEN | {"text_version": "2027-01"})}
    assert client.post(f"{GRACE}/faces", files=other, data=data).status_code == 201
    assert client.post(f"{STAFF}/search", json=probe).json()["faces"][0]["matches"]


def test_the_same_consent_with_each_photograph_is_recorded_once(client: httpx.Client) -> None:
    form(client, GIVEN)
    other = {"file": photos.encoded(photos.grace(), quality=60)}
    for consent in (GIVEN, GIVEN | {"text_version": "2027-01"}):
        data = {"consent": json.dumps(consent)}
        client.post(f"{GRACE}/faces", files=other, data=data)
        other = {"file": photos.encoded(photos.grace(), quality=70)}
    versions = [each["text_version"] for each in client.get(CONSENTS).json()["consents"]]
    assert versions == ["2026-11", "2027-01"]


def test_what_is_not_there_is_not_found(client: httpx.Client, client_for: ClientFor) -> None:
    for answer in (client.get(CONSENTS), client.post(CONSENTS, json=GIVEN)):
        assert refused(answer) == (404, "subject_not_found")
    client.post(f"{STAFF}/subjects", json={"id": "grace", "consent": GIVEN})
    for answer in (
        client.get(f"{CONSENTS}/{NOBODY}"),
        client.post(f"{CONSENTS}/{NOBODY}/withdraw"),
    ):
        assert refused(answer) == (404, "consent_not_found")
    (consent,) = client.get(CONSENTS).json()["consents"]
    client.post(f"{STAFF}/subjects", json={"id": "eileen"})
    of_another = f"{STAFF}/subjects/eileen/consents/{consent['id']}"
    assert refused(client.get(of_another)) == (404, "consent_not_found")
    assert refused(client.post(f"{of_another}/withdraw")) == (404, "consent_not_found")
    bound = client_for(galleries=["dlib"])
    for answer in (
        bound.get(CONSENTS),
        bound.post(CONSENTS, json=GIVEN),
        bound.get(f"{CONSENTS}/{consent['id']}"),
        bound.post(f"{CONSENTS}/{consent['id']}/withdraw"),
    ):
        assert refused(answer) == (404, "gallery_not_found")


def test_the_client_speaks_of_consents(client: httpx.Client, site: Site) -> None:
    with FaceMatch(site.server.url, client.headers["X-API-Key"]) as facematch:
        with pytest.raises(FaceMatchError) as error:
            facematch.add_face("staff", "grace", photos.grace_bytes())
        assert error.value.code == "consent_missing"
        face = facematch.add_face("staff", "grace", photos.grace_bytes(), consent=GIVEN)
        other = photos.encoded(photos.grace(), quality=60)
        facematch.replace_face("staff", "grace", face.id, other, consent=GIVEN)
        facematch.create_subject("staff", "eileen", consent=GIVEN)
        recorded = facematch.record_consent("staff", "grace", "2", "entry")
        assert len(list(facematch.consents("staff", "grace"))) == 2
        withdrawn = facematch.withdraw_consent("staff", "grace", recorded.id)
        assert (withdrawn.id, withdrawn.state) == (recorded.id, "withdrawn")
