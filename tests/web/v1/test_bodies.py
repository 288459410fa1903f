"""Bodies as forms or as JSON: what the OpenAPI document says of them, and what becomes of them."""

import io
from typing import Any, Literal

import httpx
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import FormData, UploadFile

from service.errors import RequestInvalid
from service.web.v1.bodies import EitherBody, Image, Sent
from tests.web.v1.conftest import in_json


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: Image
    more: list[Image] = []
    count: int | None = None
    words: list[Literal["one", "two"]] = []
    inner: Inner | None = None


EITHER = EitherBody(Body, {"file": "image", "files": "more"}, frozenset({"inner"}))


def file(data: bytes) -> UploadFile:
    return UploadFile(io.BytesIO(data))


def test_a_form_and_json_say_the_same() -> None:
    form = FormData(
        [
            ("file", file(b"a")),
            ("files", file(b"b")),
            ("files", file(b"c")),
            ("count", "3"),
            ("words", "one"),
        ]
    )
    text = f'{{"image": "{in_json(b"a")}", "more": ["{in_json(b"b")}", "{in_json(b"c")}"],'
    text += ' "count": 3, "words": ["one"]}'
    wanted = Body(image=b"a", more=[b"b", b"c"], count=3, words=["one"])
    assert EITHER.parsed(Sent(form=form)) == wanted
    assert EITHER.parsed(Sent(json=io.BytesIO(text.encode()))) == wanted


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ([("file", "a text")], ("body", "file")),
        ([("file", file(b"a")), ("count", "x")], ("body", "count")),
        ([("file", file(b"a")), ("files", file(b"b")), ("words", "six")], ("body", "words", 0)),
        ([("file", file(b"a")), ("inner", "{}")], ("body", "inner")),
        ([("file", file(b"a")), ("other", "x")], ("body", "other")),
    ],
)
def test_what_is_wrong_in_a_form_is_named_as_the_form_has_it(
    fields: list[tuple[str, Any]], place: tuple[str, ...]
) -> None:
    with pytest.raises(RequestValidationError) as refused:
        EITHER.parsed(Sent(form=FormData(fields)))
    assert refused.value.errors()[0]["loc"] == place
    assert "input" not in refused.value.errors()[0]


@pytest.mark.parametrize(
    "fields",
    [
        [("file", file(b"a")), ("file", file(b"b"))],
        [("file", file(b"a")), ("image", "YQ==")],
        [("file", file(b"a")), ("count", "1"), ("count", "2")],
    ],
)
def test_of_two_values_where_one_is_asked_for_none_is_taken(fields: list[tuple[str, Any]]) -> None:
    with pytest.raises(RequestInvalid, match="more than once"):
        EITHER.parsed(Sent(form=FormData(fields)))


def test_json_is_taken_strictly() -> None:
    with pytest.raises(RequestValidationError):
        EITHER.parsed(Sent(json=io.BytesIO(b'{"image": "YQ==", "count": "3"}')))


def test_both_forms_are_documented() -> None:
    content = EITHER.documented()["requestBody"]["content"]
    json, form = content["application/json"]["schema"], content["multipart/form-data"]["schema"]
    assert set(json["properties"]) == {"image", "more", "count", "words", "inner"}
    assert json["required"] == ["image"]
    assert json["properties"]["inner"]["anyOf"][0]["properties"]["name"]["type"] == "string"
    assert set(form["properties"]) == {"file", "files", "count", "words"}
    assert form["required"] == ["file"]
    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert form["properties"]["files"]["items"] == {"type": "string", "format": "binary"}
    assert form["properties"]["count"]["type"] == "integer"
    assert "$ref" not in str(content)


def test_every_route_that_takes_a_probe_is_documented_whole(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in (
        "/v1/galleries/{gallery}/search",
        "/v1/search",
        "/v1/galleries/{gallery}/verify",
        "/v1/verify",
        "/v1/detect",
    ):
        route = paths[path]["post"]
        assert set(route["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
        assert route["requestBody"]["content"]["application/json"]["schema"]["examples"]
        assert len(route["tags"]) == 1
        assert route["summary"]
        assert route["description"]
        assert {"200", "400", "401", "403", "413", "415", "422", "429", "503"} <= set(
            route["responses"]
        )
