"""What galleries keep: the change of it, the end of what was kept, and the rotation of keys."""

import threading
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

import service.photographs
from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.domain.photographs import Keeping
from service.domain.quality import UNCHECKED
from service.errors import (
    GalleryNotFound,
    GalleryNotReady,
    PhotographKeyMissing,
    SettingsInvalid,
)
from service.photograph_keys import NO_KEYS, PhotographKey, PhotographKeys
from service.photographs import Photographs, Terms, delete_unkept, require_key
from service.ports import Store
from service.retention import Retention
from tests.store.conftest import clean_url, psql, shared_url, store
from tests.store.photographs import KEYS, all_kept, content_of, enrol_kept, keeping_gallery
from tests.store.values import enrol, one

__all__ = ["clean_url", "psql", "shared_url", "store"]

Sql = psycopg.Connection[Any]
CALLER = trusted("test")
COUNT = "SELECT count(*) FROM kept_photograph"
NEW = PhotographKey(b"\x0b" * 32)
BOTH = PhotographKeys((NEW, *KEYS.keys))


@pytest.fixture
def gallery(store: Store) -> Gallery:
    return keeping_gallery(store)


def opened(store: Store, gallery: Gallery, face_id: UUID, keys: PhotographKeys) -> bytes:
    with store.transaction(read_only=True) as tx:
        kept = tx.kept_photograph(gallery.id, face_id)
    assert kept is not None
    return keys.open(kept).content


def test_keeping_nothing_any_more_deletes_what_was_kept(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.photographs, "DELETED", 2)
    for seed in range(5):
        enrol_kept(store, gallery, f"person {seed}", seed)
    use = Photographs(store, KEYS)
    before = use.kept(CALLER, "kept")
    assert (before.faces, before.by_key, before.unkept) == (5, {KEYS.sealing.id: 5}, 0)
    after = use.keep(CALLER, "kept", Keeping.NONE)
    assert (after.faces, after.by_key, after.unkept) == (5, {}, 0)
    assert one(psql, COUNT) == 0


def test_a_change_that_was_broken_off_is_ended_by_doing_it_again(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.photographs, "DELETED", 2)
    for seed in range(5):
        enrol_kept(store, gallery, f"person {seed}", seed)
    psql.execute("UPDATE gallery SET keep_photographs = 'none'")
    stops = iter([False, True])
    assert delete_unkept(store, lambda: next(stops), gallery.id) == 2
    use = Photographs(store, KEYS)
    assert (use.kept(CALLER, "kept").unkept, use.kept(CALLER, "kept").by_key) == (3, {})
    # and what was to go is not kept again on the way
    kept = use.keep(CALLER, "kept", Keeping.ORIGINALS)
    assert (kept.by_key, kept.unkept, one(psql, COUNT)) == ({}, 0, 0)


