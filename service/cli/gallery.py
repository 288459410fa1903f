"""`facematch gallery` and `facematch calibrate`: looking after a gallery's faces and threshold."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.evaluation.calibration import Calibrated
    from service.evaluation.enrolled import Enrolled
    from service.ports import Store

app = typer.Typer(help="What a gallery holds.", no_args_is_help=True)

SUSPECTS_SHOWN = 50

Name = Annotated[str, typer.Argument(help="Name of the gallery.", metavar="GALLERY")]

OtherSpace = Annotated[
    bool,
    typer.Option("--other-space", help="In the second space that `gallery reembed` gave it."),
]


@app.command()
def check(
    name: Name,
    json: Annotated[Path | None, typer.Option(help="Write every finding to this file.")] = None,
    other_space: OtherSpace = False,
) -> None:
    """Find faces and subjects that look like mistakes: mislabelled, enrolled twice, outliers.

    Loads no model and changes nothing. Exits with 1 when something was found.
    """
    from rich.console import Console

    from service.cli.progress import bar
    from service.evaluation.files import check_writable, write
    from service.evaluation.findings import as_json, print_findings
    from service.evaluation.inspection import inspect

    check_writable(json)
    with _opened(name, other_space=other_space) as (store, enrolled), bar("faces") as shown:
        task = shown.add_task("comparing", total=len(enrolled))
        inspection = inspect(enrolled, store, lambda done: shown.advance(task, done))
    if json:
        write(json, as_json(inspection))
    print_findings(inspection, Console())
    if not inspection.well:
        raise typer.Exit(1)


def calibrate(
    name: Name,
    fpir: Annotated[
        float, typer.Option(help="Wanted share of strangers that get an answer, above 0.")
    ] = 0.001,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be stored; change nothing.")
    ] = False,
    ignore_suspects: Annotated[
        bool,
        typer.Option("--ignore-suspects", help="Take suspected pairs for one person each."),
    ] = False,
    other_space: OtherSpace = False,
) -> None:
    """Set the threshold of a gallery from its own impostor scores, for a wanted FPIR.

    Loads no model. Running replicas decide by the new threshold from their next answer on.
    """
    from service.cli.progress import bar
    from service.domain.keys import trusted
    from service.evaluation.calibration import calibrate as measured

    if not 0 < fpir < 1:
        raise typer.BadParameter("--fpir lies between 0 and 1, for example 0.001")
    with _opened(name, other_space=other_space) as (store, enrolled):
        with bar("faces") as shown:
            task = shown.add_task("comparing", total=len(enrolled))
            found = measured(
                enrolled,
                fpir,
                ignore_suspects=ignore_suspects,
                advance=lambda done: shown.advance(task, done),
            )
        for line in _lines(found, enrolled, store, ignore_suspects):
            typer.echo(line)
        if dry_run:
            typer.echo("dry run: nothing was changed")
            return
        store.write(
            lambda tx: tx.calibrate(enrolled.gallery, found.calibration),
            by=trusted("facematch calibrate"),
        )
    typer.echo("stored with its evidence")


@contextmanager
def _opened(name: str, *, other_space: bool) -> Iterator[tuple["Store", "Enrolled"]]:
    """The store, and the gallery's faces read from it."""
    from service import logs
    from service.evaluation.enrolled import read_enrolled
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables

    logs.configure("WARNING")
    settings = Settings.read()
    with open_database(settings) as url, open_tables(settings, url) as store:
        yield store, read_enrolled(store, name, other_space=other_space)


def _lines(
    found: "Calibrated", enrolled: "Enrolled", store: "Store", ignored: bool
) -> Iterator[str]:
    made = found.calibration
    yield f"gallery '{enrolled.gallery.name}': {made.faces} faces of {made.subjects} people"
    yield (
        f"threshold {made.threshold:.4f} [{made.low:.4f} to {made.high:.4f}] for FPIR "
        f"{made.fpir:g} (now {enrolled.gallery.threshold:.4f}); highest impostor score "
        f"{found.highest:.4f}"
    )
    if found.extrapolated:
        yield (
            f"note: FPIR {made.fpir:g} is extrapolated: it is less than one false positive among "
            f"{made.subjects} people; the interval says how far chance may have moved the threshold"
        )
    yield from _suspects(found, enrolled, store, ignored)


def _suspects(
    found: "Calibrated", enrolled: "Enrolled", store: "Store", ignored: bool
) -> Iterator[str]:
    if not found.suspects:
        return
    ids = {number: enrolled.subject_id(number) for pair in found.suspects for number in pair.both}
    with store.transaction(read_only=True) as tx:
        names = tx.subject_names(list(ids.values()))
    for pair in found.suspects[:SUSPECTS_SHOWN]:
        one, other = (names.get(ids[number], str(ids[number])) for number in pair.both)
        yield f"suspect: '{one}' and '{other}' are one person? similarity {pair.similarity:.4f}"
    if len(found.suspects) > SUSPECTS_SHOWN:
        yield f"and {len(found.suspects) - SUSPECTS_SHOWN} more suspected pairs"
    if ignored:
        yield "note: these pairs were taken for one person each"
    else:
        yield (
            "note: if these are one person each, the threshold is too high: delete one of each "
            "pair and calibrate again, or use --ignore-suspects"
        )
