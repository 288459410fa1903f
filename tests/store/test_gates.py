"""The gates that compare faces, on a real Postgres: what they rest on when the index lags, when
its version is lost, and when several enrol at once."""

import threading
import uuid
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from service import gates
from service.domain.embeddings import Embedding, similarity, unit
from service.domain.galleries import (
    EnrolmentGates,
    Gallery,
    GalleryRules,
    GallerySettings,
    GalleryVersion,
)
from service.enrolment import add_new_subject, add_to_subject
from service.errors import PersonKnown, PhotographKnown, RequestError, UnlikeSubject
from service.index import GalleryIndex, IndexBuilder
from service.ports import FaceIndex, Store
from tests.store.values import SPACE, embedding, new_face, one

Sql = psycopg.Connection[Any]

ADA, BOB = 1, 2


@pytest.fixture
def gallery(store: Store) -> Gallery:
    """One with every gate; strangers' embeddings of 128 random values are about 0.1 alike."""
    every = EnrolmentGates(new_photograph=True, new_person=True, own_likeness=True)
    with store.transaction() as tx:
        return tx.create_gallery(
            "people", SPACE, GallerySettings(0.9, None, GalleryRules(gates=every))
        )


def alike(seed: int, nuance: int = 0) -> Embedding:
    """One more embedding of the same person: 0.95 or so from another."""
    if nuance == 0:
        return embedding(seed)
    mixed = embedding(seed) + 0.2 * embedding(1000 + 100 * seed + nuance)
    return unit(mixed, SPACE.dimension)


def enrol(
    store: Store,
    gallery: Gallery,
    name: str,
    seed: int,
    nuance: int = 0,
    index: FaceIndex | None = None,
) -> None:
    """In the gallery as it is now, through the function that all ways of enrolment use."""
    photograph = uuid.uuid4().bytes + uuid.uuid4().bytes
    face = replace(new_face(seed), embedding=alike(seed, nuance), image_sha256=photograph)

    def work(tx: Any) -> None:
        present = tx.find_gallery(gallery.name)
        add_to_subject(tx, present, name, face, index)

    store.write(work)


def empty_index(gallery: Gallery) -> GalleryIndex:
    """As a replica's is that has just been told of the gallery, and of nothing since."""
    return IndexBuilder(SPACE.dimension).finish(gallery.version)


def index_of(store: Store, gallery: Gallery) -> GalleryIndex:
    """What a replica holds that is not behind."""
    feed = store.feed()
    with feed.read() as read:
        (head,) = read.heads()
        builder = IndexBuilder(SPACE.dimension)
        for batch in read.all_faces(head):
            builder.add(batch)
        index = builder.finish(head.version)
    feed.close()
    return index


@pytest.fixture(params=["no index", "lagging", "fresh", "lost version"])
def seen(request: pytest.FixtureRequest, store: Store, gallery: Gallery) -> Any:
    """Makes an index, of which the answer must not depend."""
    lagging = empty_index(gallery)

    def index() -> FaceIndex | None:
        if request.param == "no index":
            return None
        if request.param == "lagging":
            return lagging
        fresh = index_of(store, gallery)
        if request.param == "fresh":
            return fresh
        # of another history, as after a failover: empty, and of a number that there is
        return IndexBuilder(SPACE.dimension).finish(
            GalleryVersion(fresh.version.number, uuid.uuid4())
        )

    return index


def test_a_person_is_known_whatever_the_index_holds(
    store: Store, gallery: Gallery, seen: Any
) -> None:
    enrol(store, gallery, "ada", ADA, index=seen())
    with pytest.raises(PersonKnown) as refusal:
        enrol(store, gallery, "lovelace", ADA, 1, seen())
    assert refusal.value.facts["subject"] == "ada"
    assert refusal.value.facts["similarity"] == pytest.approx(
        float(alike(ADA) @ alike(ADA, 1)), abs=1e-5
    )
    enrol(store, gallery, "bob", BOB, index=seen())
    enrol(store, gallery, "ada", ADA, 2, seen())


