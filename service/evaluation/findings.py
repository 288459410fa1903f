"""An inspection as tables for a terminal, and as a JSON document."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.evaluation.inspection import DoubtfulFace, Inspection
from service.evaluation.table import LOG_WIDTH

SHOWN = 50
"""Rows of each table; the document has all."""

Rows = Sequence[tuple[str, ...]]


def as_json(inspection: Inspection) -> str:
    document = asdict(inspection) | {"well": inspection.well}
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def print_findings(inspection: Inspection, console: Console) -> None:
    """The most doubtful first; tables that would be empty are left out."""
    if not console.is_terminal:
        console.width = LOG_WIDTH
    for line in _summary(inspection):
        console.print(escape(line), soft_wrap=True, highlight=False)
    print_table(
        console,
        "Faces that resemble another subject more than their own (mislabelled?)",
        ("subject", "photograph", "face", "own", "resembles", "similarity"),
        [
            (*_face(each), each.resembles or "", figure(each.similarity))
            for each in inspection.mislabelled
        ],
    )
    print_table(
        console,
        "Subjects that look like one person (enrolled twice, or twins)",
        ("subject", "subject", "similarity"),
        [(each.one, each.other, figure(each.similarity)) for each in inspection.one_person],
    )
    print_table(
        console,
        "Photographs far from their subject's others (bad picture, or somebody else)",
        ("subject", "photograph", "face", "own"),
        [_face(each) for each in inspection.outliers],
    )


def _summary(inspection: Inspection) -> Iterator[str]:
    yield (
        f"gallery '{inspection.gallery}': {inspection.faces} faces of {inspection.subjects} "
        f"subjects, threshold {inspection.threshold:.4f}"
    )
    if inspection.ceiling is not None:
        margin = inspection.threshold - inspection.ceiling
        yield (
            f"impostor ceiling {inspection.ceiling:.4f}, "
            f"{abs(margin):.4f} {'below' if margin > 0 else 'above'} the threshold"
        )
    if inspection.well:
        yield "nothing doubtful was found"


def _face(each: DoubtfulFace) -> tuple[str, ...]:
    return each.subject, each.image or "", str(each.face_id), figure(each.own_similarity)


def figure(similarity: float | None) -> str:
    return "" if similarity is None else f"{similarity:.4f}"


def print_table(console: Console, title: str, columns: Iterable[str], rows: Rows) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(*map(escape, row))
    console.print(f"\n{escape(title)}: {len(rows)}", highlight=False)
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more; --json lists all", highlight=False)