def test_nothing_of_the_old_kind_is_left_while_many_enrol(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ending = threading.Event()
    failures: list[BaseException] = []

    def enrols(worker: int) -> None:
        number = 0
        try:
            while not ending.is_set():
                number += 1
                # as those do who have looked at the settings before
                enrol_kept(store, gallery, f"{worker}/{number}", 1000 * worker + number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=enrols, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    use = Photographs(store, KEYS)
    try:
        for _ in range(5):
            end = time.monotonic() + 20
            while one(psql, COUNT) < 8:
                assert failures == []
                assert time.monotonic() < end
                time.sleep(0.01)
            use.keep(CALLER, "kept", Keeping.NONE)
            assert one(psql, COUNT) == 0
            time.sleep(0.1)
            assert one(psql, COUNT) == 0
            use.keep(CALLER, "kept", Keeping.ORIGINALS)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_while_another_one_deletes_the_rest_it_is_not_said_to_be_gone(
    store: Store, gallery: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.photographs, "TRIES", 2)
    monkeypatch.setattr(service.photographs, "PAUSE_S", 0.01)
    enrol_kept(store, gallery, "ada")
    use = Photographs(store, KEYS)
    with store.transaction() as other:
        psql.execute("UPDATE gallery SET keep_photographs = 'none'")
        assert other.delete_unkept(None, 10) == 1
        with pytest.raises(GalleryNotReady, match="Run it again"):
            use.keep(CALLER, "kept", Keeping.NONE)
    assert use.keep(CALLER, "kept", Keeping.NONE).unkept == 0


def test_the_service_deletes_what_no_gallery_keeps_any_more(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol_kept(store, gallery, "ada")
    psql.execute("UPDATE gallery SET keep_photographs = 'chips'")
    thread = Retention(store, 0.02)
    thread.start()
    end = time.monotonic() + 10
    while one(psql, COUNT) and time.monotonic() < end:
        time.sleep(0.02)
    thread.close()
    assert one(psql, COUNT) == 0


def test_without_a_key_a_gallery_is_not_told_to_keep(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    use = Photographs(store, NO_KEYS)
    with pytest.raises(PhotographKeyMissing, match="new-key"):
        use.keep(CALLER, "kept", Keeping.CHIPS)
    assert one(psql, "SELECT keep_photographs FROM gallery") == "originals"
    with pytest.raises(PhotographKeyMissing):
        Terms.of(gallery, UNCHECKED, NO_KEYS)
    assert use.keep(CALLER, "kept", Keeping.NONE).unkept == 0


def test_what_starts_without_a_key_is_refused_where_photographs_are_kept(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with pytest.raises(SettingsInvalid, match="'kept' keeps photographs"):
        require_key(store, NO_KEYS)
    require_key(store, KEYS)
    psql.execute("UPDATE gallery SET keep_photographs = 'none'")
    require_key(store, NO_KEYS)


def test_rotation_seals_everything_anew_and_the_old_key_can_go(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ids = [enrol_kept(store, gallery, f"person {seed}", seed) for seed in range(20)]
    told: list[tuple[int, int]] = []
    done = Photographs(store, BOTH).rotate(CALLER, lambda *progress: told.append(progress))
    assert (done.key_id, done.done, done.left) == (NEW.id, 20, 0)
    assert told == [(16, 20), (20, 20)]
    alone = PhotographKeys((NEW,))
    assert [opened(store, gallery, each, alone) for each in ids] == [*map(content_of, range(20))]
    again = Photographs(store, alone).rotate(CALLER)
    assert (again.done, again.left) == (0, 0)
    events = one(psql, "SELECT count(*) FROM audit_event WHERE action = 'rotate_photograph_keys'")
    assert events == 2


def test_rotation_under_writers_says_what_is_left_and_damages_nothing(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    """Others still seal with the old key; faces are replaced and deleted meanwhile."""
    ids = [enrol_kept(store, gallery, f"person {seed}", seed) for seed in range(60)]
    ending = threading.Event()
    failures: list[BaseException] = []

    def writes() -> None:
        number = 1000
        try:
            while not ending.is_set():
                number += 1
                enrol_kept(store, gallery, f"new {number}", number)
                with store.transaction() as tx:
                    tx.delete_face(gallery.id, ids[number % 20])
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=writes)
    thread.start()
    use = Photographs(store, BOTH)
    try:
        for _ in range(3):
            use.rotate(CALLER)
    finally:
        ending.set()
        thread.join()
    assert failures == []
    done = use.rotate(CALLER)
    assert done.left == 0
    with store.transaction(read_only=True) as tx:
        every = all_kept(tx, gallery)
    alone = PhotographKeys((NEW,))
    assert len(every) == one(psql, COUNT) > 40
    assert {alone.open(each).content[:11] for each in every} == {b"photograph "}


def test_rotation_names_what_cannot_be_opened_and_does_the_rest(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ids = [enrol_kept(store, gallery, name, n) for n, name in enumerate(("ada", "bob", "eve"))]
    psql.execute(
        "UPDATE kept_photograph SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20))"
        " WHERE face_id = %s",
        (ids[1],),
    )
    done = Photographs(store, BOTH).rotate(CALLER)
    assert (done.done, done.left, done.damaged) == (2, 1, (ids[1],))
    alone = PhotographKeys((NEW,))
    assert [opened(store, gallery, ids[n], alone) for n in (0, 2)] == [content_of(0), content_of(2)]


def test_keys_that_are_not_here_are_named(store: Store, gallery: Gallery) -> None:
    enrol_kept(store, gallery, "ada")
    enrol(store, gallery, "bob", 2)
    kept = Photographs(store, PhotographKeys((NEW,))).kept(CALLER, "kept")
    assert kept.missing == {KEYS.sealing.id}
    assert (kept.faces, sum(kept.by_key.values())) == (2, 1)
    with pytest.raises(PhotographKeyMissing, match=KEYS.sealing.id):
        Photographs(store, PhotographKeys((NEW,))).rotate(CALLER)


def test_a_caller_of_other_galleries_finds_none(store: Store, gallery: Gallery) -> None:
    stranger = replace(CALLER, galleries=frozenset())
    with pytest.raises(GalleryNotFound):
        Photographs(store, KEYS).kept(stranger, "kept")
