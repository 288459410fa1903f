"""Every answer of a gallery names its version, so that it can be asked for later."""

import json
from typing import Any

import httpx
import psycopg
import pytest

from service.domain.galleries import GalleryVersion
from tests import photos
from tests.web.v1.conftest import GALLERY, face_of, in_json
from tests.web.v1.test_isolation import FACE, REQUESTS

GONE = ("delete", "/v1/galleries/{gallery}")
LATER = ("post", "/v1/galleries/{gallery}/imports")
"""Which has written nothing of the gallery yet: its job does."""


@pytest.mark.parametrize(("method", "operation"), [each for each in REQUESTS if each != GONE])
def test_every_answer_of_a_gallery_names_its_version(
    method: str, operation: str, client: httpx.Client, sql: psycopg.Connection
) -> None:
    place = f"{GALLERY}/subjects/grace"
    image = in_json(photos.encoded(photos.grace(), quality=70))
    made = client.post(f"{place}/faces?create=true", json={"image": image})
    assert made.status_code == 201, made.text
    other = client.post(f"{GALLERY}/subjects", json={"id": "eileen"})
    assert other.status_code == 201, other.text
    consent = client.post(f"{place}/consents", json={"text_version": "1", "purpose": "entry"})
    path, body = REQUESTS[method, operation]
    known = consent.json()["id"] if "{consent}" in operation else face_of(sql, "grace")
    path = path.replace("{gallery}", "dlib").replace(FACE, known)
    content: dict[str, Any] = {} if body is None else {"content": json.dumps(body)}
    answer = client.request(method, path, headers={"Content-Type": "application/json"}, **content)
    assert answer.is_success, answer.text
    if (method, operation) == LATER:
        sql.execute("DELETE FROM import_job")
    else:
        GalleryVersion.parse(answer.headers["X-Gallery-Version"])
