"""What a use case is told when the database refuses or is away."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    DatabaseUnsuitable,
    EmbeddingInvalid,
    GalleryFull,
    GalleryNotReady,
    RequestInvalid,
)
from service.ports import Store, Transaction
from service.store import open_store
from tests.store.test_listen import CUT
from tests.store.values import SPACE, add, embedding, enrol, new_face, one

Sql = psycopg.Connection[Any]

NOBODY = "postgresql://nobody:topsecret@127.0.0.1:1/nothing"


def within(store: Store, work: Callable[[Transaction], None]) -> None:
    with store.transaction() as tx:
        work(tx)


def test_the_limit_is_told_at_the_commit(store: Store, gallery: Gallery, psql: Sql) -> None:
    psql.execute("UPDATE gallery SET max_faces = 1")
    enrol(store, gallery, "ada")
    with pytest.raises(GalleryFull, match="'people'"):
        enrol(store, gallery, "bob", 1)
    assert one(psql, "SELECT count(*) FROM subject") == 1


def test_the_limit_is_told_by_made_version(store: Store, gallery: Gallery, psql: Sql) -> None:
    psql.execute("UPDATE gallery SET max_faces = 1")
    enrol(store, gallery, "ada")

    def work(tx: Transaction) -> None:
        add(tx, gallery, "bob", 1)
        tx.made_version(gallery.id)

    with pytest.raises(GalleryFull):
        within(store, work)
    assert one(psql, "SELECT count(*) FROM subject") == 1


def test_a_failed_transaction_is_never_taken_for_committed(store: Store, gallery: Gallery) -> None:
    def work(tx: Transaction) -> None:
        add(tx, gallery, "ada")
        with pytest.raises(EmbeddingInvalid):
            tx.add_face(gallery, tx.add_subject(gallery.id, "bob"), new_face(1, 64))

    with pytest.raises(RuntimeError, match="nothing can be committed"):
        within(store, work)
    with store.transaction() as tx:
        assert tx.count_faces(gallery.id) == 0


def test_an_exception_of_the_use_case_rolls_back(store: Store, gallery: Gallery) -> None:
    def work(tx: Transaction) -> None:
        add(tx, gallery, "ada")
        raise KeyError

    with pytest.raises(KeyError):
        within(store, work)
    with store.transaction() as tx:
        assert tx.count_faces(gallery.id) == 0


def test_a_vector_that_is_not_of_unit_length_is_named(store: Store, gallery: Gallery) -> None:
    face = replace(new_face(), embedding=embedding(1) * 2)
    with pytest.raises(EmbeddingInvalid, match="length"), store.transaction() as tx:
        tx.add_face(gallery, tx.add_subject(gallery.id, "ada"), face)


@pytest.mark.parametrize("external_id", ["", " ", "a\nb", "x" * 256, "a\0b"])
def test_an_id_that_sql_refuses_is_a_form_error(
    store: Store, gallery: Gallery, external_id: str
) -> None:
    with pytest.raises(RequestInvalid), store.transaction() as tx:
        tx.add_subject(gallery.id, external_id)


def test_a_gallery_that_has_gone_is_told(store: Store, gallery: Gallery) -> None:
    with pytest.raises(GalleryNotReady), store.transaction() as tx:
        tx.add_subject(uuid4(), "ada")


def test_a_read_only_transaction_refuses_to_write(store: Store, gallery: Gallery) -> None:
    with pytest.raises(DatabaseUnavailable), store.transaction(read_only=True) as tx:
        tx.add_subject(gallery.id, "ada")


def test_an_unreachable_database_is_unavailable_at_once() -> None:
    store = open_store(NOBODY, pool_size=2, timeout_s=1)
    start = time.monotonic()
    with pytest.raises(DatabaseUnavailable), store.transaction():
        pass
    feed = store.feed()
    with pytest.raises(DatabaseUnavailable):
        feed.heads()
    with pytest.raises(DatabaseUnavailable):
        feed.wait(5)
    assert time.monotonic() - start < 8
    feed.close()
    store.close()


def test_a_standby_is_refused(database_url: str) -> None:
    """It lags, and nobody can tell by how much."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = one(connection, "SELECT current_database()")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    store = open_store(database_url, pool_size=2, timeout_s=1)
    feed = store.feed()
    for ask in (feed.heads, lambda: feed.wait(1), lambda: store.transaction().__enter__()):
        with pytest.raises(DatabaseUnavailable):
            ask()
    feed.close()
    store.close()


def test_a_url_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(DatabaseUnsuitable) as refusal:
        open_store("postgresql://u:topsecret@[", pool_size=2, timeout_s=1)
    assert "topsecret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_url_works(clean_url: str, scheme: str) -> None:
    url = scheme + "://" + clean_url.partition("://")[2]
    store = open_store(url, pool_size=2, timeout_s=2)
    with store.transaction() as tx:
        assert tx.find_gallery("nobody") is None
    store.close()


