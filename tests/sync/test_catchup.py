"""One catch-up: what is followed, and what is read anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

import pytest

from service.domain.faces import IndexedFace
from service.domain.galleries import Change, GalleryHead, GalleryVersion
from service.index import IndexBuilder
from service.ports import ChangeFeed, FaceBatch
from service.sync.catchup import catch_up
from tests.domain.test_galleries import CURSOR, chain


def head(version: GalleryVersion) -> GalleryHead:
    return GalleryHead(UUID(int=1), "g", UUID(int=2), 128, version)


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
    database = FarAhead(versions)
    key = database.heads()[0].key
    caught_up = catch_up(cast(ChangeFeed, database), {key: index})
    assert caught_up[key].version == database.heads()[0].version
    assert database.followed is followed
