"""What a replica tells the others, and when; what it holds is proved by tests/convergence."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from service.domain.galleries import Gallery
from service.domain.replicas import ReplicaState
from service.ports import Store
from service.store import replicas as replicas_sql
from service.sync import Replica, replica, reporter
from tests.store.values import enrol, one

Sql = psycopg.Connection[Any]
Start = Callable[[], Replica]


@pytest.fixture
def start(store: Store, gallery: Gallery, psql: Sql) -> Iterator[Start]:
    """Starts replicas, of which the database knows no others."""
    psql.execute("TRUNCATE replica CASCADE")
    started = []

    def start() -> Replica:
        started.append(Replica(store.feed(), poll_s=0.05, stale_s=15, wait_s=5))
        return started[-1]

    yield start
    for each in started:
        each.close()


def until(holds: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def listed(store: Store, gallery: Gallery) -> list[ReplicaState]:
    with store.transaction(read_only=True) as tx:
        return tx.replicas(gallery.id)


def test_a_replica_is_known_before_it_has_read_anything(
    start: Start, store: Store, gallery: Gallery, psql: Sql
) -> None:
    """What it reads may hold a face whose deletion waits for all that are known."""
    with psql.transaction():
        psql.execute("LOCK TABLE face IN ACCESS EXCLUSIVE MODE")
        following = start()
        following.start()
        until(lambda: listed(store, gallery))
        (state,) = listed(store, gallery)
        assert (state.live, state.version) == (True, None)
        assert following.status().loaded is False
    until(lambda: listed(store, gallery)[0].version is not None)


def test_a_replica_that_ends_before_it_has_loaded_leaves_the_list(
    start: Start, store: Store, gallery: Gallery, psql: Sql
) -> None:
    with psql.transaction():
        psql.execute("LOCK TABLE face IN ACCESS EXCLUSIVE MODE")
        following = start()
        following.start()
        until(lambda: listed(store, gallery))
    following.close()
    assert listed(store, gallery) == []


def test_a_replica_whose_report_was_deleted_reports_everything_again(
    start: Start, store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "HEARTBEAT_S", 0.3)
    enrol(store, gallery, "ada")
    start().start()
    until(lambda: [each.version for each in listed(store, gallery)] not in ([], [None]))
    (before,) = listed(store, gallery)
    psql.execute("TRUNCATE replica CASCADE")
    until(lambda: [each.version for each in listed(store, gallery)] == [before.version])


def test_pruning_goes_on_while_there_is_more(
    start: Start, store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas_sql, "BATCH", 5)
    monkeypatch.setattr(replica, "PRUNE_AGAIN_S", 0.05)
    for name in range(21):
        psql.execute(
            "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s)", (gallery.id, str(name))
        )
    psql.execute("UPDATE gallery_change SET at = now() - interval '2 days'")
    following = start()
    following._prune_at = 0.0
    following.start()
    until(lambda: one(psql, "SELECT count(*) FROM gallery_change") == 1)
