"""The words of a report: figures side by side, and what the data cannot say."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from service.errors import InputFileInvalid
from service.evaluation import Evaluation, Run
from service.evaluation.files import check_writable, write
from service.evaluation.identification import identify, search_all
from service.evaluation.report import figures, limits, limits_of_all, percent, rows
from service.evaluation.table import print_table
from service.evaluation.templates import Refused
from service.evaluation.verification import Verification, verify
from tests.evaluation.test_identification import random_gallery
from tests.evaluation.test_verification import random_scores
from tests.evaluation.values import numbers, templates


def texts(run: Run) -> dict[str, str]:
    return {figure.title: figure.text for figure in figures(run)}


def with_verification(evaluation: Evaluation, found: Verification) -> Run:
    return replace(evaluation.runs[0], verification=found)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0 %"), (1, "100 %"), (0.974, "97.4 %"), (1e-4, "0.01 %"), (1 / 262, "0.38 %")],
)
def test_rates_have_the_digits_they_need(rate: float, text: str) -> None:
    assert percent(rate) == text


def test_every_run_has_its_column(evaluation: Evaluation) -> None:
    without = replace(evaluation.runs[1], identification=None)
    table = dict(rows((evaluation.runs[0], without)))
    assert table["pairs"] == ["15 (4 of one person)"] * 2
    assert table["rank-1"] == [texts(evaluation.runs[0])["rank-1"], "-"]


def test_few_impostors_are_said(evaluation: Evaluation) -> None:
    run = with_verification(evaluation, verify(random_scores(0, 50, 262), 0.4))
    said = texts(run)
    assert said["TAR at FMR 1 %"].endswith("rough")
    assert said["TAR at FMR 0.1 %"] == said["TAR at FMR 0.01 %"] == "too few impostors"
    sentences = " ".join(limits(run))
    assert "262 impostor pairs cannot show an FMR of 0.1 % or 0.01 %" in sentences
    assert "below 1.15 %" in sentences  # 3 / 262
    assert "TAR at FMR 1 % is rough" in sentences


def test_enough_impostors_are_not_called_few(evaluation: Evaluation) -> None:
    run = with_verification(evaluation, verify(random_scores(0, 50, 3_000), 0.4))
    assert not texts(run)["TAR at FMR 1 %"].endswith("rough")
    assert "TAR at FMR 1 %" not in " ".join(limits(run))


def test_few_searches_are_said(evaluation: Evaluation) -> None:
    (run, _) = evaluation.runs
    assert texts(run)["FNIR at FPIR 1 %"] == "too few searches"
    assert "6 non-mated searches cannot show an FPIR of 1 % or 0.1 %" in " ".join(limits(run))


def test_rough_identification_is_said(evaluation: Evaluation) -> None:
    vectors, people = random_gallery(0)
    searches = search_all(templates(vectors), numbers(*people))
    run = replace(evaluation.runs[0], identification=identify(searches, 0.7))
    assert texts(run)["FNIR at FPIR 1 %"].endswith("rough")
    assert "FNIR at FPIR 1 % is rough" in " ".join(limits(run))


def test_what_was_left_out_is_said(evaluation: Evaluation) -> None:
    run = replace(
        evaluation.runs[0],
        skipped=(Refused("x.jpg", "no face", ("no_face",)),),
        unfit=(
            Refused("y.jpg", "small, dark", ("too_small", "too_dark")),
            Refused("z.jpg", "dark", ("too_dark",)),
        ),
        contradictions=2,
        drawn=True,
        identification=None,
    )
    sentences = " ".join(limits(run))
    for part in (
        "No template came of 1 of 6 photographs",
        "make them one person: 2.",
        "drawn at random",
        "the labels name no people",
    ):
        assert part in sentences
    assert texts(run)["photographs"] == "5 (skipped: 1 (no_face 1))"
    assert texts(run)["enrolment would refuse"] == "2 (too_dark 2, too_small 1)"


def test_what_holds_for_one_run_alone_is_said_with_its_name(evaluation: Evaluation) -> None:
    one, other = evaluation.runs
    poor = replace(other, skipped=(Refused("x.jpg", "no face", ("no_face",)),))
    said = limits_of_all((one, poor))
    assert said == [*limits(one), f"{other.label}: {limits(poor)[-1]}"]
    assert limits_of_all((one, other)) == limits(one)


def printed(evaluation: Evaluation) -> str:
    out = io.StringIO()
    print_table(evaluation, Console(file=out))
    return out.getvalue()


def test_the_table_shows_runs_side_by_side_and_what_was_not_measured(
    evaluation: Evaluation,
) -> None:
    text = printed(evaluation)
    assert "Colour, native, skip  " in text
    assert "Colour, native, skip, onnxruntime" in text
    assert "not measured: Other: no weights" in text
    (line,) = (line for line in text.splitlines() if line.startswith("pairs right"))
    assert line.count("15 of 15 (100 %)") == 2
    # what holds for both runs is said once
    assert text.count("note: Identification was measured with 3 people") == 1


def test_names_are_no_markup_in_the_table(evaluation: Evaluation) -> None:
    run = replace(evaluation.runs[0], skipped=(Refused("[red]a[/red].jpg", "[/nothing]", ()),))
    assert "[red]a[/red].jpg: [/nothing]" in printed(replace(evaluation, runs=(run,)))


def test_a_report_that_cannot_be_written_is_found_out_first(tmp_path: Path) -> None:
    check_writable(None)
    check_writable(tmp_path / "new.json")
    with pytest.raises(InputFileInvalid, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(InputFileInvalid, match="there is no folder"):
        check_writable(tmp_path / "none" / "x.json")
    with pytest.raises(InputFileInvalid, match="cannot be written: Is a directory"):
        write(tmp_path, "text")
