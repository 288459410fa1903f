"""Where an export lies: a file, packed where its name ends in `.gz`, or a pipe for `-`."""

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from service.errors import InputFileInvalid

PIPE = Path("-")
PACKED = b"\x1f\x8b"
"""What gzip begins with."""


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """What is written in the block is there as `path` when it ends well, and else not at all.

    The file is its owner's alone (mode 0600): it holds embeddings.

    Raises:
        InputFileInvalid: there is such a file already, or it cannot be written.
    """
    try:
        if path == PIPE:
            # standard output itself would be flushed once more when the process ends
            with os.fdopen(os.dup(1), "wb") as pipe:
                yield pipe
        else:
            with _complete(path) as file, _packing(path, file) as out:
                yield out
    except FileExistsError:
        raise InputFileInvalid(
            f"{path} is there already (or {_unfinished(path)}, left by one that was broken off); "
            "choose another name, or remove it."
        ) from None
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be written: {error.strerror}.") from error


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


@contextmanager
def _complete(path: Path) -> Iterator[IO[bytes]]:
    unfinished = _unfinished(path)
    if path.exists():
        raise FileExistsError
    file = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _packing(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield file
        return
    # without name and time, so that the same content is the same file
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        yield cast(IO[bytes], packed)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The content of the file, unpacked if it was packed, whatever its name.

    Raises:
        InputFileInvalid: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            raw: BufferedReader = stack.enter_context(
                os.fdopen(os.dup(0), "rb") if path == PIPE else path.open("rb")
            )
            packed = raw.peek(len(PACKED)).startswith(PACKED)
        except OSError as error:
            raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
        yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
