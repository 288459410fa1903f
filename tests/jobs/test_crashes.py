"""Imports under kill -9 of their workers and of Postgres: every item exactly once."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.domain.imports import ImportJob, ItemStatus
from service.domain.keys import trusted
from service.errors import UnavailableError
from service.galleries import GalleryDefaults, open_gallery
from service.images import ImageLimits
from service.jobs.imports import Imports
from service.jobs.uploads import ImportLimits
from service.store import open_store, schema
from tests.convergence.cluster import Cluster
from tests.fakes.analyser import SPACE, photograph
from tests.forks import UNMEASURED
from tests.jobs.values import submitted, tar_of

# 600 faces and the starts of four programs, beside whatever else the machine does
pytestmark = pytest.mark.timeout(400)

COUNT = 600
CALLER = trusted("tests")
FILES = {f"person-{n % 200:03}/{n}.png": photograph(n) for n in range(COUNT)}

# every item enrolled, by a face that is there, of its own subject; and no face besides
ACCOUNTED = """
SELECT (SELECT count(*) FROM import_item i
          JOIN face f ON f.id = i.face_id
          JOIN subject s ON s.id = f.subject_id AND s.external_id = i.external_id
         WHERE i.status = 'enrolled'),
       (SELECT count(DISTINCT face_id) FROM import_item),
       (SELECT count(*) FROM face), (SELECT count(*) FROM face_embedding),
       (SELECT count(*) FROM import_item WHERE photograph IS NOT NULL),
       (SELECT state FROM import_job)
"""


class Installation:
    """A database, and workers that can be killed."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self.store = open_store(url, pool_size=4, timeout_s=3)
        open_gallery(self.store, GalleryDefaults("people", None, None), SPACE)
        limits = ImportLimits(100_000_000, 10_000, folder / "imports")
        self.imports = Imports(self.store, ImageLimits(20_000, 1_000_000), limits, 600)
        self.workers: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str, slow_ms: float) -> "subprocess.Popen[bytes]":
        inherited = {name: value for name, value in os.environ.items() if name not in UNMEASURED}
        environment = {
            "DATABASE_URL": self.url,
            "FACEMATCH_HOME": str(self._folder),
            "DEFAULT_GALLERY": "people",
            "SLOW_MS": str(slow_ms),
        }
        with (self._folder / "log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.slow", *arguments],
                env=inherited | environment,
                stdout=out,
                stderr=out,
            )
        self.workers.append(process)
        return process

    def worker(self, slow_ms: float = 10) -> "subprocess.Popen[bytes]":
        return self.command("worker", "--concurrency", "2", slow_ms=slow_ms)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def job(self, job_id: UUID) -> ImportJob | None:
        """None while the database is away."""
        try:
            return self.imports.read(CALLER, job_id)
        except UnavailableError:
            return None

    def until(self, job_id: UUID, done: int, seconds: float = 200) -> None:
        end = time.monotonic() + seconds
        while (job := self.job(job_id)) is None or job.done < done:
            assert time.monotonic() < end, (job, self.log())
            time.sleep(0.02)

    def accounts(self) -> tuple[Any, ...]:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(ACCOUNTED).fetchone()
        assert row is not None
        return row

    def close(self) -> None:
        for worker in self.workers:
            kill(worker)
        self.store.close()


def kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


@contextmanager
def installed(url: str, folder: Path) -> Iterator[Installation]:
    installation = Installation(url, folder)
    try:
        yield installation
    finally:
        installation.close()


def finished(here: Installation, job_id: UUID) -> None:
    here.until(job_id, COUNT)
    end = time.monotonic() + 20
    while (job := here.job(job_id)) is None or not job.ended:
        assert time.monotonic() < end, (job, here.log())
        time.sleep(0.05)
    assert here.accounts() == (COUNT, COUNT, COUNT, COUNT, 0, "finished"), here.log()


def test_killed_workers_lose_nothing_and_nothing_is_enrolled_twice(
    database_url: str, tmp_path: Path
) -> None:
    with installed(database_url, tmp_path) as here:
        job = submitted(here.imports, CALLER, tar_of(FILES))
        for done in (1, 150, 300):
            worker = here.worker()
            here.until(job.id, done)
            kill(worker)
        here.worker()
        here.worker()
        finished(here, job.id)


def test_a_killed_postgres_loses_nothing_and_nothing_is_enrolled_twice(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="facematch-test-") as folder:
        cluster = Cluster(Path(folder))
        cluster.start()
        try:
            schema.upgrade(cluster.primary.url)
            with installed(cluster.primary.url, tmp_path) as here:
                job = submitted(here.imports, CALLER, tar_of(FILES))
                here.worker()
                for done in (1, 200, 400):
                    here.until(job.id, done)
                    cluster.kill()
                    time.sleep(0.5)
                    cluster.start()
                finished(here, job.id)
                assert all(worker.poll() is None for worker in here.workers), here.log()
        finally:
            cluster.close()


def test_a_worker_told_to_stop_commits_its_batch_and_gives_the_rest_back(
    database_url: str, tmp_path: Path
) -> None:
    with installed(database_url, tmp_path) as here:
        job = submitted(here.imports, CALLER, tar_of(FILES))
        worker = here.worker()
        here.until(job.id, 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0, here.log()
        with psycopg.connect(database_url) as connection:
            counted = "SELECT count(*), count(claimed_by), max(attempts) FROM import_item"
            row = connection.execute(f"{counted} WHERE status = 'waiting'").fetchone()
            workers = connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone()
            waiting = connection.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
            ).fetchone()
        assert row is not None
        assert row[0] > 0
        assert row[1:] == (0, 0)
        assert workers == (0,)
        assert waiting is not None
        assert waiting[0] >= 1
        here.worker(slow_ms=1)
        finished(here, job.id)


def test_a_killed_enrol_command_is_taken_up_by_a_worker_and_may_be_run_again(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "people"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with installed(database_url, tmp_path) as here:
        command = here.command("enroll", "--by-folder", str(folder), slow_ms=10)
        end = time.monotonic() + 200
        while not (jobs := here.imports.page(CALLER, None, 1)) or jobs[0].done == 0:
            assert time.monotonic() < end, here.log()
        kill(command)
        here.worker(slow_ms=1)
        finished(here, jobs[0].id)
        again = here.command("enroll", "--by-folder", str(folder), slow_ms=1)
        assert again.wait(timeout=200) == 0, here.log()
        assert f"0 enrolled, {COUNT} skipped, 0 rejected" in here.log()


def test_an_enrol_command_told_to_stop_cancels_its_job(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    for n in range(COUNT):
        (folder / f"{n}.png").write_bytes(photograph(n))
    with installed(database_url, tmp_path) as here:
        command = here.command("enroll", str(folder), slow_ms=20)
        end = time.monotonic() + 200
        while not (jobs := here.imports.page(CALLER, None, 1)) or jobs[0].done == 0:
            assert time.monotonic() < end, here.log()
        command.send_signal(signal.SIGINT)
        command.wait(timeout=30)
        job = here.imports.read(CALLER, jobs[0].id)
        assert job.state == "cancelled", here.log()
        with psycopg.connect(database_url) as connection:
            row = connection.execute("SELECT count(*) FROM face").fetchone()
        assert row == (job.count(ItemStatus.ENROLLED),)
        assert sum(job.counts.values()) == COUNT
