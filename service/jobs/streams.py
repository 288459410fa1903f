"""Streams that are read once, forwards, and never further than they may be."""

import hashlib
import io
from collections.abc import Callable
from typing import IO, Any

from service.errors import ImportInvalid, ImportTooLarge

CHUNK = 1 << 16
BLOCK = 512


class Measured(io.RawIOBase):
    """Passes on what it reads; counts it, up to `most` bytes, and takes its SHA-256.

    Raises:
        ImportTooLarge: there is more.
    """

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._most = most
        self._seen = 0
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As much as there is room for: the source may give less at a time."""
        view = memoryview(buffer)
        filled = 0
        while filled < len(view) and (data := self._source.read(len(view) - filled)):
            view[filled : filled + len(data)] = data
            filled += len(data)
        self._seen += filled
        if self._seen > self._most:
            raise too_many_bytes(self._most)
        self._digest.update(view[:filled])
        return filled

    def digest(self) -> bytes:
        return self._digest.digest()


def measured(source: IO[bytes], most: int) -> tuple[Measured, io.BufferedReader]:
    """The measure, and the stream to read from."""
    measure = Measured(source, most)
    return measure, io.BufferedReader(measure, CHUNK)


class Forward:
    """A file for `tarfile` that can only skip ahead.

    `tarfile` keeps in memory what it reads of headers, whatever size they claim: so no more than
    allowed is given out between two calls of `allow`.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._position = 0
        self._allowed = 0
        self.last = b""
        """What was read last."""

    def allow(self, size: int) -> None:
        self._allowed = size

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        """Raises EOFError when there is not that much, and ImportInvalid for the way back."""
        if position < self._position:
            raise ImportInvalid("The archive is damaged: it points backwards.")
        while self._position < position:
            if not self._take(min(CHUNK, position - self._position)):
                raise EOFError
        return position

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._allowed:
            raise ImportInvalid("The archive is damaged: a header of it is absurdly large.")
        self._allowed -= size
        self.last = self._take(size)
        return self.last

    def _take(self, size: int) -> bytes:
        data = self._source.read(size)
        self._position += len(data)
        return data


class Bounded:
    """A file for `zipfile`, which reads the list of members at once: at most `most` bytes."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        enough = self._most + 1
        data = self._file.read(size if 0 <= size < enough else enough)
        if len(data) == enough:
            raise ImportTooLarge("The archive's list of members is too long; send it in parts.")
        return data


def too_many_bytes(most: int) -> ImportTooLarge:
    return ImportTooLarge(
        f"The import has more than {most} bytes (MAX_IMPORT_BYTES), as it is sent or once it is "
        "unpacked; send it in parts."
    )


def too_many_items(most: int) -> ImportTooLarge:
    return ImportTooLarge(
        f"The import has more than {most} items (MAX_IMPORT_ITEMS); send it in parts."
    )


def copy(read: Callable[[int], bytes], target: IO[bytes], most: int) -> None:
    """Raises ImportTooLarge beyond `most` bytes."""
    copied = 0
    while data := read(CHUNK):
        copied += len(data)
        if copied > most:
            raise ImportTooLarge(f"A part of the import has more than {most} bytes.")
        target.write(data)


def drain(stream: IO[bytes]) -> None:
    """Read to the end, where a checksum may stand."""
    while stream.read(CHUNK):
        pass
