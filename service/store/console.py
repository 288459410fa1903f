"""psql on the service's own database."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.store.accounts import binaries
from service.store.urls import conninfo


def psql(url: str, arguments: Sequence[str]) -> int:
    """Run psql on the terminal with these arguments; returns its exit code.

    The password goes through the environment, where other users do not see it.

    Raises:
        DatabaseUnsuitable: there is no psql here.
    """
    given = conninfo_to_dict(conninfo(url))
    password = given.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    command = [_program(), "--dbname", make_conninfo("", **given), *arguments]
    # Ctrl-C is for psql: it cancels the query
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(command, env=os.environ | secret, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _program() -> str:
    """The machine's own psql, which may have better line editing, else the one that comes along."""
    return shutil.which("psql") or str(binaries() / "psql")
