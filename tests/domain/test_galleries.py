"""When a replica may follow the changes, and when it must read the gallery anew."""

from uuid import uuid4

import pytest

from service.domain.galleries import Change, GalleryVersion, touched_since


def chain(start: GalleryVersion, count: int) -> list[Change]:
    changes = []
    for _ in range(count):
        version = GalleryVersion(start.number + 1, uuid4())
        changes.append(Change(version, start.mark, (uuid4(),), everything=False))
        start = version
    return changes


CURSOR = GalleryVersion(7, uuid4())


def test_a_whole_chain_names_every_touched_face() -> None:
    changes = chain(CURSOR, 4)
    touched = touched_since(CURSOR, changes, changes[-1].version)
    assert touched == frozenset(face for change in changes for face in change.faces)


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_missing_change_means_a_new_reading(missing: int) -> None:
    changes = chain(CURSOR, 4)
    last = changes[-1].version
    del changes[missing]
    assert touched_since(CURSOR, changes, last) is None


def test_another_history_of_the_same_number_means_a_new_reading() -> None:
    changes = chain(CURSOR, 2)
    same_number = GalleryVersion(CURSOR.number, uuid4())
    assert touched_since(same_number, changes, changes[-1].version) is None


def test_a_database_behind_the_cursor_means_a_new_reading() -> None:
    assert touched_since(CURSOR, [], GalleryVersion(5, uuid4())) is None


def test_truncate_means_a_new_reading() -> None:
    change = Change(GalleryVersion(8, uuid4()), CURSOR.mark, (), everything=True)
    assert touched_since(CURSOR, [change], change.version) is None
