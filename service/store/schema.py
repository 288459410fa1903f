"""The schema's revision: upgrade it, look at it, refuse a wrong one."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool
from sqlalchemy.exc import DBAPIError

import migrations
from service.errors import DatabaseBusy, DatabaseUnsuitable, RequestError, SchemaOutdated
from service.store import definitions
from service.store.failures import translated
from service.store.tables import is_ours, metadata
from service.store.urls import conninfo

UPGRADE = "facematch db upgrade"
PATIENCE_S = 120.0
"""How long an upgrade tries for its locks."""
PAUSE_S = 1.0
"""Between two tries, on average: for those who queued behind the first one."""
DEFINED = {"add_constraint", "remove_constraint", "add_fk", "remove_fk"}
"""Alembic's findings that the definitions hold too, and more exactly."""


def upgrade(url: str, on_wait: Callable[[], None] | None = None, *, revision: str = "head") -> None:
    """Bring the schema up to a revision; concurrent upgrades wait for one another.

    Each step is a transaction. Who wants a table queues behind a step that waits for it, so that
    each waits only shortly, lets them by and tries again. `on_wait` is called once, when another
    upgrade is under way. `url` must not go through a transaction pooler.

    Raises:
        SchemaOutdated: the database is a newer release's.
        DatabaseUnsuitable: a statement was refused, for want of rights or of the extension.
        DatabaseBusy: a table was locked for too long; the steps before are done.
        DatabaseUnavailable: the connection failed.
    """
    _refuse_newer(current(url))
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with _explained(), translated():
                command.upgrade(_config(url, on_wait), revision)
            return
        except DatabaseBusy:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_S * random.uniform(0.5, 1.5))


def downgrade(url: str, revision: str) -> None:
    with _explained(), translated():
        command.downgrade(_config(url), revision)


def current(url: str) -> str | None:
    """The database's revision; None where it has no schema of ours."""
    with _explained(), _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this code needs."""
    return str(_scripts().get_current_head())


def check(url: str) -> None:
    """Raises SchemaOutdated unless the database is at `head()`."""
    found = current(url)
    if found == head():
        return
    if found is None:
        raise SchemaOutdated(f"The database has no facematch schema yet; run `{UPGRADE}`.")
    _refuse_newer(found)
    raise SchemaOutdated(
        f"The database's schema is outdated (revision {found}, needed is {head()}); "
        f"run `{UPGRADE}`, or start with `facematch serve --migrate`."
    )


def _refuse_newer(found: str | None) -> None:
    if found in {None, *(script.revision for script in _scripts().walk_revisions())}:
        return
    raise SchemaOutdated(
        f"The database was upgraded by a newer release of facematch (its revision is {found}, "
        f"this release knows revisions up to {head()}); install that release."
    )


def drift(url: str) -> list[str]:
    """How the database's schema differs from this release's, a line each; empty when it does not.

    Tables, columns and indexes as the models have them; constraints, functions and triggers as the
    migrations make them.
    """
    with _connected(url) as connection:
        options = {"compare_server_default": True, "include_name": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        tables = compare_metadata(context, metadata)
        found = definitions.found(connection)
    lines = [str(each) for each in tables if isinstance(each, list) or each[0] not in DEFINED]
    return lines + list(definitions.differences(found, definitions.expected()))


def _config(url: str, on_wait: Callable[[], None] | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", _location().replace("%", "%%"))
    config.attributes["url"] = url
    if on_wait is not None:
        config.attributes["on_wait"] = on_wait
    return config


def _location() -> str:
    return str(Path(migrations.__file__).resolve().parent)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(_location())


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo(url, connect_timeout=5)),
        poolclass=pool.NullPool,
        use_native_hstore=False,
    )
    with translated(), engine.connect() as connection:
        yield connection


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, RequestError) as error:
        # rows that break a rule are no request's here
        diagnosis = getattr(getattr(error, "orig", error.__cause__), "diag", None)
        said = [getattr(diagnosis, part, None) for part in ("message_primary", "message_hint")]
        raise DatabaseUnsuitable(
            "The database refused: " + ". ".join(part for part in said if part)
        ) from error
