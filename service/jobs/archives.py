"""The members of an archive, one after the other: tar as it streams by, zip from a file."""

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from service.errors import ImportInvalid
from service.jobs.streams import BLOCK, Bounded, Forward, too_many_bytes, too_many_items

HEADER_BYTES = 1 << 20
"""What the headers of one member of a tar may take, long names included."""
ENTRY_BYTES = 256
"""Of a member in a zip's list, on average."""
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `plain`: it has content that can be read; a link or an encrypted one
    has not. `read` gives the next so many bytes of it; only before the next member is asked for.
    """

    name: str
    plain: bool
    read: Callable[[int], bytes]


def tar_members(stream: IO[bytes]) -> Iterator[Member]:
    """The files of an uncompressed tar, folders left out.

    Raises:
        ImportInvalid: it does not end as a tar does.
        tarfile.TarError, EOFError: damaged.
    """
    forward = Forward(stream)
    forward.allow(HEADER_BYTES)
    archive = tarfile.TarFile(fileobj=cast(IO[bytes], forward), errors="replace")
    while (member := archive.next()) is not None:
        # it keeps all it has seen; Python 3.13 has `stream=True` for this
        archive.members.clear()  # type: ignore[attr-defined]  # undocumented
        if not member.isdir():
            forward.allow(member.size + BLOCK)
            yield _tar_member(archive, member)
        forward.allow(HEADER_BYTES)
    if forward.last != bytes(BLOCK):
        raise ImportInvalid("The tar is damaged or cut off: it does not end as a tar does.")


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Member:
    plain = member.isreg() and not member.issparse()
    content = archive.extractfile(member) if plain else None
    if content is None:
        return Member(member.name, False, lambda size: b"")
    return Member(member.name, True, content.read)


def zip_members(file: IO[bytes], max_bytes: int, max_items: int) -> Iterator[Member]:
    """The files of a zip, folders left out. What a header says of sizes is not believed.

    Raises:
        ImportTooLarge: more than `max_items`, or more than `max_bytes` were read of them.
        zipfile.BadZipFile: damaged.
    """
    directory = Bounded(file, max_items * ENTRY_BYTES + HEADER_BYTES)
    with zipfile.ZipFile(cast(IO[bytes], directory)) as archive:
        members = archive.infolist()
        if len(members) > max_items:
            raise too_many_items(max_items)
        left = max_bytes
        for member in members:
            if member.is_dir():
                continue
            if not _is_plain(member):
                yield Member(member.filename, False, lambda size: b"")
                continue
            with archive.open(member) as content:
                counted = _Counted(content)
                yield Member(member.filename, True, counted.read)
            left -= counted.seen
            if left < 0:
                raise too_many_bytes(max_bytes)


def _is_plain(member: zipfile.ZipInfo) -> bool:
    mode = stat.S_IFMT(member.external_attr >> 16)
    encrypted = member.flag_bits & 1
    return mode in {0, stat.S_IFREG} and not encrypted and member.compress_type in UNPACKED


class _Counted:
    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.seen = 0

    def read(self, size: int) -> bytes:
        data = self._content.read(size)
        self.seen += len(data)
        return data
