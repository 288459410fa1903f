"""`facematch evaluate`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from service.evaluation import Evaluation, Labels, Run
    from service.settings import Settings


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder of labelled photographs.")],
    pairs: Annotated[
        Path | None, typer.Option(help="CSV file image_a,image_b,same_person.")
    ] = None,
    identities: Annotated[Path | None, typer.Option(help="CSV file image,person.")] = None,
    by_folder: Annotated[
        bool, typer.Option("--by-folder", help="A sub-folder per person.")
    ] = False,
    model: Annotated[
        list[str] | None, typer.Option(help="Recognition model; MODEL_NAME. Repeatable.")
    ] = None,
    alignment: Annotated[
        list[str] | None, typer.Option(help="native or deepface; ALIGNMENT. Repeatable.")
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option(help="Face detector; DETECTOR. Repeatable.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help="What runs the model; ENGINE. Repeatable.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with plots there.")] = None,
) -> None:
    """Measure recognition on labelled photographs, by the served path, without a database.

    Every combination of the repeatable options is measured. Without --pairs, --identities and
    --by-folder, pairs.csv and identities.csv in the folder say who is who, else sub-folders do.
    Exits with 1 when a combination could not be measured.
    """
    if by_folder and (pairs or identities):
        raise typer.BadParameter("--by-folder goes without --pairs and --identities")
    from service import logs
    from service.evaluation import read_labels
    from service.evaluation.files import check_writable

    logs.configure("WARNING")
    settings = list(_combinations(model, alignment, detector, engine))
    for path in (json, html):
        check_writable(path)
    labels = read_labels(folder, pairs=pairs, identities=identities, by_folder=by_folder)
    typer.echo(f"labels: {labels.source}, {len(labels.photographs)} photographs", err=True)
    evaluation = _measured(folder, labels, settings)
    _write(evaluation, json, html)
    if evaluation.unmeasured:
        raise typer.Exit(1)


def _combinations(*options: list[str] | None) -> Iterator["Settings"]:
    """The settings of each combination; a name that does not exist ends the command at once."""
    from itertools import product

    from service.model_wiring import check_names
    from service.settings import Settings

    chosen: list[Sequence[str | None]] = [option or [None] for option in options]
    for model, alignment, detector, engine in product(*chosen):
        settings = Settings.read(
            model_name=model, alignment=alignment, detector=detector, engine=engine
        )
        check_names(settings)
        yield settings


def _measured(folder: Path, labels: "Labels", settings: Sequence["Settings"]) -> "Evaluation":
    """Run the combinations one after the other: one model is in memory at a time. Weights that
    could not be had for one are not asked for again.

    Raises:
        StartupError: there is only one combination, or none of them can be run.
    """
    import shlex
    import sys

    from service.cli.progress import bar
    from service.errors import StartupError, WeightsMissing
    from service.evaluation.report import Unmeasured, new_evaluation

    runs: list[Run] = []
    unmeasured: list[Unmeasured] = []
    missing: dict[tuple[str, str], WeightsMissing] = {}
    first: StartupError | None = None
    with bar("photographs") as shown:
        for each in settings:
            weights = (each.model_name, each.engine)
            try:
                if weights in missing:
                    raise missing[weights]
                runs.append(_run(labels, each, shown))
            except StartupError as error:
                if isinstance(error, WeightsMissing):
                    missing[weights] = error
                first = first or error
                unmeasured.append(Unmeasured(_label(each), str(error)))
    if first and not runs:
        raise first
    command = shlex.join(["facematch", *sys.argv[1:]])
    return new_evaluation(command, folder, labels.source, runs, unmeasured)


def _run(labels: "Labels", settings: "Settings", shown: "Progress") -> "Run":
    from service.evaluation import measure
    from service.model_wiring import open_model

    task = shown.add_task(_label(settings), total=len(labels.photographs))
    try:
        with open_model(settings) as loaded:
            return measure(
                loaded.analyser,
                loaded.limits,
                loaded.quality,
                labels,
                settings.engine,
                lambda: shown.advance(task),
            )
    finally:
        shown.stop_task(task)


def _label(settings: "Settings") -> str:
    named = (settings.model_name, settings.alignment, settings.detector)
    engine = None if settings.engine == "auto" else settings.engine
    return ", ".join(name for name in (*named, engine) if name)


def _write(evaluation: "Evaluation", json: Path | None, html: Path | None) -> None:
    from rich.console import Console

    from service.evaluation.files import write
    from service.evaluation.table import print_table

    print_table(evaluation, Console())
    if json:
        from service.evaluation.document import as_json

        write(json, as_json(evaluation))
    if html:
        from service.evaluation.page import as_html

        write(html, as_html(evaluation))
