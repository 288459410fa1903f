"""`facematch gallery export` and `import`: a gallery in one portable file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.domain.exports import Totals


def export_gallery(
    name: Annotated[str, typer.Argument(help="Name of the gallery.", metavar="GALLERY")],
    file: Annotated[Path, typer.Argument(help="File to write; .gz packs it; - is the pipe.")],
    photographs: Annotated[
        bool, typer.Option("--photographs", help="With the kept photographs, not sealed any more.")
    ] = False,
) -> None:
    """Write a gallery with every subject, face and embedding into a portable file.

    The file holds biometric data: it is readable by you alone; keep it so. Noted in the record.
    """
    from service import logs
    from service.cli.progress import bar
    from service.domain.keys import trusted
    from service.exports import Export
    from service.exports.files import PIPE, written
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables
    from service.wiring import photograph_keys

    if file == PIPE and sys.stdout.isatty():
        raise typer.BadParameter("the export is not for a terminal: send it into a pipe or a file")
    logs.configure("WARNING")
    settings = Settings.read()
    keys = photograph_keys(settings)
    with (
        open_database(settings) as url,
        open_tables(settings, url) as store,
        written(file) as out,
        bar("faces") as shown,
    ):
        task = shown.add_task("exporting", total=None)
        totals = Export(store, photographs, keys).run(
            trusted("facematch gallery export"),
            name,
            out,
            lambda done, total: shown.update(task, completed=done, total=total),
        )
    typer.echo(f"gallery '{name}': {_told(totals)} exported", err=file == PIPE)


def import_gallery(
    file: Annotated[Path, typer.Argument(help="A file of `facematch gallery export`, or -.")],
    name: Annotated[
        str | None, typer.Option("--as", help="Name of the new gallery; else the exported one's.")
    ] = None,
) -> None:
    """Make a gallery of an exported one; of a file that is damaged or cut off, nothing.

    Where the gallery keeps photographs, a key must be here to seal them with.
    """
    from service import logs
    from service.cli.progress import bar
    from service.domain.keys import trusted
    from service.exports import Import, Reader
    from service.exports.files import opened
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables
    from service.wiring import photograph_keys

    logs.configure("WARNING")
    settings = Settings.read()
    keys = photograph_keys(settings)
    with (
        opened(file) as content,
        open_database(settings) as url,
        open_tables(settings, url) as store,
        bar("faces") as shown,
    ):
        task = shown.add_task("importing", total=None)
        done = Import(store).run(
            trusted("facematch gallery import"),
            Reader(content, str(file), keys),
            name,
            lambda done, total: shown.update(task, completed=done, total=total),
        )
    typer.echo(f"gallery '{done.name}': {_told(done.totals)} imported")
    keeping, without = done.header.settings.rules.keep_photographs, done.totals.without_photograph
    if keeping != "none" and without:
        typer.echo(
            f"{without} faces came without a photograph; the gallery keeps {keeping} of those that "
            "are enrolled from now on",
            err=True,
        )


def _told(totals: "Totals") -> str:
    told = f"{totals.faces} faces of {totals.subjects} subjects"
    return f"{told} with {totals.photographs} photographs" if totals.photographs else told
