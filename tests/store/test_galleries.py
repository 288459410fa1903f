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

from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import trusted
from service.errors import GalleryNotFound, GalleryNotReady
from service.galleries import Galleries
from service.ports import Analysers, FaceIndex, Store, Transaction
from tests.store.values import add

CALLER = trusted("test")
WRITERS = 4
SOON_S = 15.0


class NoIndexes:
    """A replica that nobody waits for."""

    def index(self, gallery_id: UUID) -> FaceIndex:
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
