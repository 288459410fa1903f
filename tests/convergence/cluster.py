"""A Postgres server that can be killed, and replaced by a standby that has not seen everything."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from service.store.accounts import account_for, let_through
from service.store.postmaster import Postmaster

SETTINGS = {
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "256MB",
    "fsync": "off",  # the machine is not killed, only processes
    "dynamic_shared_memory_type": "mmap",  # in the data folder, so that nothing outlives it
}
PATIENCE_S = 60.0


class Cluster:
    """`primary` is the server that is, or was last, the one to write to."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` of its servers, besides those of every test."""
        self._folder = folder
        self._settings = SETTINGS | dict(settings or {})
        self._number = 0
        self._dead: list[Postmaster] = []
        self.primary = Postmaster(self._new_folder())

    def start(self) -> None:
        """Start the primary, for the first time or after it was killed."""
        self.primary.start(self._settings, PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL to every process of the primary."""
        _kill(self.primary)

    def standby(self) -> Postmaster:
        """A server that follows the primary, made of a backup of it."""
        standby = self.backup("--write-recovery-conf")
        standby.start(self._settings, PATIENCE_S)
        _until(standby, "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status='streaming')")
        return standby

    def backup(self, *options: str) -> Postmaster:
        """A copy of the running primary by pg_basebackup, not started."""
        folder = self._new_folder()
        copy = Postmaster(folder)
        account = account_for(self.primary.data)
        let_through(account, folder)
        command = [account.binaries / "pg_basebackup", "-d", self.primary.url, "-D", copy.data]
        subprocess.run(
            [*map(str, command), *options, "--checkpoint=fast", "--no-sync"],
            check=True,
            capture_output=True,
            timeout=PATIENCE_S,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            **account.identity(),
        )
        return copy

    def recover(self, backup: Postmaster, settings: Mapping[str, str]) -> None:
        """Make the backup the primary, in the place of one that was killed: started with these
        settings, which say where its log is and how far to follow it."""
        signal = backup.data / "recovery.signal"
        signal.touch()
        account_for(backup.data).own(signal)
        backup.start({**self._settings, **settings}, PATIENCE_S)
        _until(backup, "SELECT NOT pg_is_in_recovery()")
        self._dead.append(self.primary)
        self.primary = backup

    def detach(self, standby: Postmaster) -> None:
        """From here on it gets nothing of what the primary commits."""
        with psycopg.connect(standby.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
        _until(standby, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")

    def promote(self, standby: Postmaster) -> None:
        """Make it the primary, in the place of one that was killed."""
        with psycopg.connect(standby.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote(true, 60)")
        self._dead.append(self.primary)
        self.primary = standby

    def close(self) -> None:
        self.primary.stop()
        for server in self._dead:
            _kill(server)
            _remove_shared_memory(server)
            server.stop()

    def _new_folder(self) -> Path:
        self._number += 1
        folder = self._folder / f"server-{self._number}"
        folder.mkdir(mode=0o700)
        return folder


def _kill(server: Postmaster) -> None:
    while processes := server.processes():
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.01)


def _until(server: Postmaster, question: str) -> None:
    end = time.monotonic() + PATIENCE_S
    with psycopg.connect(server.url, autocommit=True) as connection:
        while connection.execute(question.encode()).fetchone() != (True,):
            if time.monotonic() > end:
                raise TimeoutError(question)
            time.sleep(0.02)


def _remove_shared_memory(server: Postmaster) -> None:
    """A killed server's next start removes it; this one will not be started again."""
    with suppress(OSError, IndexError):
        identity = (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
        if shutil.which("ipcrm"):
            subprocess.run(["ipcrm", "-m", identity], check=False, capture_output=True)
