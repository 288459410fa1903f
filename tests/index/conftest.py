"""A place for a snapshot."""

from pathlib import Path

import pytest

from service.index.snapshot import snapshot_path
from tests.index.values import IDENTITY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return snapshot_path(tmp_path / "snapshots", IDENTITY.key)
