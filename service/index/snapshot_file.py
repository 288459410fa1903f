"""Files that only their owner reads, and that are whole under their name or not there."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp"


def replace(path: Path, write: Callable[[BinaryIO], None]) -> bool:
    """Put a file that `write` fills in place of the old one, if any, whole and on the disk.

    False, with nothing done, while another process replaces or removes files in that folder.

    Raises:
        OSError: nothing is left behind, and the old file is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(path.parent)
    with _sole_writer(path.parent) as folder:
        if folder is None:
            return False
        temporary = path.with_name(path.name + TEMPORARY)
        temporary.unlink(missing_ok=True)  # of a writer that was killed
        try:
            _fill(temporary, write)
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
        os.fsync(folder)
    return True


def remove_others(folder: Path, suffix: str, keep: set[str]) -> bool:
    """Remove all files of that suffix but those named, and what killed writers left behind; False
    as for `replace`. Raises OSError."""
    if not folder.is_dir():
        return True
    with _sole_writer(folder) as descriptor:
        if descriptor is None:
            return False
        # under the lock nobody writes, so a temporary one is a killed writer's
        others = [
            path
            for path in folder.iterdir()
            if path.name.endswith(suffix + TEMPORARY)
            or (path.name.endswith(suffix) and path.name not in keep)
        ]
        for path in others:
            path.unlink(missing_ok=True)
        if others:
            os.fsync(descriptor)
    return True


@contextmanager
def opened(path: Path) -> Iterator[FileIO]:
    """The file for reading. Raises OSError, also when others might have put it there."""
    # NONBLOCK: a named pipe in its place is told below, not waited for
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(f"{path} is not a regular file")
        _require_private(path.parent)
        yield file


def _fill(path: Path, write: Callable[[BinaryIO], None]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        write(file)
        file.flush()
        os.fsync(descriptor)


def _require_private(folder: Path) -> None:
    """Repairing it would be worse: it may be a folder of others, such as /tmp, named by mistake."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise PermissionError(
            f"{folder} is open to other users (mode {mode:o}); run: chmod 700 {folder}"
        )


@contextmanager
def _sole_writer(folder: Path) -> Iterator[int | None]:
    """The folder's descriptor, locked; None while another process holds it.

    Not waited for: a writer may be stopped, and whoever comes here has more urgent things to do.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)
