"""When a replica may follow the changes, and when it must read the gallery anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID, uuid4

import pytest

from service.domain.faces import IndexedFace
from service.domain.galleries import Change, GalleryHead, GalleryVersion
from service.index import IndexBuilder
from service.ports import ChangeFeed, FaceBatch
from service.sync.catchup import catch_up, touched_since


def chain(start: GalleryVersion, count: int) -> list[Change]:
    changes = []
    for _ in range(count):
        version = GalleryVersion(start.number + 1, uuid4())
        changes.append(Change(version, start.mark, (uuid4(),), everything=False))
        start = version
    return changes


def head(version: GalleryVersion) -> GalleryHead:
    return GalleryHead(UUID(int=1), "g", UUID(int=2), 128, version)


CURSOR = GalleryVersion(7, uuid4())


def test_a_whole_chain_names_every_touched_face() -> None:
    changes = chain(CURSOR, 4)
    touched = touched_since(CURSOR, changes, head(changes[-1].version))
    assert touched == frozenset(face for change in changes for face in change.faces)


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_missing_change_means_a_new_reading(missing: int) -> None:
    changes = chain(CURSOR, 4)
    last = head(changes[-1].version)
    del changes[missing]
    assert touched_since(CURSOR, changes, last) is None


def test_another_history_of_the_same_number_means_a_new_reading() -> None:
    changes = chain(CURSOR, 2)
    same_number = GalleryVersion(CURSOR.number, uuid4())
    assert touched_since(same_number, changes, head(changes[-1].version)) is None


def test_a_database_behind_the_cursor_means_a_new_reading() -> None:
    assert touched_since(CURSOR, [], head(GalleryVersion(5, uuid4()))) is None


class FarAhead:
    """A database that an index of no faces lags so many versions behind."""

    def __init__(self, versions: int) -> None:
        self._changes = chain(CURSOR, versions)
        self.followed = False

    def heads(self) -> list[GalleryHead]:
        return [head(self._changes[-1].version)]

    @contextmanager
    def read(self) -> Iterator["FarAhead"]:
        yield self

    def changes(self, _: UUID, after: int) -> list[Change]:
        self.followed = True
        return self._changes

    def faces(self, *_: object) -> list[IndexedFace]:
        return []

    def all_faces(self, _: GalleryHead) -> Iterator[FaceBatch]:
        return iter(())


@pytest.mark.parametrize(("versions", "followed"), [(1000, True), (1001, False)])
def test_more_versions_than_faces_to_read_are_not_read(versions: int, followed: bool) -> None:
    index = IndexBuilder(128).finish(CURSOR)
    index.space_id = UUID(int=2)
    database = FarAhead(versions)
    caught_up = catch_up(cast(ChangeFeed, database), {UUID(int=1): index})
    assert caught_up[UUID(int=1)].version == database.heads()[0].version
    assert database.followed is followed


def test_truncate_means_a_new_reading() -> None:
    change = Change(GalleryVersion(8, uuid4()), CURSOR.mark, (), everything=True)
    assert touched_since(CURSOR, [change], head(change.version)) is None