def test_connections_that_were_cut_never_reach_a_use_case(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    for _ in range(3):
        psql.execute(CUT)
        enrol(store, gallery, uuid4().hex)


@pytest.mark.parametrize(
    "then",
    [
        lambda tx, gallery: tx.count_faces(gallery.id),
        lambda tx, gallery: tx.made_version(gallery.id),
        lambda tx, gallery: None,
    ],
    ids=["a query", "the version", "the commit"],
)
def test_a_connection_lost_inside_a_transaction_is_unavailable(
    store: Store, gallery: Gallery, psql: Sql, then: Callable[[Transaction, Gallery], object]
) -> None:
    def work(tx: Transaction) -> None:
        add(tx, gallery, "ada")
        psql.execute(CUT)
        then(tx, gallery)

    with pytest.raises(DatabaseUnavailable):
        within(store, work)
    enrol(store, gallery, "ada")


def test_the_wait_for_a_lock_is_bounded(clean_url: str, gallery: Gallery, psql: Sql) -> None:
    store = open_store(clean_url, pool_size=2, timeout_s=0.3)
    with psql.transaction():
        psql.execute("SELECT FROM gallery FOR UPDATE")
        start = time.monotonic()
        with pytest.raises(DatabaseBusy):
            enrol(store, gallery, "ada")
        assert time.monotonic() - start < 3
    enrol(store, gallery, "ada")
    store.close()


def test_the_wait_for_a_connection_is_bounded(clean_url: str) -> None:
    store = open_store(clean_url, pool_size=1, timeout_s=0.3)
    with store.transaction():
        start = time.monotonic()
        with pytest.raises(DatabaseUnavailable), store.transaction():
            pass
        assert time.monotonic() - start < 3
    store.close()


def deadlocked(
    store: Store, one: Gallery, two: Gallery, write: Callable[[Any], object]
) -> list[str]:
    """Two writers that take the galleries' rows in opposite order at their first try."""
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def writer(first: Gallery, second: Gallery, seed: int) -> None:
        tries: list[int] = []

        def work(tx: Transaction) -> None:
            tries.append(seed)
            add(tx, first, f"one {seed}", seed)
            tx.made_version(first.id)
            if len(tries) == 1:
                barrier.wait(10)
            add(tx, second, f"two {seed}", seed)

        try:
            write(work)
        except DatabaseBusy:
            outcomes.append("busy")
        else:
            outcomes.append("again" if len(tries) > 1 else "at once")

    threads = [
        threading.Thread(target=writer, args=(one, two, 1)),
        threading.Thread(target=writer, args=(two, one, 2)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.fixture
def others(store: Store) -> Gallery:
    with store.transaction() as tx:
        return tx.create_gallery("others", SPACE, GallerySettings(0.5))


def test_a_deadlock_is_busy(store: Store, gallery: Gallery, others: Gallery) -> None:
    def once(work: Callable[[Transaction], None]) -> None:
        with store.transaction() as tx:
            work(tx)

    assert deadlocked(store, gallery, others, once) == ["at once", "busy"]


def test_our_own_writers_retry_a_deadlock(store: Store, gallery: Gallery, others: Gallery) -> None:
    assert deadlocked(store, gallery, others, store.write) == ["again", "at once"]
    with store.transaction() as tx:
        assert (tx.count_faces(gallery.id), tx.count_faces(others.id)) == (2, 2)


def test_a_lock_that_is_held_is_not_retried(clean_url: str, gallery: Gallery, psql: Sql) -> None:
    store = open_store(clean_url, pool_size=2, timeout_s=0.3)
    tries: list[int] = []

    def work(tx: Transaction) -> None:
        tries.append(1)
        add(tx, gallery, "ada")
        tx.made_version(gallery.id)

    with psql.transaction():
        psql.execute("SELECT FROM gallery FOR UPDATE")
        with pytest.raises(DatabaseBusy):
            store.write(work)
    assert tries == [1]
    store.close()


def test_behind_a_pooler_every_transaction_bounds_itself(
    clean_url: str, gallery: Gallery, psql: Sql
) -> None:
    store = open_store(clean_url, direct_url=clean_url, pool_size=2, timeout_s=0.3)
    for place in range(8):  # often enough for a driver to prepare its statements
        enrol(store, gallery, f"subject {place}", place)
    with psql.transaction():
        psql.execute("SELECT FROM gallery FOR UPDATE")
        with pytest.raises(DatabaseBusy):
            enrol(store, gallery, "ada", 100)
    for _ in range(8):
        assert store.glance("people") is not None
    with psql.transaction():
        psql.execute("LOCK TABLE gallery")
        with pytest.raises(DatabaseBusy):
            store.glance("people")
    prepared = one(psql, "SELECT count(*) FROM pg_prepared_statements")
    assert prepared == 0
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert one(psql, open_ones) == 0
    feed = store.feed()
    assert feed.heads()[0].version.number == 8
    feed.close()
    store.close()
