"""The schema's revision: upgrade it, look at it, refuse a wrong one."""

import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
from service.store.columns import metadata
from service.store.connections import in_utc
from service.store.failures import translated
from service.store.tables import is_ours

log = logging.getLogger(__name__)

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
    upgrade is under way. A newer schema on which this release runs stays as it is. `url` must not
    go through a transaction pooler.

    Raises:
        SchemaOutdated: the database is a newer release's, on which this one cannot run.
        DatabaseUnsuitable: a statement was refused, for want of rights or of the extension.
        DatabaseBusy: a table was locked for too long; the steps before are done.
        DatabaseUnavailable: the connection failed.
    """
    if _newer(url, current(url)):
        return
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
    """Raises SchemaOutdated unless the database is at `head()`, or newer and serves it."""
    found = current(url)
    if found == head() or _newer(url, found):
        return
    if found is None:
        raise SchemaOutdated(f"The database has no facematch schema yet; run `{UPGRADE}`.")
    raise SchemaOutdated(
        f"The database's schema is outdated (revision {found}, needed is {head()}); "
        f"run `{UPGRADE}`, or start with `facematch serve --migrate`."
    )


def _newer(url: str, found: str | None) -> bool:
    """Whether the schema is a newer release's on which this one runs.

    Raises SchemaOutdated when it is one on which it does not.
    """
    if found in {None, *(script.revision for script in _scripts().walk_revisions())}:
        return False
    oldest = _runs_from(url)
    if oldest is None or oldest > head():
        raise SchemaOutdated(
            f"The database was upgraded by a newer release of facematch (its revision is {found}, "
            f"this release knows revisions up to {head()}); install that release."
        )
    log.warning("the schema is a newer release's (revision %s); this one runs on it", found)
    return True


def _runs_from(url: str) -> str | None:
    """The oldest revision whose releases run on the database, as the schema says: every revision
    says so anew, in words that the releases before it read. Revisions are numbers of four digits,
    so their order is that of text."""
    said = "SELECT obj_description(to_regclass('alembic_version'), 'pg_class')"
    with _explained(), _connected(url) as connection:
        comment = connection.exec_driver_sql(said).scalar_one()
    match = re.fullmatch("runs from ([0-9]{4})", comment or "")
    return match and match[1]


def drift(url: str) -> list[str]:
    """How the database's schema differs from this release's, a line each; empty when it does not.

    Tables, columns and indexes as the models have them; constraints, functions, triggers, views and
    rights as the migrations make them.
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
        creator=lambda: in_utc(url, 5),
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
