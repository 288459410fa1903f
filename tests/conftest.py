"""Fixtures of every test: real databases, and an environment without the service's settings."""

import os
from pathlib import Path

import pytest

from service.settings import Settings

pytest_plugins = ["tests.databases"]

LONGEST_FIRST = ("vision", "convergence", "jobs", "cli", "web")
"""Folders whose files take minutes: begun last, one of them would keep one process busy alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def scrubbed_environment() -> None:
    """No test sees the settings of the shell that started it."""
    for name in [*Settings.model_fields, "FACEMATCH_KEY"]:
        os.environ.pop(name.upper(), None)
