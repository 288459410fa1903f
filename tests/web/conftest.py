"""One service for this folder's tests; each test finds its gallery empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.databases import database_of, execute
from tests.servers import Server, running


@dataclass(frozen=True)
class Site:
    server: Server
    database_url: str


@pytest.fixture(scope="session")
def site(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    execute(server_url, "CREATE DATABASE {} TEMPLATE {}", "facematch_site", template)
    url = database_of(server_url, "facematch_site")
    folder = Path(tmp_path_factory.mktemp("serve"))
    environment = {"DATABASE_URL": url, "FACEMATCH_HOME": str(folder), "RETENTION_EVERY_S": "1"}
    with running(folder / "log", environment=environment) as server:
        yield Site(server, url)
    execute(server_url, "DROP DATABASE {} WITH (FORCE)", "facematch_site")


@pytest.fixture
def sql(site: Site) -> Iterator[psycopg.Connection]:
    """A plain connection, as psql has it: every statement commits at once."""
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def client(site: Site, sql: psycopg.Connection) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.server.url, timeout=60) as client:
        yield client
    sql.execute("DELETE FROM subject")
    sql.execute("UPDATE gallery SET max_faces = NULL, threshold = 0.922")
