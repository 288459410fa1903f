"""The change feed: what a transaction touched, numbered as it commits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.domain.galleries import Change, Gallery, GallerySettings
from service.ports import ChangeFeed, Store
from tests.store.values import SPACE, add, embedding, enrol, new_face, one, vector, version

Sql = psycopg.Connection[Any]


class Seen:
    """The changes that a block has made, filled in when it ends."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    @property
    def only(self) -> Change:
        assert len(self.changes) == 1, self.changes
        return self.changes[0]


@contextmanager
def watched(feed: ChangeFeed, gallery: Gallery) -> Iterator[Seen]:
    before = version(feed, gallery)
    seen = Seen()
    yield seen
    with feed.read() as read:
        seen.changes = read.changes(gallery.id, before.number)
        (head,) = [head for head in read.heads() if head.id == gallery.id]
    last = before
    for change in seen.changes:
        assert change.version.number == last.number + 1
        assert change.previous_mark == last.mark
        last = change.version
    assert head.version == last


@pytest.fixture
def face_id(store: Store, gallery: Gallery) -> UUID:
    return enrol(store, gallery, "ada")[1]


def test_an_enrolment_is_one_change_with_its_face(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with watched(feed, gallery) as seen:
        _, face_id = enrol(store, gallery, "ada")
    assert seen.only.faces == (face_id,)
    assert seen.only.everything is False


def test_an_enrolment_of_many_is_one_change(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with watched(feed, gallery) as seen, store.transaction() as tx:
        made = {add(tx, gallery, f"subject {place}", place)[1] for place in range(20)}
    assert set(seen.only.faces) == made


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE face SET image_name = 'other'",
        "DELETE FROM face",
        "DELETE FROM face_embedding",
        "DELETE FROM subject",
        "UPDATE face_embedding SET vec = vec",
    ],
)
def test_a_statement_typed_into_psql_is_seen(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID, statement: str
) -> None:
    with watched(feed, gallery) as seen:
        psql.execute(statement.encode())
    assert seen.only.faces == (face_id,)


