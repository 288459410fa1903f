"""The in-memory index against the simplest thing that is right: a dict, scanned."""

import threading
from collections.abc import Iterable
from random import Random
from uuid import UUID, uuid4

import numpy as np
import pytest

from service.domain.embeddings import Embedding
from service.domain.faces import IndexedFace
from service.index import gallery_index
from tests.index.values import (
    DIMENSION,
    assert_best,
    built,
    face,
    ids_of,
    random,
    vector,
    version,
)

shuffler = Random(7)


def contents(faces: Iterable[IndexedFace]) -> dict[UUID, tuple[UUID, Embedding]]:
    """As an index of them tells them."""
    return {f.face_id: (f.subject_id, f.embedding) for f in faces}


def test_an_empty_index_finds_nobody() -> None:
    result = built([]).search(vector(), 5)
    assert (result.faces, result.candidates) == (0, ())


@pytest.mark.parametrize("dimension", [DIMENSION - 1, DIMENSION + 1])
def test_a_probe_of_another_dimension_is_refused(dimension: int) -> None:
    with pytest.raises(ValueError, match="probe of shape"):
        built([face()]).search(np.ones(dimension, dtype=np.float32), 1)


def test_an_exact_match_scores_one_and_never_more() -> None:
    faces = [face() for _ in range(500)]
    index = built(faces)
    for f in faces:
        best = index.search(f.embedding, 1).candidates[0]
        assert best.face_id == f.face_id
        assert 1 - 1e-6 < best.similarity <= 1


def test_a_subject_counts_once_by_its_best_face() -> None:
    somebody = uuid4()
    crowd = [face(somebody) for _ in range(300)]
    others = [face() for _ in range(5)]
    index = built(crowd + others)
    result = index.search(crowd[17].embedding, 6)
    assert len({c.subject_id for c in result.candidates}) == len(result.candidates) == 6
    assert result.candidates[0].face_id == crowd[17].face_id


@pytest.mark.parametrize("tail_limit", [4, 50, 4096])
def test_any_history_equals_a_scan_of_the_living(
    tail_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_index, "TAIL_LIMIT", tail_limit)
    subjects = [uuid4() for _ in range(20)]
    living = {f.face_id: f for f in (face(subjects[i % 20]) for i in range(60))}
    index = built(list(living.values()))
    for number in range(2, 120):
        touched = set(shuffler.sample(list(living), min(3, len(living))))
        present = []
        for face_id in touched:
            del living[face_id]
            if random.random() < 0.3:  # replaced, perhaps by somebody else's face
                present.append(IndexedFace(face_id, subjects[random.integers(20)], vector()))
        present += [face(subjects[random.integers(20)]) for _ in range(random.integers(4))]
        living.update({f.face_id: f for f in present})
        head = version(number)
        index.apply(head, present, touched)

        probe = vector()
        result = index.search(probe, 5)
        assert result.version == index.version == head
        assert result.faces == len(index) == len(living)
        assert_best(result, contents(living.values()), probe, 5)
        assert index.contents().keys() == living.keys()


@pytest.mark.parametrize("tail_limit", [4, 4096])
def test_a_part_equals_a_scan_of_those_subjects(
    tail_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base and tail, the living and the dead, subjects with no face here and none at all."""
    monkeypatch.setattr(gallery_index, "TAIL_LIMIT", tail_limit)
    subjects = [uuid4() for _ in range(30)]
    old = [face(subjects[i % 30]) for i in range(90)]
    index = built(old)
    young = [face(subjects[i % 30]) for i in range(60)]
    index.apply(version(2), young, [f.face_id for f in old[:45]])
    living = old[45:] + young
    for count in (0, 1, 7, 30):
        chosen = shuffler.sample(subjects, count)
        part = index.view().among(ids_of([*chosen, uuid4()]))
        probe = vector()
        result = part.search(probe, 5)
        assert result.version == index.version
        assert_best(result, contents(f for f in living if f.subject_id in chosen), probe, 5)
    assert len(index.search(vector(), 30).candidates) == 30


def test_subjects_that_differ_in_one_half_of_their_id_are_told_apart() -> None:
    one = uuid4()
    twin = UUID(bytes=uuid4().bytes[:8] + one.bytes[8:])
    sibling = UUID(bytes=one.bytes[:8] + uuid4().bytes[8:])
    index = built([face(each) for each in (one, twin, sibling)])
    found = index.view().among(ids_of([one])).search(vector(), 3)
    assert [c.subject_id for c in found.candidates] == [one]


def test_of_equal_faces_the_oldest_id_is_taken_in_base_and_tail() -> None:
    somebody, embedding = uuid4(), vector()
    twins = sorted((face(somebody, embedding) for _ in range(6)), key=lambda f: f.face_id.bytes)
    for split in (0, 3, 6):
        for base, tail in ((twins[:split], twins[split:]), (twins[split:], twins[:split])):
            index = built([*reversed(base), *(face() for _ in range(40))])
            index.apply(version(2), list(reversed(tail)), [])
            best = index.search(embedding, 1).candidates[0]
            assert best.face_id == twins[0].face_id


def test_applying_twice_is_harmless() -> None:
    first, second = face(), face()
    index = built([first])
    for _ in range(2):
        index.apply(version(2), [second], [first.face_id, second.face_id])
        assert index.contents().keys() == {second.face_id}
        assert index.search(second.embedding, 3).faces == 1


def test_a_deleted_face_is_never_found_by_its_own_vector() -> None:
    faces = [face() for _ in range(50)]
    index = built(faces)
    gone = faces[:49]
    index.apply(version(2), [], [f.face_id for f in gone])
    for f in gone:
        assert {c.face_id for c in index.search(f.embedding, 10).candidates} == {faces[49].face_id}


def test_readers_see_whole_versions_while_a_writer_applies() -> None:
    """Each version holds either all of one pair of faces or all of the next, never a mixture."""
    pair = [face(), face()]
    index = built(pair)
    pairs = {index.version: {f.face_id for f in pair}}
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        probe = vector()
        while not done.is_set():
            result = index.search(probe, 5)
            found = {c.face_id for c in result.candidates}
            if len(found) != 2:
                wrong.append(found)
            elif result.version in pairs and pairs[result.version] != found:
                wrong.append(result.version)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 600):
        newer, head = [face(), face()], version(number)
        pairs[head] = {f.face_id for f in newer}
        index.apply(head, newer, [f.face_id for f in pair])
        pair = newer
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
