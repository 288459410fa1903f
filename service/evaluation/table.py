"""The report as a table for a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.evaluation.report import Evaluation, limits_of_all, rows

LOG_WIDTH = 200
"""Columns where the output is no terminal, so that a file is not folded at 80."""


def print_table(evaluation: Evaluation, console: Console) -> None:
    """What was measured, a column a run, then what was skipped and what the data cannot say."""
    if not console.is_terminal:
        console.width = LOG_WIDTH
    if evaluation.runs:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("")
        for run in evaluation.runs:
            table.add_column(escape(run.label))
        for title, texts in rows(evaluation.runs):
            table.add_row(escape(title), *map(escape, texts))
        console.print(table)
    for line in _notes(evaluation):
        console.print(escape(line), soft_wrap=True, highlight=False)


def _notes(evaluation: Evaluation) -> Iterator[str]:
    for each in evaluation.unmeasured:
        yield f"not measured: {each.label}: {each.reason}"
    for run in evaluation.runs:
        for skipped in run.skipped:
            yield f"skipped ({run.label}): {skipped.name}: {skipped.reason}"
        for unfit in run.unfit:
            yield f"enrolment would refuse ({run.label}): {unfit.name}: {unfit.reason}"
    for sentence in limits_of_all(evaluation.runs) if evaluation.runs else ():
        yield f"note: {sentence}"
