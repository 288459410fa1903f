"""The report as one HTML page that loads nothing from anywhere."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from service.evaluation.plots import SERIES, det_plot, histogram_plot, roc_plot
from service.evaluation.report import Evaluation, limits_of_all, rows


def as_html(evaluation: Evaluation) -> str:
    """The page; file names and everything else that comes from outside is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("service.evaluation").joinpath("page.html.j2").read_text(encoding="utf-8")
    runs = evaluation.runs
    return environment.from_string(source).render(
        evaluation=evaluation,
        rows=list(rows(runs)),
        limits=limits_of_all(runs) if runs else [],
        roc=Markup(roc_plot(runs)) if runs else None,
        det=Markup(det_plot(runs)) if any(run.identification for run in runs) else None,
        histograms=[(run, Markup(histogram_plot(run, number))) for number, run in enumerate(runs)],
        series=range(len(SERIES)),
    )
