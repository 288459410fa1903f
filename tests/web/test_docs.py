"""The API's description, in a browser and without the internet."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.servers import NO_TLS
from tests.web.conftest import Site


@pytest.fixture
def stranger(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.server.url, verify=NO_TLS) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/docs", "/openapi.json", "/docs/files/swagger-ui.css", "/docs/files/nothing"]
)
def test_a_browser_is_made_to_ask_for_a_password(path: str, stranger: httpx.Client) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_elsewhere_a_browser_is_not(stranger: httpx.Client) -> None:
    for path in ("/stats", "/docs/", "/docs/filesystem", "/v1/galleries", "/redoc"):
        assert stranger.get(path).headers["WWW-Authenticate"] == "Bearer"


def test_the_key_is_the_password(client: httpx.Client, stranger: httpx.Client) -> None:
    key = client.headers["X-API-Key"]
    for name in ("", "anything", "ümlaut"):
        assert stranger.get("/docs", auth=(name, key)).status_code == 200
    for wrong in ("", "x", key[:-1], key.upper()):
        assert stranger.get("/docs", auth=("x", wrong)).status_code == 401
    for header in ("Basic", "Basic !", "Basic /w==", "Basic eA=="):
        assert stranger.get("/docs", headers={"Authorization": header}).status_code == 401


def test_the_page_loads_nothing_from_anywhere_else(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r"""(?:href|src)="([^"]+)"|url: '([^']+)'""", page.text)
    names = {one or other for one, other in loaded}
    assert names == {
        "docs/files/swagger-ui.css",
        "docs/files/swagger-ui-bundle.js",
        "docs/files/favicon-32x32.png",
        "openapi.json",
    }
    for name in names:
        assert client.get(f"/{name}").status_code == 200
    assert "//" not in re.sub(r"//[^\n]*\n", "", page.text).replace("<!DOCTYPE", "")


@pytest.mark.parametrize("path", ["/docs/files/../../etc/passwd", "/docs/files/%2e%2e/main.py"])
def test_nothing_but_the_files_is_served(path: str, client: httpx.Client) -> None:
    assert client.get(path).status_code == 404
