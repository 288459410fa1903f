"""The whole installation under test: database, proxy, replicas, writers and auditors."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

import tests
from service.domain.galleries import GalleryVersion
from service.store import schema
from service.store.changes import DIGEST
from tests.convergence.audits import Auditor, Held, held
from tests.convergence.callers import Caller, Database
from tests.convergence.cluster import Cluster
from tests.convergence.history import WITNESS, History
from tests.convergence.record import Record
from tests.convergence.sql_writers import SqlWriter
from tests.convergence.workers import Worker, resting
from tests.fakes.analyser import SPACE
from tests.proxies import Proxy
from tests.servers import WITHOUT_A_MODEL, Server, free_port, ready, start

HOSTS = (0, 0, 1)
"""Of each replica; those of one host share their snapshot files and map the same pages."""
CALLERS, SQL_WRITERS = 3, 4
BOUND_S = 2.0
"""Within this time of the last fault every replica equals the table."""

SPACE_ROW = """
INSERT INTO embedding_space (model, dimension, weights_sha256, detector, alignment,
                             default_threshold)
VALUES (%s, %s, %s, %s, %s, %s)
"""
GALLERIES = """
INSERT INTO gallery (name, space_id, threshold)
SELECT name, s.id, s.default_threshold FROM embedding_space s, unnest(ARRAY['dlib', 'other']) name
RETURNING id
"""
TABLE = f"SELECT g.id, g.version, g.mark, ({DIGEST % ('g.id', 'g.space_id')}) FROM gallery g"


class Member:
    """One replica: a process that may be killed and started again, at the same address."""

    def __init__(
        self, home: Path, log: Path, environment: Mapping[str, str], broken: str | None
    ) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self._log = log
        self._port = free_port()
        self._environment = {**environment, "FACEMATCH_HOME": str(home)}
        self._broken = ["--broken", broken] if broken else []
        self.start()

    def start(self) -> None:
        self.server: Server = start(
            self._log,
            *self._broken,
            environment=self._environment,
            port=self._port,
            module=WITHOUT_A_MODEL,
        )

    def end(self) -> None:
        self.server.process.send_signal(signal.SIGCONT)
        self.server.kill()


class Site:
    def __init__(self, folder: Path, seed: int, broken: str | None, writing: bool) -> None:
        self.random = random.Random(seed)
        self.record = Record()
        self.cluster = Cluster(folder)
        self._folder, self._seed, self._broken, self._writing = folder, seed, broken, writing
        self._client = httpx.Client(timeout=10)
        self._closing = ExitStack()

    def open(self) -> None:
        self._closing.callback(self._client.close)
        self._closing.callback(self.cluster.close)
        self.cluster.start()
        self.galleries = _prepared(self.cluster.primary.url)
        self.proxy = Proxy(self.cluster.primary.url)
        self._closing.callback(self.proxy.cut)
        self.history = History(lambda: self.cluster.primary.url, self.galleries)
        self.database = Database(lambda: self.cluster.primary.url)
        self.replicas = self._replicas()
        for replica in self.replicas:
            ready(replica.server)
        self.history.start()
        self._closing.callback(self.history.close)
        self.callers = self._callers() if self._writing else []
        self.writers: list[Worker] = [*self.callers, *self._sql_writers()]
        for worker in [*self.writers, *self._auditors()]:
            worker.start()
            self._closing.callback(worker.end)

    def close(self) -> None:
        self._closing.close()

    def sql(self) -> psycopg.Connection[Any]:
        """A connection to the primary, around the proxy."""
        return psycopg.connect(self.cluster.primary.url, autocommit=True, connect_timeout=5)

    def settle(self, after: str) -> None:
        """See that every replica becomes equal to the table in time, and let the writers rest.

        In time after the fault, and after the last commits of writers that come to rest. Nobody
        waits for these first: what they ask may be what takes too long.
        """
        for worker in self.writers:
            worker.hold()
        equal = self._become_equal(after)
        with resting(self.writers):
            if equal and self._become_equal(after):
                self.history.end_loss()

    def _become_equal(self, after: str) -> bool:
        since = asked = time.monotonic()
        table = self._table()
        while difference := self._difference(table):
            if asked > since + BOUND_S:
                self.record.violation(f"after {after}: not equal in time: {difference}")
                return False
            time.sleep(0.02)
            asked, before, table = time.monotonic(), table, self._table()
            since = since if table == before else asked
        self.record.converged(time.monotonic() - since)
        return True

    def _table(self) -> list[Held]:
        with self.sql() as connection:
            rows = connection.execute(TABLE.encode()).fetchall()
        return [
            Held(gallery_id, GalleryVersion(number, mark), int(digest) % 2**64)
            for gallery_id, number, mark, digest in rows
        ]

    def _difference(self, table: list[Held]) -> str:
        """What keeps the replicas from being equal to the table; empty when they are."""
        for row in table:
            for replica in self.replicas:
                if (found := held(self._client, replica.server.url, row.gallery_id)) != row:
                    return f"{replica.server.url} holds {found}, the table {row}"
        return ""

    def _replicas(self) -> list[Member]:
        environment = {
            "DATABASE_URL": self.proxy.url,
            "PYTHONPATH": str(Path(tests.__file__).parent.parent),
            # it would mend what the harness is here to find
            "DIGEST_EVERY_S": "86400",
            # keys are no part of what converges
            "ALLOW_ANONYMOUS": "true",
        }
        replicas: list[Member] = []
        for host in HOSTS:
            log = self._folder / f"replica-{len(replicas)}.log"
            member = Member(self._folder / f"host-{host}", log, environment, self._broken)
            self._closing.callback(member.end)
            replicas.append(member)
        return replicas

    def _callers(self) -> list[Caller]:
        urls = [replica.server.url for replica in self.replicas]
        return [
            Caller(f"caller-{number}", urls, self.database, self._seed, self.record)
            for number in range(CALLERS)
        ]

    def _sql_writers(self) -> list[SqlWriter]:
        writers = []
        for number in range(SQL_WRITERS if self._writing else 0):
            name = f"writer-{number}"
            writer = SqlWriter(name, self.proxy.url, self.galleries, self._seed, self.record)
            writers.append(writer)
        return writers

    def _auditors(self) -> list[Auditor]:
        return [
            Auditor(each.server.url, self.galleries, self.history, self._seed, self.record)
            for each in self.replicas
        ]


def _prepared(url: str) -> list[UUID]:
    """Make the schema, the witness and two empty galleries; their ids."""
    schema.upgrade(url)
    space = (SPACE.model, SPACE.dimension, SPACE.weights_sha256, SPACE.detector, SPACE.alignment)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SPACE_ROW, (*space, SPACE.default_threshold))
        galleries = [row[0] for row in connection.execute(GALLERIES)]
        connection.execute(WITNESS.encode())
    return galleries


@contextmanager
def running_site(*, seed: int, broken: str | None = None, writing: bool = True) -> Iterator[Site]:
    """A site in a folder of its own; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="facematch-"))
    site = Site(folder, seed, broken, writing)
    try:
        site.open()
        yield site
        _finish(site)
    finally:
        site.close()
        if os.environ.get("FACEMATCH_KEEP_SITE") != "1":
            shutil.rmtree(folder, ignore_errors=True)


def _finish(site: Site) -> None:
    """The figures that only the end can tell."""
    with resting(site.writers):
        time.sleep(0.5)  # the history's last look, and the auditors' last judgement
        site.record.count("versions seen", len(site.history.known))
        site.record.count("versions lost by the database", site.history.lost())
        if gaps := site.history.gaps():
            site.record.violation(f"{gaps} version numbers were left out or given twice")
