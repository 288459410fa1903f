"""`facematch photographs`: what galleries keep of enrolled photographs, and under which keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from service.domain.keys import trusted
from service.domain.photographs import Keeping

if TYPE_CHECKING:
    from service.photographs import Kept, Photographs

app = typer.Typer(help="Photographs that galleries keep, sealed.", no_args_is_help=True)

CALLER = trusted("facematch photographs")

Name = Annotated[str, typer.Argument(help="Name of the gallery.", metavar="GALLERY")]


@app.command("new-key")
def new_key() -> None:
    """Make a key and put it first into the file photograph.keys of FACEMATCH_HOME.

    Where PHOTOGRAPH_KEYS is set the file is not read: the key is printed, to be put in front there.
    """
    from service.photograph_keys import PhotographKey, put_first
    from service.settings import Settings

    settings = Settings.read()
    key = PhotographKey.new()
    if settings.photograph_keys is not None:
        typer.echo("Put it in front of the others in PHOTOGRAPH_KEYS, with a comma:", err=True)
        typer.echo(key.text)
        return
    path = put_first(settings.facematch_home, key)
    typer.echo(f"{path}: the key {key.id} seals from the next start on; keep a copy elsewhere")


@app.command()
def keep(
    name: Name,
    kind: Annotated[Keeping, typer.Argument(help="What to keep of what is enrolled from now on.")],
) -> None:
    """Have a gallery keep enrolled photographs; what it kept of another kind is deleted.

    Safe to stop and run again. Once it says so, no row holds what was kept before.
    """
    with _opened() as photographs:
        typer.echo(_line(photographs.keep(CALLER, name, kind)))


@app.command()
def status(name: Name) -> None:
    """Say how many photographs a gallery keeps, and under which keys.

    Exits with 1 when a key is not here that seals some of them.
    """
    with _opened() as photographs:
        kept = photographs.kept(CALLER, name)
    typer.echo(_line(kept))
    for key_id, count in kept.by_key.items():
        note = " (this key is not here)" if key_id in kept.missing else ""
        typer.echo(f"  {count} under key {key_id}{note}")
    if kept.unkept:
        typer.echo(f"  {kept.unkept} that it does not keep any more are still to be deleted")
    if kept.missing:
        raise typer.Exit(1)


@app.command()
def rotate() -> None:
    """Seal every kept photograph with the first key; afterwards the others are not needed."""
    from service.cli.progress import bar
    from service.errors import PhotographDamaged

    with _opened() as photographs, bar("photographs") as shown:
        task = shown.add_task("sealing", total=None)
        done = photographs.rotate(
            CALLER, lambda done, total: shown.update(task, completed=done, total=total)
        )
    typer.echo(f"{done.done} photographs were sealed anew with the key {done.key_id}")
    for face_id in done.damaged:
        typer.echo(PhotographDamaged(face_id), err=True)
    if done.left > len(done.damaged):
        came = done.left - len(done.damaged)
        typer.echo(f"{came} came under another key meanwhile: run it again", err=True)
    if done.left:
        raise typer.Exit(1)


def _line(kept: "Kept") -> str:
    keeping = kept.gallery.rules.keep_photographs
    return (
        f"gallery '{kept.gallery.name}' keeps {keeping}: {sum(kept.by_key.values())} photographs "
        f"of {kept.faces} faces"
    )


@contextmanager
def _opened() -> Iterator["Photographs"]:
    from service import logs
    from service.photographs import Photographs
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables
    from service.wiring import photograph_keys

    logs.configure("WARNING")
    settings = Settings.read()
    keys = photograph_keys(settings)
    with open_database(settings) as url, open_tables(settings, url) as store:
        yield Photographs(store, keys)
