"""The use cases' door: what is kept, what is refused, and what an outage looks like."""

import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.domain.quality import Quality
from service.errors import (
    FaceExists,
    SpaceConflict,
    SubjectExists,
)
from service.ports import ChangeFeed, Store
from service.store import connections
from tests.store.values import (
    SPACE,
    add,
    embedding,
    enrol,
    imported_face,
    new_face,
    one,
    version,
)

Sql = psycopg.Connection[Any]


def names(store: Store, gallery: Gallery, after: str | None, limit: int | None) -> list[str]:
    with store.transaction(read_only=True) as tx:
        return [face.external_id for face in tx.list_faces(gallery.id, after, limit)]


def test_a_gallery_is_found_by_name(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        assert tx.find_gallery("people") == gallery
        assert tx.find_gallery("nobody") is None
    assert gallery.space == SPACE
    assert gallery.version.number == 0
    assert gallery.updated_at.tzinfo is not None


def test_creating_a_gallery_again_returns_the_first(store: Store, gallery: Gallery) -> None:
    other = replace(SPACE, model="Other", dimension=2)
    with store.transaction() as tx:
        assert tx.create_gallery("people", other, GallerySettings(0.9, 3)) == gallery


def test_replicas_that_start_together_create_one_gallery(store: Store) -> None:
    made: list[Gallery] = []

    def create() -> None:
        with store.transaction() as tx:
            made.append(tx.create_gallery("new", SPACE, GallerySettings(0.5)))

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len({gallery.id for gallery in made}) == 1


def test_a_space_without_a_digest_resolves_to_the_only_known_one(
    store: Store, gallery: Gallery
) -> None:
    unknown = replace(SPACE, weights_sha256=None)
    with store.transaction() as tx:
        assert (
            tx.create_gallery("imported", unknown, GallerySettings(0.5)).space_id
            == gallery.space_id
        )
        tx.create_gallery("second", replace(SPACE, weights_sha256="cd" * 32), GallerySettings(0.5))
        assert (
            tx.create_gallery("third", unknown, GallerySettings(0.5)).space.weights_sha256 is None
        )


def test_pinning_fills_in_a_digest_once(store: Store) -> None:
    unknown = replace(SPACE, model="Imported", weights_sha256=None)
    with store.transaction() as tx:
        gallery = tx.create_gallery("imported", unknown, GallerySettings(0.5))
        tx.pin_weights(gallery.space_id, "cd" * 32)
        tx.pin_weights(gallery.space_id, "ef" * 32)
        pinned = tx.find_gallery(gallery.name)
    assert pinned is not None
    assert pinned.space.weights_sha256 == "cd" * 32


def test_pinning_to_the_digest_of_a_known_space_makes_them_one(
    store: Store, feed: ChangeFeed
) -> None:
    unknown = replace(SPACE, weights_sha256=None)
    with store.transaction() as tx:
        imported = tx.create_gallery("imported", unknown, GallerySettings(0.5))
        add(tx, imported, "ada")
        known = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    assert imported.space_id != known.space_id
    with store.transaction() as tx:
        tx.pin_weights(imported.space_id, "ab" * 32)
    with store.transaction() as tx:
        pinned = tx.find_gallery(imported.name)
    assert pinned is not None
    assert pinned.space_id == known.space_id
    with feed.read() as read:
        (head,) = [head for head in read.heads() if head.id == imported.id]
        assert sum(len(batch.face_ids) for batch in read.all_faces(head)) == 1
        assert len(read.changes(imported.id, 1)[-1].faces) == 1


def test_a_known_space_of_another_dimension_is_a_conflict(store: Store, gallery: Gallery) -> None:
    with pytest.raises(SpaceConflict, match="128"), store.transaction() as tx:
        tx.create_gallery("wide", replace(SPACE, dimension=256), GallerySettings(0.5))


def test_a_subject_that_exists_is_refused_and_the_rest_goes_on(
    store: Store, gallery: Gallery
) -> None:
    enrol(store, gallery, "ada")
    with store.transaction() as tx:
        with pytest.raises(SubjectExists, match="'ada'"):
            tx.add_subject(gallery.id, "ada")
        add(tx, gallery, "bob", 1)
    assert names(store, gallery, None, None) == ["ada", "bob"]


def test_the_same_photograph_of_a_subject_is_refused(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        subject_id, _ = add(tx, gallery, "ada")
        with pytest.raises(FaceExists, match="'ada'"):
            tx.add_face(gallery, subject_id, new_face(0))
        for _ in range(2):
            tx.add_face(gallery, subject_id, imported_face(1))
        assert tx.count_faces(gallery.id) == 3


def test_faces_are_recognised_by_photograph_and_by_embedding(
    store: Store, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        subject_id, _ = add(tx, gallery, "ada", 5)
        other, _ = add(tx, gallery, "bob", 6)
        assert tx.subject_has_image(subject_id, (5).to_bytes(32, "big"))
        assert not tx.subject_has_image(other, (5).to_bytes(32, "big"))
        assert tx.subject_has_embedding(subject_id, embedding(5))
        assert not tx.subject_has_embedding(other, embedding(5))
        nearly = embedding(5)
        nearly[0] = np.nextafter(nearly[0], np.float32(1))
        assert not tx.subject_has_embedding(subject_id, nearly)


def test_a_faces_age_and_author_are_kept(store: Store, gallery: Gallery, psql: Sql) -> None:
    then = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    with store.transaction() as tx:
        subject_id = tx.add_subject(gallery.id, "ada")
        tx.add_face(gallery, subject_id, replace(new_face(), created_at=then))
        (listed,) = tx.list_faces(gallery.id, None, None)
    assert listed.added_at == then
    assert one(psql, "SELECT created_by FROM face") == "test"
    assert one(psql, "SELECT box FROM face") == [1, 2, 3, 4]


def test_a_file_name_that_is_no_text_is_kept_as_far_as_it_is(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with store.transaction() as tx:
        subject_id = tx.add_subject(gallery.id, "ada")
        tx.add_face(gallery, subject_id, replace(new_face(), image_name="a\0b\udc80.jpg"))
    assert one(psql, "SELECT image_name FROM face") == "ab?.jpg"


def test_a_faces_quality_is_kept_as_json(store: Store, gallery: Gallery, psql: Sql) -> None:
    quality = Quality(
        size=120.5, sharpness=0.55, brightness=99.9, contrast=50.1, score=1.2, roll=-3.0
    )
    with store.transaction() as tx:
        subject_id = tx.add_subject(gallery.id, "one")
        tx.add_face(gallery, subject_id, replace(new_face(1), quality=quality))
        tx.add_face(gallery, subject_id, new_face(2))
        tx.made_version(gallery.id)
    assert one(psql, "SELECT quality FROM face WHERE image_name = '1.jpg'") == asdict(quality)
    assert one(psql, "SELECT count(*) FROM face WHERE quality IS NULL") == 1


def test_deleting_takes_the_faces_along(store: Store, gallery: Gallery) -> None:
    subject_id, _ = enrol(store, gallery, "ada")
    with store.transaction() as tx:
        assert tx.find_subject(gallery.id, "ada") == subject_id
        assert tx.delete_subject(gallery.id, "ada") is True
        assert tx.delete_subject(gallery.id, "ada") is False
        assert tx.find_subject(gallery.id, "ada") is None
        assert tx.count_faces(gallery.id) == 0


def test_names_leave_out_the_vanished_and_the_expired(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    ada, bob, eve = (enrol(store, gallery, name, len(name))[0] for name in ("ada", "bobb", "evely"))
    now = datetime.now(UTC)
    set_expiry = "UPDATE subject SET expires_at = %s WHERE id = %s"
    psql.execute(set_expiry, (now - timedelta(seconds=1), bob))
    psql.execute(set_expiry, (now + timedelta(hours=1), eve))
    with store.transaction(read_only=True) as tx:
        assert tx.subject_names([ada, bob, eve, uuid4()]) == {ada: "ada", eve: "evely"}
        assert tx.subject_names([]) == {}


def test_faces_are_listed_in_code_point_order_and_pages_never_split_a_subject(
    store: Store, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        for place, name in enumerate(["b", "a", "É", "Z", "_"]):
            subject_id, _ = add(tx, gallery, name, 10 * place)
            tx.add_face(gallery, subject_id, new_face(10 * place + 1))
    ordered = ["Z", "Z", "_", "_", "a", "a", "b", "b", "É", "É"]
    assert names(store, gallery, None, None) == ordered
    assert names(store, gallery, None, 1) == ordered[:2]
    assert names(store, gallery, None, 3) == ordered[:4]
    assert names(store, gallery, "_", 2) == ordered[4:6]
    assert names(store, gallery, "b", None) == ordered[8:]
    assert names(store, gallery, "É", 5) == []


def test_made_version_is_the_one_that_is_committed(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        add(tx, gallery, "ada")
        made = tx.made_version(gallery.id)
    assert version(feed, gallery) == made
    assert made.number == 1


def test_made_version_of_an_unchanged_gallery_is_the_present_one(
    store: Store, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        assert tx.made_version(gallery.id) == gallery.version


def test_the_version_dates_the_gallery(store: Store, gallery: Gallery) -> None:
    enrol(store, gallery, "ada")
    with store.transaction(read_only=True) as tx:
        changed = tx.find_gallery(gallery.name)
    assert changed is not None
    assert changed.updated_at > gallery.updated_at


def test_a_read_only_transaction_sees_one_state(store: Store, gallery: Gallery) -> None:
    with store.transaction(read_only=True) as tx:
        assert tx.count_faces(gallery.id) == 0
        enrol(store, gallery, "ada")
        assert tx.count_faces(gallery.id) == 0
        assert tx.database_bytes() > 1_000_000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the server from now on."""
    names: list[str] = []
    wait = psycopg.Connection.wait
    silent = {
        "_set_autocommit_gen",
        "_set_isolation_level_gen",
        "_rollback_gen",
    }  # nothing is sent when nothing is open

    def counted(self: Sql, steps: Any, *values: Any, **named: Any) -> Any:
        if steps.__name__ not in silent:
            names.append(steps.__name__)
        return wait(self, steps, *values, **named)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    return names


def test_an_enrolment_is_few_round_trips(store: Store, gallery: Gallery, sent: list[str]) -> None:
    enrol(store, gallery, "first")
    sent.clear()
    with store.transaction() as tx:
        add(tx, gallery, "ada", 1)
        tx.made_version(gallery.id)
    # ping, subject (and BEGIN), face with embedding, version, COMMIT
    assert sent == [
        "_execute_gen",
        "_execute_gen",
        "_execute_gen",
        "_execute_gen",
        "_commit_gen",
    ]


def test_a_glance_is_one_round_trip_on_a_connection_that_worked_a_moment_ago(
    store: Store, gallery: Gallery, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LATELY_S", 60.0)
    sent.clear()
    store.glance("people")
    assert sent == ["_execute_gen"]
    monkeypatch.setattr(connections, "LATELY_S", 0.0)
    store.glance("people")
    assert sent == ["_execute_gen"] * 3, "an idle one is asked first whether it lives"


def test_a_glance_is_not_lost_with_a_connection_that_the_server_ended(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    store.glance("people")
    psql.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert store.glance("people") is not None
