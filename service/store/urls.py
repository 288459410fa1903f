"""Database URLs: every spelling in, libpq's out, and never a password in a message."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.errors import DatabaseUnsuitable

DEFAULTS: dict[str, Any] = {
    "application_name": "facematch",
    # a peer that vanished without a word is noticed within half a minute
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # of several hosts the primary: everything here writes or must not lag
    "target_session_attrs": "read-write",
}


def conninfo(url: str, **parameters: object) -> str:
    """The connection string for libpq; what the URL itself says wins over `parameters`.

    Raises:
        DatabaseUnsuitable: it cannot be understood.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql+psycopg"}:
        url = f"postgresql://{rest}"
    try:
        given = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
    except Exception:  # its message may repeat the URL, and so the password
        raise DatabaseUnsuitable(
            "DATABASE_URL cannot be understood; it should look like "
            "postgresql://user:password@host:5432/database"
        ) from None
    return make_conninfo("", **(DEFAULTS | parameters | given))


def described(url: str) -> str:
    """host:port/database, for people."""
    given = conninfo_to_dict(conninfo(url))
    host, port = given.get("host") or "localhost", given.get("port") or 5432
    return f"{host}:{port}/{given.get('dbname') or given.get('user') or ''}"
