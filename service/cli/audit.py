"""`facematch audit`: the record verified, anchored and shortened."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The record of changes and searches.", no_args_is_help=True)

MOST_DAYS = 100 * 366
"""So long ago there is still a date."""


@app.command()
def verify(
    anchors: Annotated[
        Path | None, typer.Option(help="A file of `facematch audit anchors` to hold against it.")
    ] = None,
) -> None:
    """Follow every chain of the record; exit 1 and name the first break where one does not hold."""
    from service import logs
    from service.audit import Audit
    from service.domain.audit import read_anchors
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables

    logs.configure("WARNING")
    kept = read_anchors(_text(anchors)) if anchors else []
    settings = Settings.read()
    broken = 0
    with open_database(settings) as url, open_tables(settings, url) as store:
        for chain in Audit(store).verify(kept):
            span = f"chain {chain.end.chain}: events {chain.start.seq + 1} to {chain.end.seq}"
            if chain.broken is None:
                typer.echo(f"{span} hold")
            else:
                broken += 1
                typer.echo(
                    f"{span} are broken at {chain.broken.seq}: {chain.broken.reason}", err=True
                )
    if broken:
        raise typer.Exit(1)


@app.command()
def anchors() -> None:
    """Print the end of every chain, a JSON line each: keep them out of the database's reach."""
    from service import logs
    from service.audit import Audit
    from service.domain.audit import anchor_line
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables

    logs.configure("WARNING")
    settings = Settings.read()
    with open_database(settings) as url, open_tables(settings, url) as store:
        for anchor in Audit(store).anchors():
            typer.echo(anchor_line(anchor))


@app.command()
def prune(
    older_than_days: Annotated[
        float,
        typer.Option(
            "--older-than-days", min=1, max=MOST_DAYS, help="Events older than so many days."
        ),
    ],
) -> None:
    """Delete old events behind an anchor on which the rest still hangs.

    A gallery with unmatched_lifetime_s keeps those that it needs to know whom a search has found.
    """
    from datetime import UTC, datetime, timedelta

    from service import logs
    from service.audit import Audit
    from service.domain.keys import trusted
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables

    logs.configure("WARNING")
    settings = Settings.read()
    before = datetime.now(UTC) - timedelta(days=older_than_days)
    with open_database(settings) as url, open_tables(settings, url) as store:
        done = Audit(store).prune(trusted("facematch audit prune"), before)
    typer.echo(f"{done.events} events deleted")
    for name, since in done.kept.items():
        typer.echo(
            f"gallery '{name}' keeps its events since {since:%Y-%m-%d}: they say whom a search has "
            "found, which its unmatched_lifetime_s asks for"
        )


def _text(path: Path) -> str:
    from service.errors import InputFileInvalid

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputFileInvalid(f"{path} is no text in UTF-8: {error}.") from error
