"""The snapshot file: what is in it, and what is refused."""

import mmap
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from service.domain.faces import IndexedFace
from service.index import GalleryIndex, gallery_index, snapshot_header
from service.index.snapshot import Identity, SnapshotUnusable, describe, load, save
from service.index.snapshot_header import HEADER_BYTES
from tests.index.values import (
    DIMENSION,
    IDENTITY,
    assert_same,
    built,
    face,
    random,
    saved,
    vector,
    version,
)


def aged(faces: list[IndexedFace]) -> tuple[GalleryIndex, list[IndexedFace], list[IndexedFace]]:
    """An index with a tail and dead rows in base and tail; the living; the dead."""
    index = built(faces)
    young = [face() for _ in range(10)]
    index.apply(version(2), young, [])
    dead = [*faces[::3], *young[::3]]
    index.apply(version(3), [], [f.face_id for f in dead])
    gone = {f.face_id for f in dead}
    return index, [f for f in faces + young if f.face_id not in gone], dead


def test_what_is_loaded_is_what_was_saved(path: Path) -> None:
    index, living, _ = aged([face() for _ in range(200)])
    loaded = load(saved(index, path), IDENTITY)
    assert len(loaded) == len(living)
    assert_same(index, loaded)


def test_a_mapped_base_gives_the_very_numbers_of_one_in_memory(path: Path) -> None:
    index = built(sorted((face() for _ in range(500)), key=lambda f: f.face_id.bytes))
    loaded = load(saved(index, path), IDENTITY)
    for _ in range(20):
        probe = vector()
        assert loaded.search(probe, 30) == index.search(probe, 30)


def test_an_empty_gallery_has_a_snapshot_too(path: Path) -> None:
    loaded = load(saved(built([]), path), IDENTITY)
    assert loaded.search(vector(), 3).candidates == ()
    loaded.apply(version(2), [face()], [])
    assert len(loaded) == 1


@pytest.mark.parametrize("tail_limit", [4, 4096])
def test_a_loaded_index_goes_on_as_any_other(
    path: Path, tail_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_index, "TAIL_LIMIT", tail_limit)
    index = built([face() for _ in range(60)])
    loaded = load(saved(index, path), IDENTITY)
    for number in range(2, 60):
        touched = [f for f in index.contents() if random.random() < 0.04]
        present = [face(), *(replace(face(), face_id=f) for f in touched[::2])]
        head = version(number)
        for each in (index, loaded):
            each.apply(head, present, touched)
        assert_same(index, loaded)
    assert_same(index, load(saved(loaded, path), IDENTITY))


def test_an_index_made_of_a_mapped_file_searches_the_mapping(path: Path) -> None:
    base = load(saved(built([face() for _ in range(5)]), path), IDENTITY).state.base
    owner: Any = base
    while isinstance(owner, np.ndarray):
        assert not owner.flags.owndata
        assert not owner.flags.writeable
        owner = owner.base
    assert isinstance(getattr(owner, "obj", owner), mmap.mmap)
    assert base.ctypes.data % 64 == 0


def test_no_deleted_face_is_in_the_file(path: Path) -> None:
    index, living, dead = aged([face() for _ in range(90)])
    content = saved(index, path).read_bytes()
    for f in living:
        assert f.embedding.tobytes() in content
        assert f.face_id.bytes in content
        assert f.subject_id.bytes in content
    for f in dead:
        assert f.embedding.tobytes() not in content
        assert f.face_id.bytes not in content
        assert f.subject_id.bytes not in content


def test_the_file_says_what_it_is(path: Path) -> None:
    index = built([face() for _ in range(8)])
    header = describe(saved(index, path))
    assert (header.identity, header.version) == (IDENTITY, index.version)
    assert (header.count, header.digest) == (8, index.digest())
    assert header.file_bytes == path.stat().st_size


def test_no_file_is_no_fault(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(path, IDENTITY)


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_refused(path: Path, put: Callable[[Path], None]) -> None:
    path.parent.mkdir(mode=0o700)
    put(path)
    with pytest.raises(SnapshotUnusable):
        load(path, IDENTITY)


def test_every_flipped_byte_of_the_header_is_noticed(path: Path) -> None:
    content = bytearray(saved(built([face() for _ in range(20)]), path).read_bytes())
    for place in range(HEADER_BYTES):
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        content[place] ^= 1 << place % 8
        with pytest.raises(SnapshotUnusable):
            load(path, IDENTITY)
    path.write_bytes(content)
    load(path, IDENTITY)


def test_flipped_bytes_of_the_body_are_noticed(path: Path) -> None:
    content = bytearray(saved(built([face() for _ in range(20)]), path).read_bytes())
    for place in {*range(HEADER_BYTES, len(content), 7), len(content) - 1}:
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        content[place] ^= 1 << place % 8
        with pytest.raises(SnapshotUnusable, match="damaged"):
            load(path, IDENTITY)


def test_a_file_of_another_length_is_refused(path: Path) -> None:
    content = saved(built([face() for _ in range(20)]), path).read_bytes()
    lengths = {*range(0, len(content), 13), HEADER_BYTES - 1, HEADER_BYTES, len(content) - 1}
    for length in lengths:
        path.write_bytes(content[:length])
        with pytest.raises(SnapshotUnusable):
            load(path, IDENTITY)
    path.write_bytes(content + b"\0")
    with pytest.raises(SnapshotUnusable, match="bytes where"):
        load(path, IDENTITY)


@pytest.mark.parametrize(
    "expected",
    [
        replace(IDENTITY, gallery_id=uuid4()),
        replace(IDENTITY, space_id=uuid4()),
        replace(IDENTITY, dimension=DIMENSION + 1),
    ],
)
def test_the_file_of_another_gallery_is_refused(path: Path, expected: Identity) -> None:
    saved(built([face()]), path)
    with pytest.raises(SnapshotUnusable, match="it is of"):
        load(path, expected)


def test_the_file_of_another_format_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(snapshot_header, "FORMAT", 2)
        saved(built([face()]), path)
    with pytest.raises(SnapshotUnusable, match="format is 2"):
        load(path, IDENTITY)


def test_an_index_is_not_saved_as_one_of_another_dimension(path: Path) -> None:
    with pytest.raises(ValueError, match="dimension"):
        save(built([]).state, replace(IDENTITY, dimension=3), path)
