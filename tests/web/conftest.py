"""One service for this folder's tests; each test finds its gallery empty."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import psycopg
import pytest

from service.domain.keys import NewKey, Scope, trusted
from service.key_file import KeyFile
from service.keys import Keys
from service.store import open_store
from tests.databases import database_of, execute
from tests.servers import NO_TLS, Server, running
from tests.store.photographs import KEYS


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
    # many of these tests are strangers'
    patient = {"FAILED_KEY_LIMIT": "100000/second"}
    keys = {"PHOTOGRAPH_KEYS": KEYS.sealing.text}
    environment = {"DATABASE_URL": url, "FACEMATCH_HOME": str(folder), **patient, **keys}
    with running(folder / "log", environment=environment, measured=True) as server:
        yield Site(server, url)
    execute(server_url, "DROP DATABASE {} WITH (FORCE)", "facematch_site")


@pytest.fixture
def sql(site: Site) -> Iterator[psycopg.Connection]:
    """A plain connection, as psql has it: every statement commits at once."""
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def client(site: Site, sql: psycopg.Connection) -> Iterator[httpx.Client]:
    """With the key of the service's first start, which may do everything."""
    with site.server.client() as client:
        yield client
    sql.execute("DELETE FROM subject")
    sql.execute("UPDATE gallery SET max_faces = NULL, threshold = 0.922")


class ClientFor(Protocol):
    """Makes a client with a key of its own; no galleries: all of them, also those to come."""

    def __call__(
        self, scopes: Sequence[str] = tuple(Scope), galleries: Sequence[str] | None = None
    ) -> httpx.Client: ...


@pytest.fixture
def client_for(site: Site, sql: psycopg.Connection, tmp_path: Path) -> Iterator[ClientFor]:
    store = open_store(site.database_url, pool_size=2, timeout_s=5)
    keys = Keys(store, KeyFile.of(tmp_path))
    with ExitStack() as stack:
        stack.callback(store.close)

        def made(
            scopes: Sequence[str] = tuple(Scope), galleries: Sequence[str] | None = None
        ) -> httpx.Client:
            named = None if galleries is None else tuple(galleries)
            new = NewKey("test", frozenset(map(Scope, scopes)), named)
            minted = keys.create(trusted("tests"), new)
            return stack.enter_context(
                httpx.Client(
                    base_url=site.server.url,
                    timeout=60,
                    headers={"X-API-Key": minted.secret.text},
                    verify=NO_TLS,
                )
            )

        yield made
    sql.execute("DELETE FROM api_key WHERE created_by = 'tests'")
