"""Poor faces are refused over HTTP with their reasons, for enrolment sooner than for a search."""

from typing import Any

import httpx
import psycopg
from PIL import Image, ImageFilter

from tests import photos


def blurred(deviation: float) -> bytes:
    return photos.encoded(photos.grace().filter(ImageFilter.GaussianBlur(deviation)), quality=95)


def darkened(factor: float) -> Image.Image:
    return photos.grace().point(lambda value: value * factor)


def add(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/add_face", data={"id": "grace"}, files={"file": ("p.jpg", data)})


def search(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/match_face", files={"file": ("p.jpg", data)})


def check_refusal(answer: httpx.Response, reasons: list[str]) -> str:
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json()
    assert (body["code"], body["reasons"]) == ("low_quality", reasons)
    assert all(reason in body["detail"] for reason in reasons)
    return str(body["detail"])


def test_a_blurred_face_is_not_enrolled_and_still_searched_for(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    said = check_refusal(add(client, blurred(5)), ["too_blurred"])
    assert "must be 0.35 at least" in said
    assert sql.execute("SELECT count(*) FROM subject").fetchone() == (0,)
    assert add(client, photos.grace_bytes()).status_code == 200
    answer = search(client, blurred(5))
    assert answer.status_code == 200, answer.text
    assert answer.json()["matched_id"] == "grace"


def test_a_face_that_nobody_could_tell_is_not_searched_for(client: httpx.Client) -> None:
    add(client, photos.grace_bytes())
    overexposed = photos.grace().point(lambda value: min(255, value * 6))
    check_refusal(search(client, photos.encoded(overexposed)), ["too_bright"])


def test_every_reason_is_given_at_once(client: httpx.Client) -> None:
    small = darkened(0.1).resize((102, 120))
    check_refusal(
        add(client, photos.encoded(small, "PNG")), ["too_small", "too_dark", "low_contrast"]
    )


def test_other_refusals_have_no_reasons(client: httpx.Client) -> None:
    answer = add(client, photos.encoded(photos.landscape()))
    assert answer.json().keys() == {"detail", "code"}
