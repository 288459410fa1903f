"""No input gives 500, a traceback, or half a row: the table of bad inputs."""

import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from PIL import Image

from tests import photos

# status and code that each file gets when it is enrolled
FILES: dict[str, tuple[bytes, int, str | None]] = {
    "empty": (b"", 400, "image_damaged"),
    "text": (b"hello", 415, "image_type_unsupported"),
    "gif": (photos.encoded(photos.grace(), "GIF"), 415, "image_type_unsupported"),
    "tiff": (photos.encoded(photos.grace(), "TIFF"), 415, "image_type_unsupported"),
    "truncated JPEG": (photos.grace_bytes()[:20_000], 400, "image_damaged"),
    "JPEG header": (b"\xff\xd8\xff\xe0", 400, "image_damaged"),
    "20 MB of noise": (os.urandom(20_000_000), 413, "image_too_large"),
    "20 MB JPEG": (photos.grace_bytes() + bytes(20_000_000), 413, "image_too_large"),
    "10 MB and a byte": (photos.grace_bytes().ljust(10_000_001, b"\0"), 413, "image_too_large"),
    "decompression bomb": (photos.bomb(), 413, "image_too_large"),
    "one pixel": (photos.encoded(Image.new("RGB", (1, 1))), 400, "no_face"),
    "one pixel wide": (photos.encoded(Image.new("RGB", (1, 3000))), 400, "no_face"),
    "12000 x 10": (photos.encoded(Image.new("RGB", (12_000, 10))), 400, "no_face"),
    "16-bit": (photos.sixteen_bit_grey(photos.grace()), 200, None),
    "CMYK": (photos.encoded(photos.grace().convert("CMYK")), 200, None),
    "PNG": (photos.encoded(photos.grace(), "PNG"), 200, None),
    "animated PNG": (photos.animated(photos.grace(), "PNG"), 200, None),
    "animated WebP": (photos.animated(photos.grace(), "WEBP"), 200, None),
    "palette": (photos.encoded(photos.grace().convert("P"), "PNG"), 200, None),
    "10 MB to the byte": (photos.grace_bytes().ljust(10_000_000, b"\0"), 200, None),
    **{f"EXIF {n}": (photos.oriented(photos.grace(), n), 200, None) for n in range(1, 9)},
}

IDS: dict[str, tuple[str, int]] = {
    "spaces": ("Grace  Hopper ", 200),
    "slashes": ("a/../b//", 200),
    "emoji": ("👩‍🚀🫡", 200),
    "255 characters": ("é" * 255, 200),
    "empty": ("", 422),
    "blank": ("   ", 422),
    "256 characters": ("x" * 256, 422),
    "10,000 characters": ("x" * 10_000, 422),
    "NUL": ("a\x00b", 422),
    "newline": ("a\nb", 422),
    "escape": ("\x1b[31m", 422),
    "2 MB": ("x" * 2_000_000, 400),
}


@pytest.fixture(autouse=True)
def _no_traceback(site: Any) -> Iterator[None]:
    before = site.server.log.stat().st_size
    yield
    with site.server.log.open("rb") as log:
        log.seek(before)
        assert b"Traceback" not in log.read()


def rows(sql: psycopg.Connection) -> set[int]:
    """How many rows the three tables have: one number when nothing is half stored."""
    counts = sql.execute(
        "SELECT (SELECT count(*) FROM subject), (SELECT count(*) FROM face),"
        " (SELECT count(*) FROM face_embedding)"
    ).fetchone()
    return set(counts or ())


def check_refusal(answer: httpx.Response, status: int, code: str | None) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"detail", "code"}
    assert re.fullmatch("[a-z_]+", body["code"])
    assert code is None or body["code"] == code
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, client: httpx.Client, sql: psycopg.Connection) -> None:
    data, status, code = FILES[name]
    # the name and the declared type lie: only the content counts
    upload = {"file": ("photo.jpg", data, "image/jpeg")}
    answer = client.post("/add_face", data={"id": "somebody"}, files=upload)
    if status == 200:
        assert answer.status_code == 200, answer.text
        assert rows(sql) == {1}
        probe = client.post("/match_face", files={"file": photos.grace_bytes()}).json()
        assert probe["match_found"], probe
    else:
        check_refusal(answer, status, code)
        assert rows(sql) == {0}
        check_refusal(client.post("/match_face", files=upload), status, code)


@pytest.mark.parametrize("name", IDS)
def test_ids(name: str, client: httpx.Client, sql: psycopg.Connection) -> None:
    face_id, status = IDS[name]
    form = {"id": face_id}
    answer = client.post("/add_face", data=form, files={"file": photos.grace_bytes()})
    if status == 200:
        assert answer.json()["id"] == face_id
    else:
        check_refusal(answer, status, "invalid_request" if status == 422 else None)
        assert rows(sql) == {0}


@pytest.mark.parametrize("path", ["/add_face", "/match_face"])
@pytest.mark.parametrize(
    "form",
    [
        {"data": {"id": "a"}},
        {"data": {"id": "a", "file": "a text"}},
        {"data": {"id": "a"}, "files": {"photo": b"x"}},
    ],
    ids=["no file", "file as text", "other field"],
)
def test_a_missing_file_is_named(path: str, form: dict[str, Any], client: httpx.Client) -> None:
    answer = client.post(path, **form)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "No file uploaded", "code": "no_file"}


def test_of_two_ids_or_photographs_none_is_taken(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    photo, other = photos.grace_bytes(), photos.astronaut_bytes()
    twice = [("file", photo), ("file", other)]
    for answer in (
        client.post("/add_face", data={"id": ["a", "b"]}, files={"file": photo}),
        client.post("/add_face", data={"id": "a"}, files=twice),
        client.post("/match_face", files=twice),
    ):
        check_refusal(answer, 422, "invalid_request")
        assert "more than once" in answer.json()["detail"]
    assert rows(sql) == {0}


def test_a_missing_id_is_named(client: httpx.Client) -> None:
    answer = client.post("/add_face", files={"file": photos.grace_bytes()})
    check_refusal(answer, 422, "invalid_request")
    assert "id" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b'{"id": "a"}', "application/json"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"id=%00&file=%ff", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n\xff\xfe\r\n'
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            b"hi\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b"x" * 100, ""),
    ],
)
def test_broken_forms(body: bytes, kind: str, client: httpx.Client) -> None:
    answer = client.post("/add_face", content=body, headers={"Content-Type": kind})
    assert answer.status_code in {400, 415, 422}, answer.text
    check_refusal(answer, answer.status_code, None)


def test_a_large_body_without_a_length_is_refused(client: httpx.Client) -> None:
    def stream() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(30):
            yield bytes(1_000_000)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    check_refusal(
        client.post("/match_face", content=stream(), headers=kind), 413, "image_too_large"
    )


@pytest.mark.parametrize(
    "path",
    [f"/delete_face/{i}" for i in ("nobody", "%00", "%0A", "x" * 10_000, "%FF%FE", "%F0%9F", "")],
)
def test_deleting_what_is_not_there(path: str, client: httpx.Client) -> None:
    check_refusal(client.delete(path), 404, None)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=1e9", "limit=99999999999", "after=%00"]
)
def test_bad_pages(query: str, client: httpx.Client) -> None:
    check_refusal(client.get(f"/list_faces?{query}"), 422, "invalid_request")


def test_unknown_paths_and_methods(client: httpx.Client) -> None:
    check_refusal(client.get("/nothing"), 404, "not_found")
    check_refusal(client.get("/add_face"), 405, "method_not_allowed")
