"""Every operation of the API needs the scope that it names, and no other."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import psycopg
import pytest

from service.domain.keys import Scope
from service.images import ImageLimits
from service.web import create_app
from service.wiring import Access, Services
from tests import photos
from tests.servers import NO_TLS
from tests.web.conftest import ClientFor, Site

OPEN = {("get", "/health"), ("get", "/ready")}
EITHER = {("get", "/v1/jobs"), ("get", "/v1/jobs/{job}"), ("get", "/v1/jobs/{job}/items")}
"""Any one of their scopes will do: who may only enrol looks at jobs of their own."""
NOBODY = "01a21066-80b2-7646-a76d-1c44833cc389"


def document() -> dict[str, Any]:
    """Nothing of the services is asked for while the application is put together."""
    services = SimpleNamespace(
        workers=1,
        patience_s=1.0,
        limits=ImageLimits(1000, 1000),
        access=Access(),
        keys=SimpleNamespace(authenticate=None),
    )
    return create_app(cast(Services, services)).openapi()


OPERATIONS = [
    pytest.param(method, path, operation, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if (method, path) not in OPEN
]


def scopes_of(operation: dict[str, Any]) -> set[Scope]:
    return {
        Scope(scope)
        for requirement in operation.get("security", [])
        for scopes in requirement.values()
        for scope in scopes
    }


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """About what is not there, so that nothing is changed by those who may."""
    return client.request(method, re.sub(r"\{\w+\}", NOBODY, path))


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_names_what_it_needs(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert scopes_of(operation)
    assert {*operation["security"][0], *operation["security"][1]} == {"key", "bearer"}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_is_refused_to_who_has_every_other_scope(
    method: str, path: str, operation: dict[str, Any], site: Site, client_for: ClientFor
) -> None:
    needed = scopes_of(operation)
    for lacking in [needed] if (method, path) in EITHER else [{scope} for scope in needed]:
        answer = ask(client_for([scope for scope in Scope if scope not in lacking]), method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), answer.text
        assert any(f"'{scope}'" in answer.json()["detail"] for scope in lacking)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_is_open_to_who_has_its_scope_alone(
    method: str, path: str, operation: dict[str, Any], site: Site, client_for: ClientFor
) -> None:
    answer = ask(client_for([*scopes_of(operation)]), method, path)
    assert answer.status_code not in {401, 403, 500}, answer.text


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_is_refused_to_strangers(
    method: str, path: str, operation: dict[str, Any], site: Site
) -> None:
    with httpx.Client(base_url=site.server.url, verify=NO_TLS) as stranger:
        assert ask(stranger, method, path).status_code == 401


PLAIN = [
    ("post", "/add_face"),
    ("post", "/match_face"),
    ("get", "/list_faces"),
    ("delete", "/delete_face/grace"),
    ("get", "/stats"),
]


@pytest.mark.parametrize(("method", "path"), PLAIN)
def test_the_default_gallery_is_not_found_by_who_does_not_reach_it(
    method: str, path: str, client: httpx.Client, client_for: ClientFor
) -> None:
    client.post("/v1/galleries", json={"name": "elsewhere"})
    bound = client_for(galleries=["elsewhere"])
    photograph = Path("service/cli/smoke.jpg").read_bytes()
    form = {"data": {"id": "grace"}, "files": {"file": photograph}} if method == "post" else {}
    answer = bound.request(method, path, **form)  # type: ignore[arg-type]  # one dict for all
    assert (answer.status_code, answer.json()["code"]) == (404, "gallery_not_found")
    client.delete("/v1/galleries/elsewhere", params={"confirm": "elsewhere"})


def test_the_document_tells_how_a_key_is_sent() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["key"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}


def test_the_figures_of_a_bound_key_tell_nothing_of_other_galleries(
    client: httpx.Client, client_for: ClientFor, sql: psycopg.Connection
) -> None:
    bound = client_for(["read"], ["dlib"])
    before = bound.get("/stats").json()["database_size_mb"]
    sql.execute("UPDATE gallery SET max_faces = 7 WHERE name = 'dlib'")
    sql.execute(
        "INSERT INTO gallery (name, space_id, threshold) SELECT 'large', space_id, 0.5 FROM gallery"
        " WHERE name = 'dlib'"
    )
    sql.execute(
        "INSERT INTO subject (gallery_id, external_id, metadata)"
        " SELECT id, n::text, jsonb_build_object('x', repeat('x', 10000)) FROM gallery,"
        " generate_series(1, 200) n WHERE name = 'large'"
    )
    try:
        assert bound.get("/stats").json()["database_size_mb"] == before == 0
        assert client.get("/stats").json()["database_size_mb"] > 5
        added = client.post("/add_face", data={"id": "g"}, files={"file": photos.grace_bytes()})
        assert added.status_code == 200
        assert 0 < bound.get("/stats").json()["database_size_mb"] < 0.1
    finally:
        sql.execute("DELETE FROM gallery WHERE name = 'large'")
