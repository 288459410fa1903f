"""Back to a point in time, from a base backup and the archived log, with replicas running."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

import tests
from service.audit import Audit
from service.domain.audit import Anchor
from service.store import open_store, schema
from service.store.changes import DIGEST
from tests.convergence.cluster import Cluster
from tests.fakes.analyser import photograph
from tests.proxies import Proxy
from tests.servers import Server, ready, start

CONVERGED_S = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the account which runs the server can reach."""
    folder = Path(tempfile.mkdtemp(prefix="facematch-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def archive(folder: Path) -> Path:
    archive = folder / "archive"
    archive.mkdir()
    archive.chmod(0o777)  # the server's account puts its log there
    return archive


@pytest.fixture
def cluster(folder: Path, archive: Path) -> Iterator[Cluster]:
    settings = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "restore_command": f"cp {archive}/%f %p",
    }
    cluster = Cluster(folder, settings)
    cluster.start()
    yield cluster
    cluster.close()


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """So that replicas find the restored server at the address of the lost one."""
    schema.upgrade(cluster.primary.url)
    proxy = Proxy(cluster.primary.url)
    yield proxy
    proxy.cut()


@pytest.fixture
def replicas(folder: Path, proxy: Proxy) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        servers = []
        for number in range(2):
            home = folder / f"replica-{number}"
            home.mkdir()
            environment = {
                "DATABASE_URL": proxy.url,
                "FACEMATCH_HOME": str(home),
                "ALLOW_ANONYMOUS": "true",
                "PYTHONPATH": str(Path(tests.__file__).parent.parent),
            }
            module = "tests.convergence.replica"
            server = start(home / "log", environment=environment, module=module)
            stack.callback(server.stop)
            servers.append(server)
        for server in servers:
            ready(server)
        yield servers


def enrol(server: Server, name: str, seed: int) -> str:
    """The version that it made."""
    answer = httpx.post(
        f"{server.url}/add_face",
        data={"id": name},
        files={"file": photograph(seed)},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.headers["X-Gallery-Version"])


def stats(server: Server, version: str) -> httpx.Response:
    headers = {"X-Min-Gallery-Version": version}
    return httpx.get(f"{server.url}/stats", headers=headers, timeout=30)


def ends(url: str) -> list[Anchor]:
    store = open_store(url, pool_size=1, timeout_s=5)
    try:
        return Audit(store).anchors()
    finally:
        store.close()


def breaks(url: str, anchors: list[Anchor]) -> list[str]:
    store = open_store(url, pool_size=1, timeout_s=5)
    try:
        return [chain.broken.reason for chain in Audit(store).verify(anchors) if chain.broken]
    finally:
        store.close()


def table(url: str) -> tuple[UUID, str, int]:
    """The gallery's id, its version and the digest of its content."""
    digest = DIGEST % ("g.id", "g.space_id")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            f"SELECT g.id, g.version, g.mark, ({digest}) FROM gallery g".encode()
        ).fetchone()
    assert row is not None
    return row[0], f"{row[1]}-{row[2].hex}", int(row[3]) % 2**64


def held(server: Server, gallery_id: UUID) -> tuple[str, int] | None:
    answer = httpx.get(f"{server.url}/audit/{gallery_id}", timeout=30)
    body = answer.json()
    return (body["version"], int(body["digest"])) if answer.status_code == 200 else None


def now(url: str) -> datetime:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    time.sleep(0.1)  # a commit has its time from before it
    point: datetime = row[0]
    return point


def test_after_a_recovery_to_a_point_in_time_replicas_hold_what_the_table_holds(
    cluster: Cluster, proxy: Proxy, replicas: list[Server], archive: Path
) -> None:
    before = enrol(replicas[0], "grace", 1)
    backup = cluster.backup()
    between = enrol(replicas[1], "ada", 2)
    kept = ends(cluster.primary.url)
    point = now(cluster.primary.url)
    lost = enrol(replicas[0], "mistake", 3)
    with psycopg.connect(cluster.primary.url, autocommit=True) as sql:
        sql.execute("DELETE FROM subject WHERE external_id = 'grace'")
        too_late = ends(cluster.primary.url)
    cluster.primary.stop()  # which archives what is left
    assert any(archive.iterdir())
    cluster.recover(
        backup,
        {"recovery_target_time": point.isoformat(), "recovery_target_action": "promote"},
    )
    proxy.retarget(cluster.primary.url)
    proxy.cut_connections()

    gallery_id, version, digest = table(cluster.primary.url)
    assert version == between
    end = time.monotonic() + CONVERGED_S
    while (states := [held(each, gallery_id) for each in replicas]) != [(version, digest)] * 2:
        assert time.monotonic() < end, states
        time.sleep(0.1)
    for server in replicas:
        assert stats(server, before).json()["indexed_faces"] == 2
        assert stats(server, between).json()["indexed_faces"] == 2
        answer = stats(server, lost)
        assert (answer.status_code, answer.json()["code"]) == (409, "version_lost")
    assert breaks(cluster.primary.url, kept) == []
    assert "missing" in " ".join(breaks(cluster.primary.url, too_late))

    newer = enrol(replicas[1], "eve", 4)
    assert stats(replicas[0], newer).json()["indexed_faces"] == 3
    assert breaks(cluster.primary.url, kept) == []
