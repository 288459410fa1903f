"""A store on an empty database, with one empty gallery."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.ports import ChangeFeed, Store
from service.store import open_store
from tests.databases import copy_of
from tests.store.values import SPACE


@pytest.fixture(scope="module")
def shared_url(server_url: str, template: str) -> Iterator[str]:
    with copy_of(server_url, template) as url:
        yield url


@pytest.fixture
def clean_url(shared_url: str) -> str:
    """A migrated database without rows: emptied, which is quicker than a copy for each test."""
    with psycopg.connect(shared_url, autocommit=True) as connection:
        connection.execute("TRUNCATE embedding_space, replica CASCADE")
        connection.execute("DELETE FROM erasure")  # of what was truncated, too
    return shared_url


@pytest.fixture
def store(clean_url: str) -> Iterator[Store]:
    store = open_store(clean_url, pool_size=9, timeout_s=3)
    yield store
    store.close()


@pytest.fixture
def gallery(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("people", SPACE, GallerySettings(0.5))


@pytest.fixture
def feed(store: Store) -> Iterator[ChangeFeed]:
    feed = store.feed()
    yield feed
    feed.close()


@pytest.fixture
def psql(clean_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody at the SQL prompt; every statement commits unless in `with psql.transaction()`."""
    with psycopg.connect(clean_url, autocommit=True) as connection:
        yield connection
