"""Alembic's way to the database, for `facematch db ...` and for plain `alembic` alike.

The URL is the caller's (`config.attributes["url"]`), else DATABASE_URL (DATABASE_DIRECT_URL where
that is set: the lock below belongs to a session), else the embedded Postgres.
"""

import logging.config
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, create_engine, pool, text

from service.settings import Settings
from service.store.columns import metadata
from service.store.connections import in_utc
from service.store.embedded import FOLDER, embedded_postgres
from service.store.tables import is_ours

LOCK = 0x66616365  # "face": one upgrade at a time in one database
POLL_S = 0.2

GRANTED = """
DO $$ BEGIN
  IF to_regproc('facematch_grant') IS NOT NULL THEN PERFORM facematch_grant(); END IF;
END $$
"""
NOTED = """
DO $$ BEGIN
  IF to_regclass('audit_event') IS NOT NULL THEN
    INSERT INTO audit_event (action, detail) VALUES ('migrate', jsonb_build_object(
      'from', nullif('{before}', ''), 'to', nullif('{after}', '')));
  END IF;
END $$
"""

logger = logging.getLogger("alembic.env")


@contextmanager
def database() -> Iterator[str]:
    given = context.config.attributes.get("url")
    if given is not None:
        yield given
        return
    settings = Settings.read()
    configured = settings.database_direct_url or settings.database_url
    if configured is not None:
        yield configured.get_secret_value()
    else:
        with embedded_postgres(settings.facematch_home / FOLDER) as url:
            yield url


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold a session lock; others wait for it by asking again, because a session that waits in
    the server holds a snapshot, for which CREATE INDEX CONCURRENTLY would wait in turn."""
    told = False
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
        connection.rollback()
        if not told:
            context.config.attributes.get("on_wait", _say_waiting)()
            told = True
        time.sleep(POLL_S)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()


def _say_waiting() -> None:
    logger.info("waiting for another upgrade of this database to end")


def run_online() -> None:
    with database() as url:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: in_utc(url, 10),
            poolclass=pool.NullPool,
            use_native_hstore=False,
        )
        with engine.connect() as connection, alone(connection):
            context.configure(
                connection=connection,
                target_metadata=metadata,
                include_name=is_ours,
                compare_server_default=True,
                # a step's locks are gone when the next one begins
                transaction_per_migration=True,
                on_version_apply=_applied,
            )
            with context.begin_transaction():
                context.run_migrations()


def _applied(
    ctx: MigrationContext,
    step: MigrationInfo,
    heads: Collection[object],
    run_args: Mapping[str, object],
) -> None:
    """What belongs to every step, and to its transaction: rights on the new tables, and an entry
    in the record, once there are such. Both look for themselves: they may only be printed."""
    before, after = map(", ".join, (step.source_revision_ids, step.destination_revision_ids))
    ctx.execute(GRANTED)
    ctx.execute(NOTED.format(before=before, after=after))


def run_offline() -> None:
    """`alembic upgrade head --sql` prints the statements for someone else to run."""
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # or % comes out doubled
        target_metadata=metadata,
        literal_binds=True,
        transaction_per_migration=True,
        on_version_apply=_applied,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.config.config_file_name is not None:  # the plain command; else the caller's logging
    logging.config.fileConfig(context.config.config_file_name, disable_existing_loggers=False)

if context.is_offline_mode():
    run_offline()
else:
    run_online()
