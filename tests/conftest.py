"""Fixtures of every test: real databases, and an environment without the service's settings."""

import os

import pytest

from service.settings import Settings

pytest_plugins = ["tests.databases"]


@pytest.fixture(scope="session", autouse=True)
def scrubbed_environment() -> None:
    """No test sees the settings of the shell that started it."""
    for name in [*Settings.model_fields, "FACEMATCH_KEY"]:
        os.environ.pop(name.upper(), None)
