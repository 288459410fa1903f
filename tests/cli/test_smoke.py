"""`facematch smoke` through a load balancer whose replicas are not told of each other's writes."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.proxies import Proxy
from tests.servers import WITHOUT_A_MODEL, Server, facematch, running


class Balancer(Proxy):
    """The next connection goes to the next server."""

    def __init__(self, servers: list[Server]) -> None:
        ports = [int(server.url.rpartition(":")[2]) for server in servers]
        self._turns = itertools.cycle(ports)
        super().__init__(servers[0].url)

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", next(self._turns)))


@pytest.fixture
def deaf_pair(database_url: str, tmp_path: Path) -> Iterator[list[Server]]:
    """Two replicas without notifications, which look by themselves only now and then."""
    with psycopg.connect(database_url) as connection:
        (source,) = connection.execute(
            "SELECT pg_get_functiondef('feed_number'::regproc)"
        ).fetchone() or ("",)
        assert "PERFORM pg_notify(" in source
        connection.execute(source.replace("PERFORM pg_notify(", "PERFORM concat("))
    environment = {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path),
        "FEED_POLL_S": "60",
        "FEED_STALE_S": "120",
    }
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running(tmp_path / f"log-{n}", environment=environment, module=WITHOUT_A_MODEL)
            )
            for n in range(2)
        ]


def test_smoke_reads_its_writes_through_a_load_balancer(deaf_pair: list[Server]) -> None:
    one, other = deaf_pair
    # uneven, so that the one that enrols is not always the one that is asked
    balancer = Balancer([one, one, other])
    home = {"FACEMATCH_HOME": str(one.home)}
    for _ in range(3):
        done = facematch("smoke", f"http://127.0.0.1:{balancer.port}", environment=home)
        assert done.returncode == 0, done.stderr
    balancer.cut()
