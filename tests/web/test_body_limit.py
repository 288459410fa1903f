"""How much a request may send: as much as its route has a use for, and no more."""

import httpx
import pytest

from tests import photos
from tests.web.test_scopes import document
from tests.web.v1.conftest import GALLERY, in_json

LARGEST = 10_000_000


def padded(size: int) -> bytes:
    return photos.grace_bytes().ljust(size, b"\0")


@pytest.mark.parametrize("path", [f"{GALLERY}/search", "/v1/detect"])
def test_the_largest_photograph_fits_into_json(path: str, client: httpx.Client) -> None:
    assert client.post(path, json={"image": in_json(padded(LARGEST))}).status_code == 200
    more = client.post(path, json={"image": in_json(padded(LARGEST + 1))})
    assert (more.status_code, more.json()["code"]) == (413, "image_too_large")


def test_four_of_the_largest_fit_into_a_comparison(client: httpx.Client) -> None:
    photograph = padded(LARGEST)
    four = [("file_a", photograph)] + 3 * [("file_b", photograph)]
    assert client.post("/v1/verify", files=four).status_code == 200
    five = [*four, ("file_b", photograph)]
    refused = client.post("/v1/verify", files=five)
    assert (refused.status_code, refused.json()["code"]) == (413, "image_too_large")
    assert "4 times" in refused.json()["detail"]
    image = in_json(photograph)
    body = {"image": image, "others": [image] * 3}
    assert client.post("/v1/verify", json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/galleries", "application/json"),
        ("/match_face", "multipart/form-data; boundary=x"),
        ("/v1/detect", "multipart/form-data; boundary=x"),
        (f"{GALLERY}/search", "multipart/form-data; boundary=x"),
    ],
)
def test_elsewhere_and_as_a_form_one_photograph_is_the_bound(
    path: str, kind: str, client: httpx.Client
) -> None:
    answer = client.post(path, content=bytes(LARGEST + 70_000), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


def test_every_operation_with_a_body_documents_its_bound() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                assert "413" in operation["responses"], f"{method} {path}"
