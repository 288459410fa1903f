"""`facematch db`: the schema, by Alembic, and PostgreSQL's own programs."""

from collections.abc import Callable

import typer

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(help="The database schema.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the schema to this release's revision; waits for another upgrade under way."""
    from service.settings import Settings
    from service.store import schema
    from service.store_wiring import direct_url, open_server

    settings = Settings.read()
    with open_server(settings) as url:
        before = schema.current(url)
        schema.upgrade(direct_url(settings, url) or url)
        after = schema.current(url)
    if before == after:
        typer.echo(f"already at {after}")
    else:
        typer.echo(f"upgraded from {before or 'an empty database'} to {after}")


@app.command()
def current() -> None:
    """Print the schema's revision and this release's."""
    from service.settings import Settings
    from service.store import schema
    from service.store_wiring import open_server

    with open_server(Settings.read()) as url:
        typer.echo(f"database: {schema.current(url) or 'empty'}")
    typer.echo(f"release:  {schema.head()}")


@app.command()
def check() -> None:
    """Exit 0 when the schema is this release's in every part; else say what differs."""
    from service.settings import Settings
    from service.store import schema
    from service.store_wiring import open_server

    with open_server(Settings.read()) as url:
        schema.check(url)
        differences = schema.drift(url)
    for difference in differences:
        typer.echo(difference, err=True)
    if differences:
        raise typer.Exit(1)
    typer.echo(f"the schema is at {schema.head()} and matches this release")


@app.command(context_settings=PASSED_ON)
def psql(context: typer.Context) -> None:
    """Open psql on the service's database; what follows are psql's own arguments."""
    from service.store.console import psql as program

    _run(program, context.args)


@app.command(context_settings=PASSED_ON)
def dump(context: typer.Context) -> None:
    """Run pg_dump on the service's database; what follows are pg_dump's own arguments."""
    from service.store.console import pg_dump as program

    _run(program, context.args)


@app.command(context_settings=PASSED_ON)
def restore(context: typer.Context) -> None:
    """Run pg_restore into the service's database, which must be empty; its own arguments follow."""
    from service.store.console import pg_restore as program

    _run(program, context.args)


def _run(program: Callable[[str, list[str]], int], arguments: list[str]) -> None:
    from service.settings import Settings
    from service.store_wiring import open_server

    with open_server(Settings.read()) as url:
        code = program(url, arguments)
    raise typer.Exit(code)
