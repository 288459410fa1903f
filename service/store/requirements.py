"""What the database server must be: PostgreSQL 15 or newer, with pgvector 0.8.4 or newer."""

import re
import time
from typing import Any

import psycopg

from service.errors import DatabaseUnsuitable
from service.store.urls import conninfo, described

POSTGRES = 15
VECTOR = "0.8.4"
RETRY_S = 0.5

SERVER = """
SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version'),
       current_setting('server_encoding'),
       (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector')
"""


def check_server(url: str, *, wait_s: float = 10.0) -> None:
    """Wait up to `wait_s` for the server, then look at its versions.

    Raises:
        DatabaseUnsuitable: it does not answer, or something must be installed on it first.
    """
    with _reached(url, wait_s) as connection:
        row = connection.execute(SERVER).fetchone()
    if row is None:
        raise DatabaseUnsuitable(f"the database at {described(url)} gave an empty answer")
    judge(*row)


def judge(
    major: int, version: str, encoding: str, installed: str | None, available: str | None
) -> None:
    """Refuse what is too old; `installed` and `available` are versions of the extension."""
    if major < POSTGRES:
        raise DatabaseUnsuitable(
            f"facematch needs PostgreSQL {POSTGRES} or newer, this server is {version}; "
            "upgrade it, or set DATABASE_URL to a newer one."
        )
    if encoding != "UTF8":
        raise DatabaseUnsuitable(
            f"the database's encoding is {encoding}; create one with ENCODING 'UTF8'."
        )
    if _number(installed) >= _number(VECTOR):
        return
    if _number(available) < _number(VECTOR):
        found = available or installed
        raise DatabaseUnsuitable(
            f"facematch needs the extension pgvector {VECTOR} or newer, the server has "
            f"{found or 'none'}; install it on the server (package postgresql-{major}-pgvector, "
            f"or the image pgvector/pgvector:pg{major})."
        )
    if installed is not None:
        raise DatabaseUnsuitable(
            f"facematch needs pgvector {VECTOR} or newer, the database has {installed}; the "
            f"server has {available}, so run ALTER EXTENSION vector UPDATE in this database."
        )


def _number(version: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version or ""))


def _reached(url: str, wait_s: float) -> psycopg.Connection[Any]:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return psycopg.connect(conninfo(url, connect_timeout=5))
        except psycopg.OperationalError as error:
            left = deadline - time.monotonic()
            if left <= 0 or _final(error):
                raise DatabaseUnsuitable(
                    f"cannot reach the database at {described(url)}: {_reason(error)}; "
                    "check DATABASE_URL"
                ) from None
        time.sleep(min(RETRY_S, left))


def _final(error: psycopg.OperationalError) -> bool:
    """Whether waiting cannot help: a wrong password or a database that does not exist."""
    return any(
        hint in str(error)
        for hint in ("password authentication failed", "does not exist", "no pg_hba.conf entry")
    )


def _reason(error: psycopg.OperationalError) -> str:
    """libpq's last line, which never holds the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
