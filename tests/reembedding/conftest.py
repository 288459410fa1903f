"""A gallery, and one replica that holds it, on a real database."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.galleries import GallerySettings
from service.materials import Originals
from service.ports import Store
from service.sync import Replica
from tests.fakes.analyser import SPACE, photograph
from tests.reembedding.values import Site
from tests.store.conftest import clean_url, psql, shared_url, store

__all__ = ["clean_url", "psql", "shared_url", "store"]


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    with store.transaction() as tx:
        tx.create_gallery("people", SPACE, GallerySettings(0.5))
    replica = Replica(store.feed(), poll_s=5, stale_s=30, wait_s=10)
    with closing(replica):
        replica.start()
        yield Site(store, replica)


@pytest.fixture
def originals(tmp_path: Path) -> Originals:
    for seed in range(40):
        (tmp_path / f"photo {seed}.png").write_bytes(photograph(seed))
    return Originals.read(tmp_path, 100_000)
