"""A gallery's index in a file, to start from and to share among the processes of a host.

The file is only ever replaced whole. Processes that hold the old one keep its pages; but one
truncated in place under them, which only an operator could do, would end them with SIGBUS.
"""

import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from service.domain.galleries import IndexKey
from service.index.gallery_index import GalleryIndex
from service.index.living import Living
from service.index.rows import UUID_BYTES, FaceRows
from service.index.snapshot_file import opened, remove_others, replace
from service.index.snapshot_header import HEADER_BYTES, Header, Identity, SnapshotUnusable
from service.index.state import State

__all__ = [
    "Header",
    "Identity",
    "SnapshotUnusable",
    "describe",
    "forget_others",
    "load",
    "save",
    "snapshot_path",
]

SUFFIX = ".snapshot"
BLOCK_BYTES = 1 << 20
MAP = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
"""All pages at once where the system can (Linux), else the first searches fault for each."""


def snapshot_path(folder: Path, key: IndexKey) -> Path:
    return folder / f"{key.gallery_id}.{key.space_id}{SUFFIX}"


def save(state: State, identity: Identity, path: Path) -> bool:
    """Replace the file by what lives in that state; False while another process writes there.

    Any thread may call it. The embeddings of deleted faces are not written; the blocks of the old
    file are freed when the last process that started from it lets go.

    Raises:
        OSError: the disk is full, the folder is open to others, or so; the old file is as it was.
    """
    if state.base.shape[1] != identity.dimension:
        raise ValueError(f"an index of dimension {state.base.shape[1]} is not of {identity}")
    return replace(path, lambda file: _write(file, state, identity))


def load(path: Path, expected: Identity) -> GalleryIndex:
    """The index in the file, its base mapped read-only, so that processes share its pages.

    Raises:
        FileNotFoundError: there is none, as before the first was saved.
        SnapshotUnusable: there is one, but damaged, of another gallery or format, or unreadable.
    """
    with _readable(path) as file:
        header = _verified(file, expected)
        pages = mmap.mmap(file.fileno(), header.file_bytes, MAP, mmap.PROT_READ)
    return GalleryIndex(_state(header, pages), expected.dimension)


def describe(path: Path) -> Header:
    """What the file says of itself; its body is not looked at. Raises as `load` does."""
    with _readable(path) as file:
        return Header.unpack(file.read(HEADER_BYTES))


def forget_others(folder: Path, keys: Iterable[IndexKey]) -> bool:
    """Remove the snapshots of all other indexes, for they are no more; False and raises as for
    `save`. The folder must be of one database only."""
    keep = {snapshot_path(folder, key).name for key in keys}
    return remove_others(folder, SUFFIX, keep)


@contextmanager
def _readable(path: Path) -> Iterator[FileIO]:
    try:
        with opened(path) as file:
            yield file
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise SnapshotUnusable(f"it cannot be read: {exc}") from exc


def _write(file: BinaryIO, state: State, identity: Identity) -> None:
    """The header is written last: it names the checksum of the rest."""
    living, body = Living.of(state), sha256()
    file.seek(HEADER_BYTES)
    for array in (*(b.embeddings for b in living.batches()), living.face_ids, living.subject_ids):
        content = array.view(np.uint8).reshape(-1).data
        body.update(content)
        file.write(content)
    header = Header(identity, state.version, len(living), living.digest(), body.digest())
    file.seek(0)
    file.write(header.pack())


def _verified(file: FileIO, expected: Identity) -> Header:
    """The header of a file that is whole and of that gallery.

    The file is read, not mapped, to this end: a failing disk is then an error, not a SIGBUS, and
    what was read is the very page cache that is mapped afterwards.
    """
    header = Header.unpack(file.read(HEADER_BYTES))
    if header.identity != expected:
        raise SnapshotUnusable(f"it is of {header.identity}, not of {expected}")
    size = file.seek(0, 2)
    if size != header.file_bytes:
        raise SnapshotUnusable(f"it has {size} bytes where {header.file_bytes} belong")
    file.seek(HEADER_BYTES)
    if _checksum(file) != header.body:
        raise SnapshotUnusable("its body is damaged")
    return header


def _checksum(file: FileIO) -> bytes:
    """Of the rest. SHA-256 is the fastest strong hash of the stdlib where the CPU has
    instructions for it: 1.5 GB/s, BLAKE2b 0.8 (crc32 3.6, but only 32 bits for gigabytes)."""
    body, block = sha256(), memoryview(bytearray(BLOCK_BYTES))
    while size := file.readinto(block):
        body.update(block[:size])
    return body.digest()


def _state(header: Header, pages: mmap.mmap) -> State:
    """The arrays hold on to the mapping, so it lasts as long as one of them is used."""
    count, dimension = header.count, header.identity.dimension
    values = np.frombuffer(pages, np.dtype("<f4"), count * dimension, HEADER_BYTES)
    face_ids = np.frombuffer(pages, UUID_BYTES, count, header.face_ids_at)
    subject_ids = np.frombuffer(pages, UUID_BYTES, count, header.subject_ids_at)
    rows = FaceRows.in_order(face_ids, subject_ids)
    return State.fresh(header.version, values.reshape(count, dimension), rows)
