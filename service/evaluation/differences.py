"""A comparison of two spaces as a table for a terminal, and as a JSON document."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product

from rich.console import Console
from rich.markup import escape

from service.evaluation.comparison import Answer, Compared, Judged
from service.evaluation.findings import figure, print_table
from service.evaluation.table import LOG_WIDTH


def as_json(compared: Compared) -> str:
    """`answers` by what the gallery's own space answers, then by what the other one does."""
    document = asdict(compared)
    document["answers"] = {
        own: {other: compared.answers.get((own, other), 0) for other in Answer} for own in Answer
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def print_differences(compared: Compared, console: Console) -> None:
    if not console.is_terminal:
        console.width = LOG_WIDTH
    for line in _summary(compared):
        console.print(escape(line), soft_wrap=True, highlight=False)
    print_table(
        console,
        "Faces that are answered differently",
        ("subject", "face", "own space", "similarity", "other space", "similarity"),
        [
            (each.subject, str(each.face_id), *_judged(each.own), *_judged(each.other))
            for each in compared.differences
        ],
    )


def _summary(compared: Compared) -> Iterator[str]:
    yield f"gallery '{compared.gallery}': {compared.faces} faces are embedded in both spaces"
    yield f"own space:   {compared.own}, threshold {compared.own_threshold:.4f}"
    yield f"other space: {compared.other}, threshold {compared.other_threshold:.4f}"
    if compared.only_own or compared.only_other:
        yield (
            f"only in the own one: {compared.only_own}, only in the other one: "
            f"{compared.only_other}; these are not compared"
        )
    for own, other in product(Answer, Answer):
        count = compared.answers.get((own, other), 0)
        if count:
            same = own if own is other else f"{own} in the own space, {other} in the other one"
            yield f"  {count}: {same}"


def _judged(each: Judged) -> tuple[str, str]:
    return each.answer, figure(each.similarity)