def test_a_subject_alone_makes_a_version_without_faces(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    with watched(feed, gallery) as seen:
        psql.execute("UPDATE subject SET metadata = '{}'")
    assert seen.only.faces == ()


@pytest.mark.parametrize("table", ["subject", "face", "face_embedding"])
def test_a_truncate_means_everything(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID, table: str
) -> None:
    with watched(feed, gallery) as seen:
        psql.execute(f"TRUNCATE {table} CASCADE".encode())
    assert seen.only.everything is True


def test_another_space_is_a_version_that_touches_no_face(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    other = one(
        psql,
        "INSERT INTO embedding_space (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('m', 2, 'd', 'native', 0) RETURNING id",
    )
    with watched(feed, gallery) as seen:
        psql.execute("UPDATE gallery SET space_id = %s", (other,))
        psql.execute("UPDATE gallery SET space_id = space_id, threshold = 0.1")
    assert (seen.only.everything, seen.only.faces) == (False, ())


def test_two_galleries_in_one_transaction_get_a_version_each(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("others", SPACE, GallerySettings(0.5))
    with watched(feed, gallery) as here, watched(feed, other) as there, store.transaction() as tx:
        _, first = add(tx, other, "bob", 1)
        _, second = add(tx, gallery, "ada", 2)
    assert here.only.faces == (second,)
    assert there.only.faces == (first,)


def test_a_move_is_seen_by_both_galleries(
    store: Store, psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("others", SPACE, GallerySettings(0.5))
    with watched(feed, gallery) as here, watched(feed, other) as there:
        psql.execute("UPDATE subject SET gallery_id = %s", (other.id,))
    assert here.only.faces == there.only.faces == (face_id,)
    with feed.read() as read:
        heads = {head.id: head for head in read.heads()}
        assert read.faces(heads[gallery.id], [face_id]) == []
        assert len(read.faces(heads[other.id], [face_id])) == 1


def test_nothing_is_seen_of_a_rollback(psql: Sql, feed: ChangeFeed, gallery: Gallery) -> None:
    with watched(feed, gallery) as seen, psql.transaction(force_rollback=True):
        psql.execute(
            "INSERT INTO subject (gallery_id, external_id) VALUES (%s, 'x')", (gallery.id,)
        )
    assert seen.changes == []


def test_nothing_is_seen_of_a_statement_without_rows(
    psql: Sql, feed: ChangeFeed, gallery: Gallery
) -> None:
    with watched(feed, gallery) as seen:
        psql.execute("DELETE FROM face")
        psql.execute("UPDATE subject SET metadata = '{}'")
    assert seen.changes == []


def test_a_savepoint_rolled_back_leaves_the_rest(
    store: Store, psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    _, other = enrol(store, gallery, "bob", 1)
    with watched(feed, gallery) as seen, psql.transaction():
        with psql.transaction(force_rollback=True):
            psql.execute("DELETE FROM face WHERE id = %s", (face_id,))
        psql.execute("DELETE FROM face WHERE id = %s", (other,))
    assert seen.only.faces == (other,)


def test_triggers_fire_on_a_replica_of_postgres_too(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    with watched(feed, gallery) as seen:
        psql.execute("SET session_replication_role = replica")
        psql.execute("UPDATE face SET image_name = 'other'")
    assert seen.only.faces == (face_id,)


def test_a_role_without_rights_on_galleries_may_enrol(
    psql: Sql, feed: ChangeFeed, gallery: Gallery
) -> None:
    clerk = f"clerk_{gallery.id.hex}"
    psql.execute(
        f"CREATE ROLE {clerk};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON subject, face, face_embedding TO {clerk}".encode()
    )
    try:
        with watched(feed, gallery) as seen, psql.transaction():
            psql.execute(f"SET LOCAL ROLE {clerk}".encode())
            # a table of the clerk's own in front of ours is not taken for it
            psql.execute("CREATE TEMP TABLE gallery_change (id int)")
            subject_id = one(
                psql,
                "INSERT INTO subject (gallery_id, external_id) VALUES (%s, 'x') RETURNING id",
                gallery.id,
            )
            face_id = one(
                psql,
                "INSERT INTO face (gallery_id, subject_id) VALUES (%s, %s) RETURNING id",
                gallery.id,
                subject_id,
            )
        assert seen.only.faces == (face_id,)
    finally:
        psql.execute(f"DROP OWNED BY {clerk}; DROP ROLE {clerk}".encode())


def test_deleting_a_gallery_takes_everything_with_it(
    store: Store, psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    with psql.transaction():
        psql.execute("DELETE FROM subject")
        psql.execute("DELETE FROM gallery")
    for table in ("gallery", "subject", "face", "face_embedding", "gallery_change"):
        assert one(psql, f"SELECT count(*) FROM {table}") == 0
    assert feed.heads() == []


def test_a_face_is_read_as_it_is_now(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    replaced = embedding(77)
    psql.execute("UPDATE face_embedding SET vec = %s", (vector(replaced),))
    with feed.read() as read:
        (head,) = read.heads()
        (face,) = read.faces(head, [face_id, gallery.id])
        assert read.faces(head, []) == []
    assert face.face_id == face_id
    assert face.embedding.tobytes() == replaced.tobytes()


def test_a_reading_is_one_state(store: Store, feed: ChangeFeed, gallery: Gallery) -> None:
    with feed.read() as read:
        before = read.heads()
        enrol(store, gallery, "ada")
        assert read.heads() == before
        assert read.changes(gallery.id, 0) == []
    assert version(feed, gallery).number == 1


def test_a_truncate_waits_for_a_reading(
    psql: Sql, feed: ChangeFeed, gallery: Gallery, face_id: UUID
) -> None:
    psql.execute("SET lock_timeout = '50ms'")
    with feed.read() as read:
        with pytest.raises(psycopg.errors.LockNotAvailable):
            psql.execute("TRUNCATE face CASCADE")
        assert len(read.faces(read.heads()[0], [face_id])) == 1


def test_versions_are_gapless_and_chained_under_concurrent_writers(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("others", SPACE, GallerySettings(0.5))
    made: dict[int, UUID] = {}

    def work(worker: int) -> None:
        into = (gallery, other)
        for place in range(12):
            name = f"{worker}-{place}"
            with store.transaction() as tx:
                _, face_id = add(tx, into[place % 2], name, worker * 100 + place)
                if place % 3 == 0:
                    tx.add_subject(into[(place + 1) % 2].id, f"also {name}")
                elif place % 2 == 0:
                    number = tx.made_version(gallery.id).number
                    assert made.setdefault(number, face_id) == face_id

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    with watched(feed, gallery) as here, watched(feed, other) as there:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(here.changes) + len(there.changes) == 6 * (12 + 4)
    by_number = {change.version.number: change.faces for change in here.changes}
    assert len(made) == 6 * 4
    assert all(by_number[number] == (face_id,) for number, face_id in made.items())


def test_work_after_made_version_is_a_version_of_its_own(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    with watched(feed, gallery) as seen, store.transaction() as tx:
        subject_id, first = add(tx, gallery, "ada")
        assert tx.made_version(gallery.id).number == 1
        second = tx.add_face(gallery, subject_id, new_face(1))
    assert seen.changes[0].faces == (first,)
    assert {face for change in seen.changes[1:] for face in change.faces} == {second}


def test_writers_at_once_do_not_pile_up_dead_versions_of_the_gallery(
    psql: Sql, gallery: Gallery, clean_url: str
) -> None:
    """Each commit would read through them, and be slower than the one before."""

    def write(writer: int) -> None:
        with psycopg.connect(clean_url, autocommit=True) as connection:
            for number in range(250):
                connection.execute(
                    "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s)",
                    (gallery.id, f"{writer}-{number}"),
                )

    psql.execute("VACUUM FULL gallery")
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one(psql, "SELECT version FROM gallery") == 2000
    assert one(psql, "SELECT pg_relation_size('gallery')") <= 4 * 8192


def test_a_transaction_that_changes_gallery_and_faces_does_not_deadlock_with_writers(
    psql: Sql, gallery: Gallery, clean_url: str
) -> None:
    def write() -> None:
        with psycopg.connect(clean_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO subject (gallery_id, external_id) VALUES (%s, 'theirs')", (gallery.id,)
            )

    writer = threading.Thread(target=write)
    with psql.transaction():
        psql.execute("UPDATE gallery SET threshold = 0.6")
        psql.execute(
            "INSERT INTO subject (gallery_id, external_id) VALUES (%s, 'mine')", (gallery.id,)
        )
        writer.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(clean_url, autocommit=True) as watcher:
            while not one(watcher, waits):
                pass
    writer.join()
    assert one(psql, "SELECT count(*) FROM subject") == 2
    assert one(psql, "SELECT version FROM gallery") == 2
