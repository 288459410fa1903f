"""Matching, on a real table and an index that is older than it, against a scan of the table."""

from contextlib import closing, suppress
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from service import matching
from service.domain.decisions import Confidence
from service.domain.embeddings import Embedding, similarity, unit
from service.domain.galleries import Gallery
from service.domain.matches import SubjectFilter
from service.errors import GalleryBehind
from service.index import GalleryIndex, IndexBuilder
from service.matching import Asked, Found, GallerySearch, KnownRows, MoreNeeded, nearest
from service.ports import Store
from tests.store import values
from tests.store.conftest import clean_url, gallery, psql, shared_url, store

__all__ = ["clean_url", "gallery", "psql", "shared_url", "store"]

Sql = psycopg.Connection[Any]
ANYBODY = -1.0
"""A threshold that everybody reaches."""

shuffler = Random(11)
random = np.random.default_rng(11)


def near(one: Embedding, closeness: float) -> Embedding:
    """Another embedding whose similarity to that one grows with the closeness."""
    other = closeness * one + random.normal(size=one.size) / np.sqrt(one.size)
    return unit(other, one.size)


def add(sql: Sql, gallery: Gallery, name: str, *faces: Embedding, metadata: str = "{}") -> UUID:
    """A subject with these faces, typed in."""
    subject = values.one(
        sql,
        "INSERT INTO subject (gallery_id, external_id, metadata) VALUES (%s, %s, %s) RETURNING id",
        gallery.id,
        name,
        metadata,
    )
    for each in faces:
        face = values.one(
            sql,
            "INSERT INTO face (gallery_id, subject_id) VALUES (%s, %s) RETURNING id",
            gallery.id,
            subject,
        )
        sql.execute(
            "INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " VALUES (%s, %s, %s, %s::vector)",
            (face, gallery.id, gallery.space_id, values.vector(each)),
        )
    assert isinstance(subject, UUID)
    return subject


def faces_of(sql: Sql, subject: UUID) -> list[UUID]:
    """As they were added; ids of one millisecond are in no order."""
    rows = sql.execute("SELECT id FROM face WHERE subject_id = %s ORDER BY created_at", (subject,))
    return [row[0] for row in rows]


def indexed(store: Store, gallery: Gallery) -> GalleryIndex:
    """What a replica holds that has caught up now, and will not again."""
    with closing(store.feed()) as feed, feed.read() as read:
        (head,) = [each for each in read.heads() if each.id == gallery.id]
        builder = IndexBuilder(head.dimension)
        for batch in read.all_faces(head):
            builder.add(batch)
        return builder.finish(head.version)


def found(
    store: Store, gallery: Gallery, index: GalleryIndex, probe: Embedding, asked: Asked
) -> Found:
    """By a transaction, also when it goes on with the first candidates; and where one statement
    decides, it must decide the same."""
    view = index.view()
    with store.transaction(read_only=True) as tx:
        answer = GallerySearch(tx, gallery, view, asked).find(probe)
        first = nearest(view, probe, asked.top_k)
        assert GallerySearch(tx, gallery, view, asked).find(probe, first) == answer
    with suppress(MoreNeeded):
        assert found_at_a_glance(store, gallery, index, probe, asked) == answer
    return answer


def found_at_a_glance(
    store: Store, gallery: Gallery, index: GalleryIndex, probe: Embedding, asked: Asked
) -> Found:
    view = index.view()
    first = nearest(view, probe, asked.top_k)
    ids = [candidate.face_id for candidate in first]
    seen = store.glance(gallery.name, ids, asked.among)
    assert seen is not None
    rows = KnownRows(ids, seen.faces)
    return GallerySearch(rows, gallery, view, asked).find(probe, first)


def names(answer: Found) -> list[str]:
    return [each.external_id for each in answer.matches]


@pytest.fixture
def probe() -> Embedding:
    return values.embedding(1)


def test_an_empty_gallery_has_nobody(store: Store, gallery: Gallery, probe: Embedding) -> None:
    index = indexed(store, gallery)
    assert found(store, gallery, index, probe, Asked(5, ANYBODY)) == Found(None, ())


