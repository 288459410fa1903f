"""The bell: woken by NOTIFY and by `ring`, and sound after a lost connection."""

import threading
import time
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from service.domain.galleries import Gallery
from service.errors import DatabaseBusy, DatabaseUnavailable
from service.ports import ChangeFeed, Store
from tests.store.values import enrol

Sql = psycopg.Connection[Any]

CUT = (
    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def bell(feed: ChangeFeed) -> ChangeFeed:
    """A feed that listens, with nothing heard."""
    assert feed.wait(5) is True  # a new connection: something may have been missed
    assert feed.wait(0) is False
    return feed


def later(action: Any, *values: object) -> threading.Timer:
    timer = threading.Timer(0.2, action, values)
    timer.start()
    return timer


def test_nothing_wakes_a_quiet_wait(gallery: Gallery, bell: ChangeFeed) -> None:
    start = time.monotonic()
    assert bell.wait(0.15) is False
    assert 0.1 < time.monotonic() - start < 1


def test_an_enrolment_wakes_a_wait(store: Store, gallery: Gallery, bell: ChangeFeed) -> None:
    timer = later(enrol, store, gallery, "ada")
    assert bell.wait(10) is True
    timer.join()


def test_a_notify_before_the_wait_is_not_lost(
    store: Store, gallery: Gallery, bell: ChangeFeed
) -> None:
    enrol(store, gallery, "ada")
    assert bell.wait(10) is True
    assert bell.wait(0) is False


def test_several_that_have_come_are_one(bell: ChangeFeed, psql: Sql) -> None:
    """Those of one transaction come at the same moment."""
    psql.execute("SELECT pg_notify('gallery', n::text) FROM generate_series(1, 3) n")
    assert bell.wait(10) is True
    assert bell.wait(0) is False


def test_a_new_gallery_and_a_deleted_one_are_heard(
    gallery: Gallery, bell: ChangeFeed, psql: Sql
) -> None:
    psql.execute(
        "INSERT INTO gallery (name, space_id, threshold) VALUES ('new', %s, 0)",
        (gallery.space_id,),
    )
    assert bell.wait(10) is True
    psql.execute("DELETE FROM gallery WHERE name = 'new'")
    assert bell.wait(10) is True


def test_a_ring_from_another_thread_wakes_a_wait(bell: ChangeFeed) -> None:
    timer = later(bell.ring)
    assert bell.wait(10) is True
    timer.join()


def test_many_rings_are_one(bell: ChangeFeed) -> None:
    for _ in range(100_000):
        bell.ring()
    assert bell.wait(1) is True
    assert bell.wait(0) is False


def test_a_lost_connection_is_told_once_and_then_replaced(
    store: Store, gallery: Gallery, bell: ChangeFeed, psql: Sql
) -> None:
    timer = later(psql.execute, CUT)
    with pytest.raises(DatabaseUnavailable):
        bell.wait(10)
    timer.join()
    assert bell.wait(5) is True  # bells may have been missed
    assert bell.wait(0) is False
    enrol(store, gallery, "ada")
    assert bell.wait(5) is True


def test_reading_recovers_from_a_cut_connection(
    gallery: Gallery, feed: ChangeFeed, psql: Sql
) -> None:
    assert len(feed.heads()) == 1
    psql.execute(CUT)
    with pytest.raises(DatabaseUnavailable):
        feed.heads()
    assert len(feed.heads()) == 1


def test_a_reading_that_is_cut_says_so(gallery: Gallery, feed: ChangeFeed, psql: Sql) -> None:
    with ExitStack() as stack:
        read = stack.enter_context(feed.read())
        psql.execute(CUT)
        with pytest.raises(DatabaseUnavailable):
            read.heads()
        with pytest.raises(DatabaseUnavailable):
            stack.close()
    with feed.read() as read:
        assert len(read.heads()) == 1


def test_a_reading_waits_for_a_table_lock_only_so_long(
    gallery: Gallery, feed: ChangeFeed, psql: Sql
) -> None:
    start = time.monotonic()
    with psql.transaction():
        psql.execute("LOCK TABLE face IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseBusy), feed.read():
            pass
    assert 2 < time.monotonic() - start < 10


def test_close_ends_a_wait(bell: ChangeFeed) -> None:
    timer = later(bell.close)
    bell.wait(10)
    timer.join()
    assert bell.wait(10) is False
    bell.ring()
    bell.close()
