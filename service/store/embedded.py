"""The embedded Postgres: started by its first user, stopped by its last, shared in between.

Who uses it is written nowhere: every process holds a shared lock on a file, which the kernel
releases however the process ends. A server whose users were all killed lives on, and the next
start adopts it. A server that ends under its users is started again by one of them.
"""

import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service.errors import DatabaseUnsuitable
from service.store.postmaster import Postmaster
from service.store.watch import Watch

FOLDER = "postgres"
"""Where it lies in FACEMATCH_HOME."""

START_S = 120.0
"""Longest wait for another process's start or stop, and for crash recovery."""
REVIVE_S = 20.0
"""The same, of one try to start it again: whoever is told to stop meanwhile waits no longer."""

NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For data that need not outlive the machine; a killed process loses nothing by it."""


@dataclass(slots=True)
class _Use:
    """This process's use of a server; `lock` is its share, `count` how many use it in here."""

    postmaster: Postmaster
    lock: IO[bytes]
    watch: Watch
    count: int = 0


_here = threading.Lock()
_uses: dict[tuple[int, Path], _Use] = {}
"""By process, because of forks, and folder."""


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
        if key not in _uses:
            _uses[key] = _opened(folder, settings)
        _uses[key].count += 1
        return _uses[key].postmaster


def _opened(folder: Path, settings: Mapping[str, str]) -> _Use:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        postmaster = Postmaster(folder)
        lock = _started(postmaster, settings)
    except OSError as error:
        raise DatabaseUnsuitable(
            f"the embedded database's folder {folder} cannot be used: {error}; choose another "
            "FACEMATCH_HOME, or set DATABASE_URL"
        ) from error
    watch = Watch(runs=postmaster.runs, revive=lambda: _revive(postmaster, settings))
    watch.start()
    return _Use(postmaster, lock, watch)


def _revive(postmaster: Postmaster, settings: Mapping[str, str]) -> None:
    with _alone(postmaster.folder):
        if not postmaster.exists():
            # a new one would be empty, and the service would go on as if nobody were enrolled
            raise DatabaseUnsuitable(f"the embedded database is gone from {postmaster.folder}")
        postmaster.start(settings, REVIVE_S)


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
        use = _uses[key]
        use.count -= 1
        if use.count:
            return
        del _uses[key]
        use.watch.close()
        with use.lock, _alone(folder):
            try:
                fcntl.flock(use.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it still
            use.postmaster.stop()


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
