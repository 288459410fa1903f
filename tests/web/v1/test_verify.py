"""Comparing with a subject, and photographs with each other, over HTTP."""

import csv
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests import photos
from tests.web.v1.conftest import GALLERY, copied, detected, face_of, in_json

VERIFY = f"{GALLERY}/verify"


def verify(client: httpx.Client, subject: str, photograph: bytes, **fields: Any) -> httpx.Response:
    return client.post(VERIFY, data={"subject": subject} | fields, files={"file": photograph})


def compare(client: httpx.Client, one: bytes, *others: bytes, **fields: Any) -> httpx.Response:
    files = [("file_a", one), *(("file_b", other) for other in others)]
    return client.post("/v1/verify", data=fields, files=files)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def test_a_photograph_is_the_subjects_or_is_not(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    own = verify(client, "grace", photos.grace_bytes())
    assert own.status_code == 200, own.text
    body = own.json()
    assert body.pop("probe")["box"]["width"] == 216
    assert body == {
        "gallery": "dlib",
        "subject": "grace",
        "matched": True,
        "similarity": 1.0,
        "threshold": 0.922,
        "confidence": "very_high",
        "face": face_of(sql, "grace"),
        "faces_compared": 1,
    }
    assert own.headers["x-gallery-version"] == client.get(GALLERY).headers["x-gallery-version"]
    other = verify(client, "eileen", photos.grace_bytes()).json()
    assert (other["matched"], other["confidence"]) == (False, None)
    assert 0.5 < other["similarity"] < 0.922
    assert other["face"] == face_of(sql, "eileen")


def test_verifying_and_searching_say_the_same_number(client: httpx.Client, people: None) -> None:
    photograph = photos.encoded(photos.grace(), quality=20)
    verified = verify(client, "grace", photograph).json()
    searched = client.post(f"{GALLERY}/search", files={"file": photograph}).json()
    (match,) = searched["faces"][0]["matches"]
    assert verified["similarity"] == match["similarity"] < 1
    assert verified["face"] == match["face"]


def test_the_best_of_the_subjects_faces_counts_as_the_table_has_them(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    copied(sql, "eileen", "dlib", "twin")
    sql.execute(
        "UPDATE face SET subject_id = (SELECT id FROM subject WHERE external_id = 'grace')"
        " WHERE subject_id = (SELECT id FROM subject WHERE external_id = 'twin')"
    )
    both = verify(client, "grace", photos.grace_bytes()).json()
    assert (both["similarity"], both["faces_compared"]) == (1.0, 2)
    sql.execute("DELETE FROM face WHERE id = %s", (face_of(sql, "grace"),))
    one = verify(client, "grace", photos.grace_bytes()).json()
    assert (one["matched"], one["faces_compared"]) == (False, 1)
    sql.execute(
        "DELETE FROM face WHERE subject_id = (SELECT id FROM subject WHERE external_id = 'grace')"
    )
    none = verify(client, "grace", photos.grace_bytes()).json()
    assert (none["matched"], none["similarity"], none["face"], none["faces_compared"]) == (
        False,
        None,
        None,
        0,
    )


def test_a_threshold_of_ones_own(client: httpx.Client, people: None) -> None:
    loose = verify(client, "eileen", photos.grace_bytes(), threshold=0.5).json()
    assert (loose["matched"], loose["threshold"], loose["confidence"]) == (True, 0.5, "low")
    assert verify(client, "grace", photos.grace_bytes(), threshold=1).json()["matched"] is True


def test_an_embedding_and_an_enrolled_face_are_compared_too(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    embedding, space = detected(client, photos.grace_bytes())
    body = {"subject": "grace", "embedding": embedding, "space": space}
    assert client.post(VERIFY, json=body).json()["similarity"] == 1.0
    other_space = body | {"space": space | {"alignment": "deepface"}}
    assert refusal(client.post(VERIFY, json=other_space)) == (409, "space_mismatch")
    grace = face_of(sql, "grace")
    other = client.post(VERIFY, json={"subject": "eileen", "face": grace}).json()
    assert (other["matched"], other["faces_compared"], other["probe"]) == (False, 1, None)
    own = client.post(VERIFY, json={"subject": "grace", "face": grace}).json()
    assert (own["similarity"], own["faces_compared"]) == (None, 0)


@pytest.mark.parametrize("subject", ["nobody", "", " ", "a\nb", "%00"])
def test_a_subject_that_is_not_there_is_not_found(
    subject: str, client: httpx.Client, people: None
) -> None:
    body = {"subject": subject, "image": in_json(photos.grace_bytes())}
    assert refusal(client.post(VERIFY, json=body)) == (404, "subject_not_found")


def test_an_expired_subject_and_another_gallerys_are_not_found(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    copied(sql, "grace", "other", "somebody")
    sql.execute("UPDATE subject SET expires_at = now() WHERE external_id = 'eileen'")
    for subject in ("somebody", "eileen"):
        answer = verify(client, subject, photos.grace_bytes())
        assert refusal(answer) == (404, "subject_not_found")
    gone = client.post("/v1/galleries/none/verify", data={"subject": "grace"}, files={"file": b"x"})
    assert refusal(gone) == (404, "gallery_not_found")


def test_two_photographs_are_compared(client: httpx.Client) -> None:
    same = compare(client, photos.grace_bytes(), photos.encoded(photos.grace(), quality=30))
    assert same.status_code == 200, same.text
    body = same.json()
    assert body["matched"] is True
    assert 0.99 < body["similarity"] < 1
    assert body["threshold"] == 0.922
    assert (body["space"]["model"], body["space"]["alignment"]) == ("Dlib", "native")
    (comparison,) = body["comparisons"]
    assert comparison["similarity"] == body["similarity"]
    assert body["face"]["box"]["width"] == 216
    other = compare(client, photos.grace_bytes(), photos.astronaut_bytes()).json()
    assert (other["matched"], other["comparisons"][0]["matched"]) == (False, False)
    loose = compare(client, photos.grace_bytes(), photos.astronaut_bytes(), threshold=0.5).json()
    assert (loose["matched"], loose["threshold"]) == (True, 0.5)


def test_one_photograph_is_compared_with_many(client: httpx.Client) -> None:
    others = [photos.astronaut_bytes(), photos.grace_bytes()]
    body = compare(client, photos.grace_bytes(), *others).json()
    assert [each["matched"] for each in body["comparisons"]] == [False, True]
    assert (body["matched"], body["similarity"]) == (True, 1.0)
    in_body = {"image": in_json(photos.grace_bytes()), "others": list(map(in_json, others))}
    assert client.post("/v1/verify", json=in_body).json() == body


def test_a_refusal_says_which_photograph_it_is_about(client: httpx.Client) -> None:
    landscape = photos.encoded(photos.landscape())
    third = compare(client, photos.grace_bytes(), photos.astronaut_bytes(), landscape)
    assert refusal(third) == (400, "no_face")
    assert third.json()["detail"].startswith("Photograph 3: ")
    first = compare(client, b"hello", photos.grace_bytes())
    assert refusal(first) == (415, "image_type_unsupported")
    assert first.json()["detail"].startswith("Photograph 1: ")


def test_a_face_that_nobody_could_tell_is_not_compared(client: httpx.Client, people: None) -> None:
    overexposed = photos.encoded(photos.grace().point(lambda value: min(255, value * 6)))
    second = compare(client, photos.grace_bytes(), overexposed)
    assert refusal(second) == (400, "low_quality")
    assert second.json()["detail"].startswith("Photograph 2: ")
    assert second.json()["reasons"] == ["too_bright"]
    assert refusal(verify(client, "grace", overexposed)) == (400, "low_quality")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"others": []}, 422, "invalid_request"),
        ({"others": ["AAAA"] * 17}, 422, "invalid_request"),
        ({"others": "AAAA"}, 422, "invalid_request"),
        ({"image": None}, 422, "invalid_request"),
        ({"model": "Nothing"}, 422, "invalid_request"),
        ({"model": "ArcFace"}, 503, "model_unavailable"),
        ({"threshold": 2}, 422, "invalid_request"),
        ({"gallery": "dlib"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_compared(
    change: dict[str, Any], status: int, code: str, client: httpx.Client
) -> None:
    grace = in_json(photos.grace_bytes())
    answer = client.post("/v1/verify", json={"image": grace, "others": [grace]} | change)
    assert refusal(answer) == (status, code)


def test_a_form_without_one_of_the_photographs_names_its_field(client: httpx.Client) -> None:
    answer = client.post("/v1/verify", files={"file_b": photos.grace_bytes()})
    assert refusal(answer) == (422, "invalid_request")
    assert answer.json()["detail"].startswith("file_a: ")


def test_labelled_pairs_are_decided_rightly(client: httpx.Client) -> None:
    """A tenth of the labelled pairs, every one of one person among them first."""
    folder = photos.faces_folder()
    with (folder / "pairs.csv").open(newline="") as rows:
        pairs = list(csv.DictReader(rows))
    same = [pair for pair in pairs if pair["same_person"].lower() in {"1", "true", "yes"}]
    others = [pair for pair in pairs if pair not in same]
    for pair in [*same[::3], *others[::15]]:
        one, other = (
            (folder / "images" / Path(pair[name]).name).read_bytes()
            for name in ("image_a", "image_b")
        )
        assert compare(client, one, other).json()["matched"] == (pair in same), pair
