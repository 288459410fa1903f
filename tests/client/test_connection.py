"""What the client makes of answers, against a service that is told what to say."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from service.client import FaceMatch, FaceMatchError

Answers = Iterator[httpx.Response | Exception]
GALLERY = {
    "name": "staff",
    "space": {},
    "threshold": 0.9,
    "max_faces": None,
    "max_faces_per_subject": 100,
    "subject_lifetime_s": None,
    "gates": {},
}


@pytest.fixture
def asked() -> list[httpx.Request]:
    return []


@pytest.fixture
def client_of(asked: list[httpx.Request]) -> Callable[..., FaceMatch]:
    def build(*answers: httpx.Response | Exception, patience_s: float = 5) -> FaceMatch:
        coming = iter(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            following = next(coming)
            if isinstance(following, Exception):
                raise following
            return following

        client = FaceMatch("http://service", "fm_secret", patience_s=patience_s)
        client._connection.http._transport = httpx.MockTransport(answer)
        client._connection.http._mounts = {}
        return client

    return build


def not_now(seconds: str = "0") -> httpx.Response:
    problem = {"code": "overloaded", "detail": "later"}
    return httpx.Response(503, headers={"Retry-After": seconds}, json=problem)


def gallery(version: str = "1-a") -> httpx.Response:
    return httpx.Response(201, headers={"X-Gallery-Version": version}, json=GALLERY)


def test_a_post_is_sent_again_with_the_same_idempotency_key(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    client = client_of(not_now(), httpx.ReadError("cut"), gallery())
    assert client.create_gallery("staff").name == "staff"
    keys = {request.headers["Idempotency-Key"] for request in asked}
    assert len(asked) == 3
    assert len(keys) == 1
    assert {request.headers["X-API-Key"] for request in asked} == {"fm_secret"}


def test_a_wait_that_would_take_too_long_is_not_begun(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    client = client_of(not_now("60"), gallery())
    with pytest.raises(FaceMatchError) as error:
        client.create_gallery("staff")
    assert (error.value.status, error.value.code) == (503, "overloaded")
    assert len(asked) == 1


def test_a_refusal_is_not_tried_again(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    refusal = {"code": "gallery_exists", "detail": "taken", "request_id": "r1"}
    client = client_of(httpx.Response(409, json=refusal), gallery())
    with pytest.raises(FaceMatchError, match="taken") as error:
        client.create_gallery("staff")
    assert (error.value.code, error.value.request_id) == ("gallery_exists", "r1")
    assert len(asked) == 1


def test_the_version_of_a_write_goes_along_with_what_follows(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    client = client_of(gallery("7-mark"), gallery("8-mark"), gallery())
    client.create_gallery("staff")
    client.gallery("staff")
    client.gallery("others")
    sent = [request.headers.get("X-Min-Gallery-Version") for request in asked]
    assert sent == [None, "7-mark", None]


JOB = {
    "id": "01a2106a",
    "gallery": "staff",
    "state": "finished",
    "total": 1,
    "done": 1,
    "enrolled": 1,
    "skipped": 0,
    "rejected": 0,
    "cancelled": 0,
}


def test_what_a_job_has_enrolled_is_found_by_the_next_search(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    job = httpx.Response(200, headers={"X-Gallery-Version": "9-mark"}, json=JOB)
    client = client_of(job, httpx.Response(200, json={"faces": []}))
    client.job("01a2106a")
    client.search("staff", b"photograph")
    assert asked[-1].headers["X-Min-Gallery-Version"] == "9-mark"


def test_a_key_that_may_not_read_is_told_nothing_of_a_subject(
    client_of: Callable[..., FaceMatch],
) -> None:
    done = httpx.Response(204, headers={"X-Gallery-Version": "9-mark"})
    client = client_of(done, done)
    assert client.change_subject("staff", "grace", metadata={}) is None
    assert client.merge_subject("staff", "grace", "twin") is None


def test_nothing_is_tried_again_when_the_time_is_over(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    client = client_of(not_now(), gallery(), patience_s=0.2)
    client._connection.http.event_hooks["response"] = [lambda _: time.sleep(0.3)]
    with pytest.raises(FaceMatchError, match="later"):
        client.gallery("staff")
    assert len(asked) == 1


def test_a_lost_version_is_told_and_then_forgotten(
    client_of: Callable[..., FaceMatch], asked: list[httpx.Request]
) -> None:
    lost = httpx.Response(409, json={"code": "version_lost", "detail": "lost"})
    client = client_of(gallery("7-mark"), lost, gallery())
    client.create_gallery("staff")
    with pytest.raises(FaceMatchError, match="lost"):
        client.gallery("staff")
    client.gallery("staff")
    assert "X-Min-Gallery-Version" not in asked[-1].headers


def test_what_is_no_answer_of_the_service_is_an_error_all_the_same(
    client_of: Callable[..., FaceMatch],
) -> None:
    client = client_of(httpx.Response(400, text="<html>"))
    with pytest.raises(FaceMatchError) as error:
        client.gallery("staff")
    assert (error.value.status, error.value.code) == (400, "http_error")


def test_the_key_is_in_no_text_of_the_client(client_of: Callable[..., FaceMatch]) -> None:
    client = client_of(httpx.Response(400, json={"code": "bad_request", "detail": "no"}))
    with pytest.raises(FaceMatchError) as error:
        client.gallery("staff")
    assert "fm_secret" not in f"{client!r}{error.value!r}{client._connection!r}"
