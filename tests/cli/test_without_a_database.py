"""What the commands say where no database answers: all wait ten seconds for it, so at once."""

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers import facematch, free_port

Done = Mapping[str, "subprocess.CompletedProcess[str]"]

STARTUP = 5
COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "doctor": (["doctor"], {}),
    "worker": (["worker"], {"IMPORT_WORKERS": "0"}),
    "serve": (["serve"], {}),
    "two workers": (["serve"], {"WORKERS": "2"}),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    nowhere = f"postgresql://postgres:s3cret@127.0.0.1:{free_port()}/faces?connect_timeout=1"

    def run(name: str) -> "subprocess.CompletedProcess[str]":
        arguments, variables = COMMANDS[name]
        home = str(tmp_path_factory.mktemp("home"))
        environment = {"DATABASE_URL": nowhere, "FACEMATCH_HOME": home, "PORT": str(free_port())}
        return facematch(*arguments, environment=environment | variables)

    with ThreadPoolExecutor(len(COMMANDS)) as callers:
        return dict(zip(COMMANDS, callers.map(run, COMMANDS), strict=True))


def test_the_doctor_names_it(done: Done) -> None:
    assert done["doctor"].returncode == 1
    assert "FAIL database: cannot reach" in done["doctor"].stdout


def test_a_service_names_it(done: Done) -> None:
    assert done["serve"].returncode == STARTUP
    assert "127.0.0.1" in done["serve"].stderr
    assert "DATABASE_URL" in done["serve"].stderr


@pytest.mark.parametrize("name", ["worker", "two workers"])
def test_workers_end_with_the_exit_code_of_a_service(name: str, done: Done) -> None:
    assert done[name].returncode == STARTUP, done[name].stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_tells_the_password_or_a_traceback(name: str, done: Done) -> None:
    said = done[name].stdout + done[name].stderr
    assert said
    assert "s3cret" not in said
    assert "Traceback" not in said
