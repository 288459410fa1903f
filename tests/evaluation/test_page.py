"""The HTML page: whole, loading nothing, and nobody's file name is part of it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from service.evaluation import Evaluation, Unmeasured
from service.evaluation.page import as_html
from service.evaluation.plots import VARIABLES
from service.evaluation.runs import HardPair
from service.evaluation.templates import Refused
from tests.evaluation.conftest import NASTY


class Page(HTMLParser):
    """Every element with its attributes, the ids, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [given[name] or "" for _, given in self.elements if name in given]


@pytest.fixture
def html(evaluation: Evaluation) -> str:
    return as_html(evaluation)


def test_the_page_loads_nothing(html: str) -> None:
    page = Page(html)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "image"}
    assert not re.search(r"https?:|//[a-z]|@import|data:", html)
    assert page.attributes("src") == []
    assert all(reference.startswith("#") for reference in page.attributes("href"))
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert "default-src 'none'" in page.attributes("content")[0]


def test_no_axis_goes_beyond_all_of_them(html: str) -> None:
    ticks = [float(text) for text in re.findall(r"([0-9.]+) %</text>", html)]
    assert max(ticks) == 100


def test_every_reference_leads_somewhere_and_no_id_is_there_twice(html: str) -> None:
    page = Page(html)
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    references = {*page.attributes("href"), *re.findall(r"url\(([^)]*)\)", html)}
    assert references
    assert references <= {f"#{each}" for each in ids}


def test_plots_take_their_colours_from_the_page(html: str) -> None:
    """Light and dark: no stand-in is left, and every variable used has a value in both."""
    assert not [colour for colour in VARIABLES if colour in html]
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", html))
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    for variable in used:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark


def test_the_page_says_what_was_measured(html: str, evaluation: Evaluation) -> None:
    text = Page(html).text
    assert evaluation.command in text
    assert "0" * 64 in text
    assert "numpy" in text
    assert "Not measured: Other." in text
    assert "What these photographs can and cannot say" in text
    for run in evaluation.runs:
        assert run.label in text
    assert html.count("<svg") == 4  # ROC, DET and two histograms


def test_without_people_there_is_no_det(evaluation: Evaluation) -> None:
    runs = tuple(replace(run, identification=None) for run in evaluation.runs)
    html = as_html(replace(evaluation, runs=runs))
    assert html.count("<svg") == 3
    assert "Identification was not measured" in Page(html).text


def test_names_from_outside_are_text(evaluation: Evaluation) -> None:
    run = replace(
        evaluation.runs[0],
        skipped=(Refused(NASTY, NASTY, ()),),
        unfit=(Refused(NASTY, NASTY, ()),),
        lowest_genuine=(HardPair(NASTY, NASTY, 0.5),),
    )
    html = as_html(
        replace(
            evaluation,
            runs=(run,),
            command=NASTY,
            folder=NASTY,
            labels=NASTY,
            unmeasured=(Unmeasured(NASTY, NASTY),),
        )
    )
    page = Page(html)
    assert "img" not in {tag for tag, _ in page.elements}
    assert page.text.count(NASTY) == 11
    assert "<img" not in html


def test_the_page_is_utf_8_and_keeps_strange_names(evaluation: Evaluation, tmp_path: Path) -> None:
    run = replace(evaluation.runs[0], skipped=(Refused("Zoë 顔.jpg", "no face", ()),))
    (tmp_path / "report.html").write_text(as_html(replace(evaluation, runs=(run,))), "utf-8")
    assert "Zoë 顔.jpg" in (tmp_path / "report.html").read_text("utf-8")
