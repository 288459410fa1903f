"""Bulk imports on a real Postgres, with a face model that costs nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.domain.keys import Caller, trusted
from service.domain.quality import UNCHECKED
from service.images import ImageLimits
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from service.jobs.uploads import ImportLimits
from service.ports import Store
from service.store import open_store
from tests.databases import copy_of
from tests.fakes.analyser import SPACE, FakeAnalyser
from tests.jobs.values import OneAnalyser

CALLER = trusted("tests")
MAX_IMAGE_BYTES = 20_000
LIMITS = {"max_bytes": 2_000_000, "max_items": 1000}


@pytest.fixture(scope="module")
def shared_url(server_url: str, template: str) -> Iterator[str]:
    with copy_of(server_url, template) as url:
        yield url


@pytest.fixture
def clean_url(shared_url: str) -> str:
    """A migrated database without rows."""
    with psycopg.connect(shared_url) as connection:
        for table in ("gallery", "embedding_space", "procrastinate_jobs", "idempotency_key"):
            connection.execute(f"DELETE FROM {table}".encode())
    return shared_url


@pytest.fixture
def store(clean_url: str) -> Iterator[Store]:
    store = open_store(clean_url, pool_size=9, timeout_s=10)
    yield store
    store.close()


@pytest.fixture
def psql(clean_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(clean_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def gallery(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("people", SPACE, GallerySettings(0.5))


@pytest.fixture
def caller() -> Caller:
    return CALLER


@pytest.fixture
def images() -> ImageLimits:
    return ImageLimits(MAX_IMAGE_BYTES, 1_000_000)


@pytest.fixture
def imports(store: Store, gallery: Gallery, images: ImageLimits, tmp_path: Path) -> Imports:
    return Imports(store, images, ImportLimits(folder=tmp_path / "imports", **LIMITS), keep_s=60)


@pytest.fixture
def enrolling(store: Store, images: ImageLimits, imports: Imports) -> Enrolling:
    return Enrolling(store, OneAnalyser(FakeAnalyser()), images, imports, UNCHECKED)
