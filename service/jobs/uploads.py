"""Uploads: told by their content, and spooled as they arrive."""

import gzip
import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from service.errors import ImportInvalid
from service.images import ImageLimits
from service.jobs.archive_items import ArchiveItems
from service.jobs.archives import tar_members, zip_members
from service.jobs.line_items import LineItems
from service.jobs.spooling import Spooling
from service.jobs.streams import CHUNK, copy, drain, measured

DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
)
"""What the readers of archives raise for broken ones (ValueError: names that are no text)."""
TAR_MAGIC = slice(257, 262)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """`max_bytes` bounds an upload as it is sent and once it is unpacked; `folder` is where a zip
    lies while it is read, in a file without a name that no crash can leave behind."""

    max_bytes: int
    max_items: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Upload:
    """Reads a body into an import."""

    into: Spooling
    images: ImageLimits
    limits: ImportLimits

    def read(self, body: IO[bytes]) -> bytes:
        """Spool everything; returns the SHA-256 of the body.

        Raises:
            ImportInvalid: it is none of the forms known, or damaged.
            ImportTooLarge: more bytes or items than allowed.
        """
        self.limits.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        measure, stream = measured(body, self.limits.max_bytes)
        with _damage_is_told():
            self._packed(stream)
            drain(stream)
        return measure.digest()

    def _packed(self, stream: io.BufferedReader) -> None:
        start = stream.peek(4)[:4]
        if start.startswith(b"PK"):
            self._zip(stream)
        elif start.startswith(b"\x1f\x8b"):
            # typeshed does not see that it is one
            unpacked = cast(IO[bytes], gzip.GzipFile(fileobj=stream))
            _, plain = measured(unpacked, self.limits.max_bytes)
            self._plain(plain)
            drain(plain)
        else:
            self._plain(stream)

    def _zip(self, stream: IO[bytes]) -> None:
        limits = self.limits
        with tempfile.TemporaryFile(dir=limits.folder) as file:
            copy(stream.read, file, limits.max_bytes)
            members = zip_members(file, limits.max_bytes, limits.max_items)
            ArchiveItems(self.into, self.images, limits.folder).read(members)

    def _plain(self, stream: io.BufferedReader) -> None:
        start = stream.peek(CHUNK)
        if start.startswith(b"--"):
            raise ImportInvalid("Send the archive itself as the body, not in a form.")
        is_tar = start[TAR_MAGIC] == b"ustar"
        if start.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"{") and not is_tar:
            LineItems(self.into, self.images).read(stream)
        elif start:
            ArchiveItems(self.into, self.images, self.limits.folder).read(tar_members(stream))


@contextmanager
def _damage_is_told() -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise ImportInvalid(
            f"The archive is damaged, cut off, or none that is known here ({error})."
        ) from error
