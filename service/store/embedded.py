"""The embedded Postgres: started by its first user, stopped by its last, shared in between.

Who uses it is written nowhere: every process holds a shared lock on a file, which the kernel
releases however the process ends. A server whose users were all killed lives on, and the next
start adopts it.
"""

import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from service.errors import DatabaseUnsuitable
from service.store.postmaster import Postmaster

FOLDER = "postgres"
"""Where it lies in FACEMATCH_HOME."""

START_S = 120.0
"""Longest wait for another process's start or stop, and for crash recovery."""

NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For data that need not outlive the machine; a killed process loses nothing by it."""

_here = threading.Lock()
_users: dict[tuple[int, Path], tuple[int, IO[bytes], Postmaster]] = {}
"""(process, folder) -> (how many use it, its lock, the server). The process, because of forks."""


@contextmanager
def embedded_postgres(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Use the Postgres whose data lie under `folder`; yields its URL.

    `settings` of the server take effect where this call starts it.

    Raises:
        DatabaseUnsuitable: it cannot be started; the message holds the server's own words.
    """
    folder = folder.expanduser().resolve()
    postmaster = _enter(folder, settings or {})
    try:
        yield postmaster.url
    finally:
        _leave(folder)


@contextmanager
def temporary_postgres(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A Postgres that is deleted with all its data at the end; yields its URL."""
    folder = Path(tempfile.mkdtemp(prefix="facematch-"))
    try:
        with embedded_postgres(folder, NOT_DURABLE | dict(settings or {})) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _enter(folder: Path, settings: Mapping[str, str]) -> Postmaster:
    key = (os.getpid(), folder)
    with _here:
        if key in _users:
            count, lock, postmaster = _users[key]
        else:
            count, (lock, postmaster) = 0, _opened(folder, settings)
        _users[key] = (count + 1, lock, postmaster)
    return postmaster


def _opened(folder: Path, settings: Mapping[str, str]) -> tuple[IO[bytes], Postmaster]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        postmaster = Postmaster(folder)
        return _started(postmaster, settings), postmaster
    except OSError as error:
        raise DatabaseUnsuitable(
            f"the embedded database's folder {folder} cannot be used: {error}; choose another "
            "FACEMATCH_HOME, or set DATABASE_URL"
        ) from error


def _started(postmaster: Postmaster, settings: Mapping[str, str]) -> IO[bytes]:
    with _alone(postmaster.folder):
        users = (postmaster.folder / "users.lock").open("wb")
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            postmaster.start(settings, START_S)
        except BaseException:
            users.close()
            raise
    return users


def _leave(folder: Path) -> None:
    key = (os.getpid(), folder)
    with _here:
        count, lock, postmaster = _users.pop(key)
        if count > 1:
            _users[key] = (count - 1, lock, postmaster)
            return
        with lock, _alone(folder):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it still
            postmaster.stop()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else starts or stops this server meanwhile."""
    deadline = time.monotonic() + START_S
    with (folder / "start.lock").open("wb") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DatabaseUnsuitable(
                        f"another process has been starting or stopping the embedded database in "
                        f"{folder} for {START_S:.0f} s; end that process and try again"
                    ) from None
            time.sleep(0.05)
        yield
