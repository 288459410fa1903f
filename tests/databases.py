"""Real databases for the tests, migrated once and copied for each test that wants one.

FACEMATCH_TEST_DATABASE_URL names a server to use (a superuser's URL); with
FACEMATCH_TEST_DOCKER=1 it is a container; else the embedded Postgres.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from service.store import schema
from service.store.embedded import temporary_postgres

IMAGE = "pgvector/pgvector:pg17"

# read when this module is imported, which is before the environment is scrubbed
SERVER = os.environ.get("FACEMATCH_TEST_DATABASE_URL")
DOCKER = os.environ.get("FACEMATCH_TEST_DOCKER") == "1"


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """An administrator's URL of a server with pgvector."""
    if SERVER:
        yield SERVER
    elif DOCKER:
        yield from _container()
    else:
        # its workers are connections, snapshots and statistics that no test has asked for
        with temporary_postgres({"autovacuum": "off"}) as url:
            yield url


def _container() -> Iterator[str]:
    from testcontainers.postgres import PostgresContainer

    with PostgresContainer(IMAGE, driver=None) as container:
        yield container.get_connection_url()


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a database with the head schema and no rows, to be copied."""
    name = f"facematch_template_{uuid.uuid4().hex[:8]}"
    execute(server_url, "CREATE DATABASE {}", name)
    schema.upgrade(database_of(server_url, name))
    yield name
    execute(server_url, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with copy_of(server_url, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database of the test's own without any schema."""
    with copy_of(server_url, "template0") as url:
        yield url


@contextmanager
def copy_of(server_url: str, template: str) -> Iterator[str]:
    name = f"facematch_{uuid.uuid4().hex[:12]}"
    execute(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    yield database_of(server_url, name)
    execute(server_url, "DROP DATABASE {} WITH (FORCE)", name)


def database_of(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def execute(server_url: str, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
