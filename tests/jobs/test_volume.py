"""6,000 photographs through a service: constant memory, and a constant number of connections."""

import io
import tarfile
import time
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tests.fakes.analyser import photograph
from tests.servers import WITHOUT_A_MODEL, ready, start

COUNT = 6000
PHOTOGRAPH_BYTES = 20_000
POOL = 4
OTHERS = 6
"""Connections beside the pool: the change feed's three and the queue's three."""
GROWTH = 60_000_000
"""Half of what the photographs are: they must not be in memory together. Batches, heaps and 6,000
index entries are."""


def large_tar(path: Path) -> int:
    """As many photographs, each padded to the size; returns the archive's size."""
    with tarfile.open(path, "w") as tar:
        for n in range(COUNT):
            data = photograph(n).ljust(PHOTOGRAPH_BYTES, b"\0")
            member = tarfile.TarInfo(f"{n}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path.stat().st_size


@pytest.mark.timeout(600)
def test_six_thousand_photographs_take_no_more_memory_and_connections_than_a_few(
    database_url: str, tmp_path: Path
) -> None:
    assert large_tar(tmp_path / "people.tar") > 2 * GROWTH
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "DATABASE_POOL_SIZE": str(POOL),
    }
    server = ready(start(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL))
    memory: list[int] = []
    connections: list[int] = []
    count = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    process = psutil.Process(server.process.pid)
    try:
        with server.client() as client, psycopg.connect(database_url, autocommit=True) as sql:

            def look() -> None:
                memory.append(process.memory_info().rss)
                connections.append((sql.execute(count).fetchone() or (0,))[0] - 1)  # less ours

            # a first one, so that what is loaded once is loaded
            assert done(client, post(client, tmp_path / "first.tar", [photograph(0)]))["total"] == 1
            look()
            with (tmp_path / "people.tar").open("rb") as body:
                answer = client.post("/v1/galleries/dlib/imports", content=body, timeout=120)
            look()
            assert answer.status_code == 202, answer.text
            end = time.monotonic() + 500
            while (job := client.get(answer.headers["location"]).json())["state"] != "finished":
                assert time.monotonic() < end, job
                look()
                time.sleep(0.1)
            assert (job["enrolled"], job["skipped"]) == (COUNT - 1, 1)
    finally:
        server.stop()
    assert max(memory) - memory[0] < GROWTH, memory
    assert max(connections) <= POOL + OTHERS, connections


def post(client: httpx.Client, path: Path, files: list[bytes]) -> str:
    with tarfile.open(path, "w") as tar:
        for n, data in enumerate(files):
            member = tarfile.TarInfo(f"{n}.png")
            member.size = len(data.ljust(PHOTOGRAPH_BYTES, b"\0"))
            tar.addfile(member, io.BytesIO(data.ljust(PHOTOGRAPH_BYTES, b"\0")))
    answer = client.post("/v1/galleries/dlib/imports", content=path.read_bytes())
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def done(client: httpx.Client, job: str) -> dict[str, int]:
    end = time.monotonic() + 30
    while (found := client.get(job).json())["state"] != "finished":
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return dict(found)
