"""A progress bar on standard error, and the list of what was rejected."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from service.jobs.outcomes import Outcome, Verdict


def bar(unit: str) -> Progress:
    """Drawn on a terminal only; a log file gets the summary."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not Console(stderr=True).is_terminal,
    )


def summarise(outcomes: Iterable[Outcome], progress: Progress) -> None:
    """List every rejected item with its reason as it comes, then the totals.

    Exits with 1 when anything was rejected.
    """
    counts: Counter[Verdict] = Counter()
    for outcome in outcomes:
        counts[outcome.verdict] += 1
        if outcome.verdict is Verdict.REJECTED:
            line = f"rejected: {outcome.item}: {outcome.reason}"
            progress.console.print(escape(line), soft_wrap=True, highlight=False)
    progress.stop()
    typer.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict))
    if counts[Verdict.REJECTED]:
        raise typer.Exit(1)


@contextmanager
def transfer(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a callback for bytes done and in all, drawn as a bar on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