def test_a_person_who_was_deleted_is_not_known(store: Store, gallery: Gallery, seen: Any) -> None:
    enrol(store, gallery, "ada", ADA)
    index = seen()
    with store.transaction() as tx:
        tx.delete_subject(gallery.id, "ada")
    enrol(store, gallery, "lovelace", ADA, 1, index)


def test_a_person_is_known_by_any_face_that_is_left(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    """The index names a subject by its best face; that one is gone, and the other still reaches."""
    enrol(store, gallery, "ada", ADA)
    enrol(store, gallery, "ada", ADA, 1)
    index = seen()
    psql.execute("DELETE FROM face WHERE id = (SELECT min(id::text)::uuid FROM face)")
    with pytest.raises(PersonKnown):
        enrol(store, gallery, "lovelace", ADA, 0, index)


def test_a_face_that_was_given_to_another_subject_is_known_there(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    enrol(store, gallery, "ada", ADA)
    enrol(store, gallery, "bob", BOB)
    index = seen()
    psql.execute(
        "UPDATE face SET subject_id = (SELECT id FROM subject WHERE external_id = 'bob')"
        " WHERE subject_id = (SELECT id FROM subject WHERE external_id = 'ada')"
    )
    with pytest.raises(PersonKnown) as refusal:
        enrol(store, gallery, "lovelace", ADA, 1, index)
    assert refusal.value.facts["subject"] == "bob"


def test_the_expired_are_passed_over_for_the_next(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    psql.execute("UPDATE gallery SET gates = '{}'")
    enrol(store, gallery, "ada", ADA)
    enrol(store, gallery, "countess", ADA, 1)
    psql.execute("UPDATE gallery SET gates = '{\"new_person\": true}'")
    index = seen()
    psql.execute("UPDATE subject SET expires_at = now() WHERE external_id = 'ada'")
    with pytest.raises(PersonKnown) as refusal:
        enrol(store, gallery, "lovelace", ADA, 0, index)
    assert refusal.value.facts["subject"] == "countess"


def test_a_gallery_without_its_history_is_read_whole(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    enrol(store, gallery, "ada", ADA)
    index = seen()
    enrol(store, gallery, "bob", BOB)
    psql.execute("DELETE FROM gallery_change")
    with pytest.raises(PersonKnown):
        enrol(store, gallery, "lovelace", ADA, 1, index)


def test_many_who_resemble_are_looked_through(store: Store, psql: Sql, gallery: Gallery) -> None:
    """More than the index is asked for at first, all expired but the least alike."""
    psql.execute("UPDATE gallery SET gates = '{}'")
    for nuance in range(1, 20):
        enrol(store, gallery, f"ada-{nuance}", ADA, nuance)
    psql.execute("UPDATE gallery SET gates = '{\"new_person\": true}'")
    least = min(range(1, 20), key=lambda nuance: float(alike(ADA) @ alike(ADA, nuance)))
    psql.execute("UPDATE subject SET expires_at = now() WHERE external_id <> %s", (f"ada-{least}",))
    with pytest.raises(PersonKnown) as refusal:
        enrol(store, gallery, "lovelace", ADA, 0, index_of(store, gallery))
    assert refusal.value.facts["subject"] == f"ada-{least}"


def test_faces_of_one_transaction_are_compared_with_each_other(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    index = seen()

    def work(tx: Any) -> list[str]:
        refused = []
        for name, nuance in (("ada", 0), ("lovelace", 1), ("bob", 0)):
            seed = BOB if name == "bob" else ADA
            face = replace(new_face(seed * 10 + nuance), embedding=alike(seed, nuance))
            try:
                add_new_subject(tx, tx.find_gallery("people"), name, face, index)
            except PersonKnown as error:
                refused.append(str(error.facts["subject"]))
        return refused

    assert store.write(work) == ["ada"]
    assert one(psql, "SELECT string_agg(external_id, ' ' ORDER BY 1) FROM subject") == "ada bob"


def test_embeddings_of_another_space_of_the_gallery_are_not_compared(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    """As while a gallery is being moved to a model of another dimension."""
    enrol(store, gallery, "ada", ADA)
    psql.execute(
        "WITH s AS (INSERT INTO embedding_space"
        " (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('Other', 2, 'd', 'native', 0) RETURNING id)"
        " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
        " SELECT f.id, f.gallery_id, s.id, '[0,1]' FROM face f, s"
    )
    with pytest.raises(PersonKnown):
        enrol(store, gallery, "lovelace", ADA, 1, seen())
    with pytest.raises(UnlikeSubject):
        enrol(store, gallery, "ada", BOB, 0, seen())


def test_a_similarity_equal_to_the_threshold_is_a_known_person(
    store: Store, psql: Sql, gallery: Gallery, seen: Any
) -> None:
    enrol(store, gallery, "ada", ADA)
    exact = similarity(alike(ADA, 1), alike(ADA))
    psql.execute("UPDATE gallery SET threshold = %s", (exact,))
    with pytest.raises(PersonKnown):
        enrol(store, gallery, "lovelace", ADA, 1, seen())
    psql.execute("UPDATE gallery SET threshold = %s", (exact + 2e-6,))
    enrol(store, gallery, "lovelace", ADA, 1, seen())


def enrolled_at_once(
    store: Store, gallery: Gallery, wanted: list[tuple[str, int, int]], index: FaceIndex | None
) -> list[RequestError]:
    """What was refused."""
    refused: list[RequestError] = []
    begin = threading.Barrier(len(wanted))

    def work(name: str, seed: int, nuance: int) -> None:
        begin.wait()
        try:
            enrol(store, gallery, name, seed, nuance, index)
        except RequestError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=each) for each in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.parametrize("turn", range(5))
def test_one_person_under_two_ids_at_once_is_enrolled_once(
    store: Store, psql: Sql, gallery: Gallery, turn: int
) -> None:
    wanted = [("ada", ADA, 1), ("lovelace", ADA, 2)]
    (refused,) = enrolled_at_once(store, gallery, wanted, empty_index(gallery))
    assert isinstance(refused, PersonKnown)
    left = one(psql, "SELECT external_id FROM subject")
    assert refused.facts["subject"] == left


def test_of_many_at_once_each_person_is_enrolled_once(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    people = range(1, 5)
    wanted = [(f"{seed}-{nuance}", seed, nuance) for seed in people for nuance in (1, 2)]
    refused = enrolled_at_once(store, gallery, wanted, empty_index(gallery))
    assert len(refused) == 4
    ids = one(psql, "SELECT array_agg(split_part(external_id, '-', 1)) FROM subject")
    assert sorted(ids) == ["1", "2", "3", "4"]


def test_a_face_typed_by_hand_is_seen_once_it_is_committed(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    """The service waits for no slow transaction, and what is committed first counts."""
    index = empty_index(gallery)
    with psql.transaction():
        psql.execute(
            "WITH s AS (INSERT INTO subject (gallery_id, external_id) SELECT id, 'typed'"
            " FROM gallery RETURNING id, gallery_id), f AS (INSERT INTO face"
            " (gallery_id, subject_id) SELECT gallery_id, id FROM s RETURNING id, gallery_id)"
            " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT id, gallery_id, %s, %s FROM f",
            (gallery.space_id, "[" + ",".join(map(str, alike(BOB))) + "]"),
        )
        enrol(store, gallery, "ada", ADA, 0, index)
    with pytest.raises(PersonKnown) as refusal:
        enrol(store, gallery, "bob", BOB, 1, index)
    assert refusal.value.facts["subject"] == "typed"


def test_while_a_gate_decides_nobody_else_commits_a_face(
    store: Store, psql: Sql, gallery: Gallery
) -> None:
    done = threading.Event()
    with store.transaction() as tx:
        gates.check(tx, gallery, "ada", new_face(ADA), None)
        psql.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            psql.execute(
                "INSERT INTO subject (gallery_id, external_id) SELECT id, 'x' FROM gallery"
            )
        done.set()
    psql.execute("INSERT INTO subject (gallery_id, external_id) SELECT id, 'x' FROM gallery")


def test_a_known_photograph_is_told_before_a_known_person(store: Store, gallery: Gallery) -> None:
    with store.transaction() as tx:
        add_to_subject(tx, gallery, "ada", new_face(ADA))
    with store.transaction() as tx, pytest.raises(PhotographKnown):
        add_to_subject(tx, gallery, "lovelace", new_face(ADA))
