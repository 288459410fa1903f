"""A gallery's settings can be changed, and the gallery deleted, while many write into it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings, GalleryVersion, IndexKey
from service.domain.keys import trusted
from service.errors import GalleryNotFound, GalleryNotReady
from service.galleries import Galleries
from service.ports import Analysers, FaceIndex, Store, Transaction
from service.store.transactions import PostgresTransaction
from tests.store.values import add, one

CALLER = trusted("test")
WRITERS = 4
SOON_S = 15.0


class NoIndexes:
    """A replica that nobody waits for."""

    def index(self, key: IndexKey) -> FaceIndex:
        raise AssertionError

    def wait_for(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        return True


@pytest.fixture
def galleries(store: Store) -> Galleries:
    return Galleries(store, NoIndexes(), cast(Analysers, None), wait_all_s=0)


@contextmanager
def many_writers(galleries: Galleries, name: str) -> Iterator[list[Exception]]:
    """Enrolments without a pause in between, until the block or the gallery ends; yields what they
    met."""
    done, met = threading.Event(), list[Exception]()

    def write(writer: int) -> None:
        number = 0

        def enrol(tx: Transaction, gallery: Gallery) -> None:
            add(tx, gallery, f"{writer}-{number}", 1000 * writer + number)
            time.sleep(0.02)
            tx.made_version(gallery.id)

        while not done.is_set():
            number += 1
            try:
                galleries.write(CALLER, name, enrol)
            except Exception as error:
                met.append(error)
                return

    threads = [threading.Thread(target=write, args=(each,)) for each in range(WRITERS)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    try:
        yield met
    finally:
        done.set()
        for thread in threads:
            thread.join()


def soon(work: Callable[[], Any]) -> None:
    """Fails when the work does, or takes long."""
    met = list[Exception]()

    def run() -> None:
        try:
            work()
        except Exception as error:
            met.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON_S)
    assert not thread.is_alive(), f"it takes longer than {SOON_S:g} s"
    assert met == []


def test_settings_are_changed_while_many_enrol(galleries: Galleries, gallery: Gallery) -> None:
    with many_writers(galleries, gallery.name) as met:
        soon(
            lambda: galleries.change(
                CALLER, gallery.name, lambda settings: replace(settings, threshold=0.75)
            )
        )
    assert galleries.read(CALLER, gallery.name).threshold == 0.75
    assert met == []


def test_a_gallery_is_deleted_while_many_enrol(galleries: Galleries, gallery: Gallery) -> None:
    with many_writers(galleries, gallery.name) as met:
        soon(lambda: galleries.delete(CALLER, gallery.name, gallery.name))
        end = time.monotonic() + SOON_S
        while len(met) < WRITERS and time.monotonic() < end:
            time.sleep(0.01)
    assert [type(each) for each in met] == [GalleryNotFound] * WRITERS


def test_that_it_was_deleted_at_this_moment_is_no_mistake_of_ours(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    psql.execute("DELETE FROM gallery")
    with store.transaction() as tx:
        with pytest.raises(GalleryNotReady):
            tx.changed_faces(gallery.id, gallery.version, 10)
        with pytest.raises(GalleryNotReady):
            tx.made_version(gallery.id)


def test_a_deletion_at_the_prompt_does_not_queue_for_what_it_holds_already(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    with store.transaction() as tx:
        tx.hold_gallery(gallery.id)
        soon(lambda: psql.execute("DELETE FROM gallery"))


def test_a_gallery_that_has_grown_goes_by_the_indexes(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    """The pool's connection has its plans from when the tables had a few rows."""

    def small(number: int) -> None:
        with store.transaction() as tx:
            other = tx.create_gallery(f"small {number}", gallery.space, GallerySettings(0.9))
            add(tx, other, "grace", number)
        with store.transaction() as tx:
            tx.delete_gallery(other.id)

    small(0)
    psql.execute("VACUUM ANALYZE")
    for number in range(1, 8):
        small(number)
    with psql.transaction():
        psql.execute(
            "INSERT INTO subject (gallery_id, external_id)"
            " SELECT %s, n::text FROM generate_series(1, 500) n",
            (gallery.id,),
        )
        psql.execute("INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM subject")
    scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'face'"
    psql.execute("SELECT pg_stat_force_next_flush()")
    before = one(psql, scans)
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
    time.sleep(1.5)  # the other session tells its figures at most once a second
    with store.transaction() as tx:
        tx.now()
    time.sleep(0.5)
    assert one(psql, scans) - before < 100
    assert one(psql, "SELECT count(*) FROM face") == 0


def test_a_deletion_may_take_longer_than_other_statements(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        tx.delete_gallery(gallery.id)
        assert isinstance(tx, PostgresTransaction)
        row = tx._connection.exec_driver_sql("SHOW statement_timeout").one()
    assert row[0] == "10min"
    with store.transaction() as tx:
        assert isinstance(tx, PostgresTransaction)
        row = tx._connection.exec_driver_sql("SHOW statement_timeout").one()
    assert row[0] == "1min"
