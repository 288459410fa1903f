"""`facematch erasures`: where deleted faces are gone by now."""

import typer

app = typer.Typer(help="Receipts of deletions.", no_args_is_help=True)


@app.command()
def vacuum() -> None:
    """Write the tables anew without what was erased; each is locked while that takes.

    Exits with 1 while an open transaction, a standby or a slot still sees erased rows.
    """
    from service import logs
    from service.settings import Settings
    from service.store.erasures import rewrite
    from service.store_wiring import direct_url, open_database

    logs.configure("WARNING")
    settings = Settings.read()
    with open_database(settings) as url:
        done = rewrite(direct_url(settings, url) or url, settings.database_timeout_s)
    typer.echo(f"{done.completed} erasures are out of the data files, {done.pending} are not yet")
    if done.pending:
        raise typer.Exit(1)