def test_the_face_that_matched_is_named_with_its_similarity_in_the_table(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    worse, better = near(probe, 0.5), near(probe, 3)
    ada = add(psql, gallery, "ada", worse, better)
    index = indexed(store, gallery)
    (match,) = found(store, gallery, index, probe, Asked()).matches
    assert found_at_a_glance(store, gallery, index, probe, Asked()).matches == (match,)
    assert (match.external_id, match.subject_id, match.gallery) == ("ada", ada, "people")
    assert match.face_id == faces_of(psql, ada)[1]
    assert match.similarity == similarity(probe, better)
    assert match.confidence is not None


def test_below_the_threshold_is_nobody_with_the_best_similarity(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    far = near(probe, 0.1)
    add(psql, gallery, "ada", far)
    answer = found(store, gallery, indexed(store, gallery), probe, Asked())
    assert answer == Found(similarity(probe, far), ())


def test_a_lower_threshold_makes_nobody_surer(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    add(psql, gallery, "ada", near(probe, 0.1))
    (match,) = found(store, gallery, indexed(store, gallery), probe, Asked(1, ANYBODY)).matches
    assert match.confidence is Confidence.LOW


def test_a_subject_whose_best_face_was_deleted_counts_by_its_next(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    second = near(probe, 1.5)
    ada = add(psql, gallery, "ada", probe, second)
    index = indexed(store, gallery)
    first_face, second_face = faces_of(psql, ada)
    psql.execute("DELETE FROM face WHERE id = %s", (first_face,))
    (match,) = found(store, gallery, index, probe, Asked(1, ANYBODY)).matches
    assert match.face_id == second_face
    assert match.similarity == similarity(probe, second)


def test_a_subject_that_lost_its_best_face_falls_behind_others(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    ada = add(psql, gallery, "ada", probe, near(probe, 0.1))
    for number in range(30):
        add(psql, gallery, f"other {number}", near(probe, 2))
    index = indexed(store, gallery)
    psql.execute("DELETE FROM face WHERE id = %s", (faces_of(psql, ada)[0],))
    for top_k in (1, 5, 30):
        answer = found(store, gallery, index, probe, Asked(top_k, ANYBODY))
        assert len(answer.matches) == top_k
        assert "ada" not in names(answer)
    assert names(found(store, gallery, index, probe, Asked(31, ANYBODY)))[-1] == "ada"


def test_an_embedding_replaced_in_place_never_matches_by_the_old_one(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    ada = add(psql, gallery, "ada", probe)
    index = indexed(store, gallery)
    new = near(probe, 0.1)
    psql.execute(
        "UPDATE face_embedding SET vec = %s::vector WHERE face_id = %s",
        (values.vector(new), faces_of(psql, ada)[0]),
    )
    assert found(store, gallery, index, probe, Asked()) == Found(similarity(probe, new), ())


def test_a_face_given_to_another_subject_matches_as_that_one(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    ada = add(psql, gallery, "ada", probe)
    eve = add(psql, gallery, "eve", near(probe, 0.1))
    index = indexed(store, gallery)
    psql.execute("UPDATE face SET subject_id = %s WHERE subject_id = %s", (eve, ada))
    answer = found(store, gallery, index, probe, Asked(2, ANYBODY))
    assert [(each.external_id, each.similarity) for each in answer.matches] == [("eve", 1.0)]


def test_the_deleted_and_the_expired_are_passed_over_for_the_next(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    for number in range(200):
        add(psql, gallery, f"gone {number}", near(probe, 5))
    add(psql, gallery, "next", near(probe, 1))
    index = indexed(store, gallery)
    psql.execute("DELETE FROM subject WHERE external_id LIKE 'gone 1%%'")
    psql.execute("UPDATE subject SET expires_at = now() WHERE external_id LIKE 'gone%%'")
    assert names(found(store, gallery, index, probe, Asked(1, ANYBODY))) == ["next"]
    assert names(found(store, gallery, index, probe, Asked(9, ANYBODY))) == ["next"]


def test_of_equal_similarities_the_first_ids_are_taken_whatever_the_order_of_rows(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    twin = near(probe, 2)
    order = [f"{number:03}" for number in range(150)]
    for name in shuffler.sample(order, len(order)):
        add(psql, gallery, name, twin)
    from_base = indexed(store, gallery)
    from_tail = IndexBuilder(128).finish(from_base.version)
    faces = values.one(psql, "SELECT array_agg(id ORDER BY id DESC) FROM face")
    with closing(store.feed()) as feed, feed.read() as read:
        (head,) = [each for each in read.heads() if each.id == gallery.id]
        from_tail.apply(head.version, read.faces(head, faces), faces)
    for index in (from_base, from_tail):
        for top_k in (1, 5, 100):
            answer = found(store, gallery, index, probe, Asked(top_k, ANYBODY))
            assert names(answer) == order[:top_k]


def test_an_index_that_the_table_contradicts_everywhere_is_not_asked_for_long(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "MOST_STALE", 70)
    for number in range(150):
        add(psql, gallery, f"{number}", near(probe, 3))
    index = indexed(store, gallery)
    far = values.vector(near(-probe, 3))
    psql.execute("UPDATE face_embedding SET vec = %s::vector", (far,))
    with pytest.raises(GalleryBehind):
        found(store, gallery, index, probe, Asked(1, ANYBODY))
    found(store, gallery, indexed(store, gallery), probe, Asked(1, ANYBODY))


@pytest.fixture
def crowd(gallery: Gallery, psql: Sql) -> list[tuple[UUID, UUID]]:
    """600 subjects of one to four faces, a hundredth of them in the north."""
    with psql.transaction():
        for number in range(600):
            site = "north" if number % 100 == 7 else "south"
            faces = [values.embedding(1000 * number + each) for each in range(1 + number % 4)]
            add(psql, gallery, f"{number:04}", *faces, metadata=f'{{"site": "{site}", "n": 1}}')
    return psql.execute("SELECT subject_id, id FROM face").fetchall()


def scanned(
    sql: Sql, probe: Embedding, *, where: str, top_k: int, threshold: float
) -> tuple[float | None, list[tuple[str, float]]]:
    """The answer by reading every row of the table."""
    best: dict[str, float] = {}
    for name, text in sql.execute(
        "SELECT s.external_id, e.vec::text FROM subject s JOIN face f ON f.subject_id = s.id"
        " JOIN face_embedding e ON e.face_id = f.id"
        f" WHERE (s.expires_at IS NULL OR s.expires_at > now()) AND {where}".encode()
    ):
        vector = np.array(text[1:-1].split(","), dtype=np.float32)
        best[name] = max(similarity(probe, vector), best.get(name, -2.0))
    ranked = sorted(best.items(), key=lambda entry: (-entry[1], entry[0]))
    highest = ranked[0][1] if ranked else None
    return highest, [entry for entry in ranked if entry[1] >= threshold][:top_k]


@pytest.mark.parametrize("lagging", [False, True], ids=["fresh", "lagging"])
def test_every_answer_is_that_of_a_scan_of_the_table(
    lagging: bool, store: Store, gallery: Gallery, psql: Sql, crowd: list[tuple[UUID, UUID]]
) -> None:
    index = indexed(store, gallery)
    faces = shuffler.sample([face for _, face in crowd], 300)
    subjects = sorted({subject for subject, _ in shuffler.sample(crowd, 200)})
    psql.execute("DELETE FROM face WHERE id = ANY(%s)", (faces,))
    psql.execute("UPDATE subject SET expires_at = now() WHERE id = ANY(%s)", (subjects[:80],))
    psql.execute("DELETE FROM subject WHERE id = ANY(%s)", (subjects[80:120],))
    if not lagging:
        index = indexed(store, gallery)
    filters: list[tuple[dict[str, Any] | None, str]] = [
        (None, "true"),
        ({"site": "north"}, "s.metadata ->> 'site' = 'north'"),
        ({"site": "south", "n": 1}, "s.metadata ->> 'site' = 'south'"),
        ({"site": "west"}, "false"),
    ]
    for seed in range(12):
        probe = near(values.embedding(1000 * seed), 1 + seed % 3)
        for metadata, where in filters:
            for top_k, threshold in ((1, ANYBODY), (1, 0.9), (7, 0.1), (100, ANYBODY)):
                asked = Asked(top_k, threshold, SubjectFilter(metadata))
                answer = found(store, gallery, index, probe, asked)
                wanted = scanned(psql, probe, where=where, top_k=top_k, threshold=threshold)
                given = [(each.external_id, each.similarity) for each in answer.matches]
                assert (answer.best, given) == wanted, asked


def test_one_subject_can_be_left_out(
    store: Store, gallery: Gallery, psql: Sql, probe: Embedding
) -> None:
    ada = add(psql, gallery, "ada", probe, near(probe, 3))
    add(psql, gallery, "eve", near(probe, 1))
    asked = Asked(2, ANYBODY, SubjectFilter(besides=ada))
    assert names(found(store, gallery, indexed(store, gallery), probe, asked)) == ["eve"]
