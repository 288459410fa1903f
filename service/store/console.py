"""PostgreSQL's own programs on the service's database: psql, pg_dump and pg_restore."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.errors import DatabaseUnsuitable
from service.store.accounts import binaries
from service.store.urls import conninfo


def psql(url: str, arguments: Sequence[str]) -> int:
    """Run psql on the terminal with these arguments; returns its exit code.

    The machine's own, which may have better line editing, else the one that comes along.

    Raises:
        DatabaseUnsuitable: there is no psql here.
    """
    return _run(shutil.which("psql") or str(binaries() / "psql"), url, arguments)


def pg_dump(url: str, arguments: Sequence[str]) -> int:
    """As `psql`, but the one that comes along first: it must not be older than the server."""
    return _run(_newest("pg_dump"), url, arguments)


def pg_restore(url: str, arguments: Sequence[str]) -> int:
    """As `pg_dump`: it must not be older than the one that made the file."""
    return _run(_newest("pg_restore"), url, arguments)


def _run(program: str, url: str, arguments: Sequence[str]) -> int:
    """The password goes through the environment, where other users do not see it."""
    given = conninfo_to_dict(conninfo(url))
    password = given.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    command = [program, "--dbname", make_conninfo("", **given), *arguments]
    # Ctrl-C is for the program: it cancels the query
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(command, env=os.environ | secret, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _newest(program: str) -> str:
    with suppress(DatabaseUnsuitable):
        return str(binaries() / program)
    found = shutil.which(program)
    if found is None:
        raise DatabaseUnsuitable(
            f"there is no {program} here; install PostgreSQL's client programs"
        )
    return found
