"""`facematch worker`, run as users run it, beside a service that works on no imports itself."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import pytest

from tests import photos
from tests.jobs.values import tar_of
from tests.servers import facematch, running

BODY = tar_of({"grace.jpg": photos.grace_bytes(), "coffee.jpg": photos.encoded(photos.landscape())})


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path / "home"),
        "IMPORT_WORKERS": "0",
    }


@contextmanager
def working(environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        command = [sys.executable, "-m", "service", "worker", "--concurrency", "1"]
        process = subprocess.Popen(command, env=environ | environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, log.read_text()


@pytest.mark.timeout(
    240
)  # four processes that load the model, of which one gives way to all others
def test_a_worker_does_what_a_service_has_taken_in(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        running(tmp_path / "log", environment=environment) as server,
        server.client() as client,
    ):
        accepted = client.post("/v1/galleries/dlib/imports", content=BODY)
        job = accepted.headers["location"]
        time.sleep(1)
        assert client.get(job).json()["state"] == "waiting"
        doctor = facematch("doctor", environment=environment)
        assert "FAIL imports: 1 wait and no worker is alive" in doctor.stdout

        with working(environment, tmp_path / "worker.log"):
            end = time.monotonic() + 60
            while (found := client.get(job).json())["state"] != "finished":
                assert time.monotonic() < end, (tmp_path / "worker.log").read_text()
                time.sleep(0.1)
            doctor = facematch("doctor", environment=environment)
            assert "ok   imports: none waits; live workers: 1" in doctor.stdout
        assert (found["enrolled"], found["rejected"]) == (1, 1)


def test_a_worker_that_cannot_start_says_why(environment: dict[str, str]) -> None:
    done = facematch("worker", environment=environment | {"MODEL_NAME": "Nobody"})
    assert done.returncode == 5, done.stderr
    assert "Nobody" in done.stderr
    assert "Traceback" not in done.stderr
