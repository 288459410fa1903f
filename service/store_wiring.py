"""From settings to a database and what needs nothing else: no model, no index."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from service.key_file import KeyFile
from service.keys import Keys
from service.ports import Store
from service.settings import Settings
from service.store import open_store, schema
from service.store.embedded import embedded_postgres, temporary_postgres
from service.store.requirements import check_server


@contextmanager
def open_database(
    settings: Settings, *, migrate: bool = False, ephemeral: bool = False
) -> Iterator[str]:
    """Yield the URL of a database whose schema is current.

    The embedded database is started here and upgraded; one named by DATABASE_URL is upgraded only
    when `migrate` is set.

    Raises:
        DatabaseUnsuitable: unreachable, too old, or without pgvector.
        SchemaOutdated: it must be upgraded first.
    """
    with open_server(settings, ephemeral=ephemeral) as url:
        if migrate or ephemeral or settings.database_url is None:
            schema.upgrade(direct_url(settings, url) or url)
        else:
            schema.check(url)
        yield url


@contextmanager
def open_server(settings: Settings, *, ephemeral: bool = False) -> Iterator[str]:
    """Yield the URL of a suitable database server, whatever its schema."""
    with ExitStack() as stack:
        if ephemeral:
            url = stack.enter_context(temporary_postgres())
        elif settings.database_url is None:
            folder = settings.facematch_home / "postgres"
            url = stack.enter_context(embedded_postgres(folder))
        else:
            url = settings.database_url.get_secret_value()
        check_server(url)
        yield url


@contextmanager
def open_tables(settings: Settings, url: str) -> Iterator[Store]:
    """Open the store alone."""
    with closing(store_of(settings, url)) as store:
        yield store


@contextmanager
def open_keys(settings: Settings, url: str) -> Iterator[Keys]:
    """The keys alone, with their tables."""
    with open_tables(settings, url) as store:
        yield Keys(store, KeyFile.of(settings.facematch_home))


def direct_url(settings: Settings, url: str) -> str | None:
    """The way around a pooler to the database of `url`; None where `url` is direct itself."""
    through = settings.database_url and settings.database_url.get_secret_value()
    if settings.database_direct_url is None or url != through:
        return None  # the embedded database, whatever the environment says
    return settings.database_direct_url.get_secret_value()


def store_of(settings: Settings, url: str) -> Store:
    return open_store(
        url,
        direct_url=direct_url(settings, url),
        pool_size=settings.database_pool_size,
        timeout_s=settings.database_timeout_s,
    )
