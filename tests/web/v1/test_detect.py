"""Finding faces, over HTTP."""

from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from tests import photos
from tests.web.v1.conftest import in_json


def detect(client: httpx.Client, photograph: bytes, **fields: Any) -> httpx.Response:
    return client.post("/v1/detect", data=fields, files={"file": photograph})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def test_a_face_is_found_with_its_points_and_how_well_it_can_be_seen(
    client: httpx.Client,
) -> None:
    answer = detect(client, photos.grace_bytes())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["width"], body["height"], body["faces_found"]) == (512, 600, 1)
    assert body["space"]["detector"] == "dlib"
    (face,) = body["faces"]
    assert face["box"] == {"left": 161, "top": 137, "width": 216, "height": 216}
    assert face["embedding"] is None
    assert face["quality"]["size"] == 216
    assert 0.35 < face["quality"]["sharpness"] <= 1
    assert abs(face["quality"]["yaw"]) < 20
    assert face["flaws"] == []
    points = face["landmarks"]
    assert set(points) == {
        "left_eye_outer",
        "left_eye_inner",
        "right_eye_outer",
        "right_eye_inner",
        "nose_base",
    }
    # the person's own left, on the picture's right
    assert points["right_eye_outer"]["x"] < points["nose_base"]["x"] < points["left_eye_outer"]["x"]
    assert points["left_eye_outer"]["y"] < points["nose_base"]["y"]


def test_all_faces_are_found_or_the_largest(client: httpx.Client) -> None:
    both = photos.encoded(photos.couple(), quality=92)
    everyone = detect(client, both).json()
    assert len(everyone["faces"]) == everyone["faces_found"] == 2
    one = detect(client, both, faces="largest").json()
    assert len(one["faces"]) == 1
    assert one["faces"][0]["box"] == everyone["faces"][0]["box"]
    in_body = client.post("/v1/detect", json={"image": in_json(both)})
    assert in_body.json() == everyone


def test_what_would_be_refused_at_enrolment_is_told(client: httpx.Client) -> None:
    small = photos.encoded(
        photos.grace().point(lambda value: value * 0.1).resize((102, 120)), "PNG"
    )
    (face,) = detect(client, small).json()["faces"]
    assert [each["reason"] for each in face["flaws"]] == ["too_small", "too_dark", "low_contrast"]
    assert [each["limit"] for each in face["flaws"]] == [48, 20, 8]
    refused = client.post("/add_face", data={"id": "grace"}, files={"file": small})
    assert refused.json()["reasons"] == [each["reason"] for each in face["flaws"]]


def test_no_face_is_an_answer(client: httpx.Client) -> None:
    body = detect(client, photos.encoded(photos.landscape())).json()
    assert (body["faces"], body["faces_found"]) == ([], 0)


def test_boxes_are_of_the_upright_photograph(client: httpx.Client) -> None:
    upright = detect(client, photos.oriented(photos.grace(), 1)).json()
    turned = detect(client, photos.oriented(photos.grace(), 6)).json()
    assert (turned["width"], turned["height"]) == (upright["width"], upright["height"])
    (one,), (other,) = upright["faces"], turned["faces"]
    assert abs(one["box"]["left"] - other["box"]["left"]) < 10
    assert abs(one["box"]["top"] - other["box"]["top"]) < 10


def test_an_embedding_comes_only_when_it_is_asked_for(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    client.post("/add_face", data={"id": "grace"}, files={"file": photos.grace_bytes()})
    row = sql.execute("SELECT vec::text FROM face_embedding").fetchone()
    assert row is not None
    stored = np.array(row[0][1:-1].split(","), dtype=np.float32)
    body = detect(client, photos.grace_bytes(), include="embedding").json()
    embedding = np.array(body["faces"][0]["embedding"], dtype=np.float32)
    assert embedding.tobytes() == stored.tobytes()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"faces": "some"}, 422, "invalid_request"),
        ({"model": "Nothing"}, 422, "invalid_request"),
        ({"model": "ArcFace"}, 503, "model_unavailable"),
        ({"include": "metadata"}, 422, "invalid_request"),
        ({"top_k": "1"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_asked(
    fields: dict[str, str], status: int, code: str, client: httpx.Client
) -> None:
    assert refusal(detect(client, photos.grace_bytes(), **fields)) == (status, code)


def test_a_form_without_a_photograph_is_told_so(client: httpx.Client) -> None:
    assert refusal(client.post("/v1/detect", files={"photo": b"x"})) == (400, "no_file")
    only_text = client.post(
        "/v1/detect",
        content=b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert refusal(only_text) == (400, "no_file")
