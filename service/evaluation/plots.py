"""Plots as SVG to stand in an HTML page; Matplotlib lives here."""

import io
import re
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from service.evaluation.curves import Curve
from service.evaluation.report import percent
from service.evaluation.runs import Run
from service.evaluation.scores import Histogram

INK, FAINT, GENUINE, IMPOSTOR = "#010203", "#010204", "#010205", "#010206"
SERIES = ("#020301", "#020302", "#020303", "#020304", "#020305", "#020306")
"""Stand-ins: the page gives them their colours, other ones in light and in dark."""
VARIABLES = {
    INK: "--ink",
    FAINT: "--faint",
    GENUINE: "--genuine",
    IMPOSTOR: "--impostor",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES)},
}
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (8, 2)))
"""So that colour is not all that tells runs apart."""

STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
}
SIZE = (6.4, 4.2)
"""Inches, at 72 units each; the page scales them."""
LINE = 0.26
"""Inches that a line of a legend takes."""


def roc_plot(runs: Sequence[Run]) -> str:
    """TAR over FMR, logarithmic in FMR, from one impostor on."""
    curves = [run.verification.roc for run in runs]
    lowest = min(0.5 / run.verification.impostors for run in runs)

    def draw(axes: Axes) -> None:
        _steps(axes, runs, curves, lowest)
        floor = min(_height_at(curve, lowest) for curve in curves)
        bottom = max(0.0, floor - 0.05 - (1 - floor) * 0.2)
        axes.set_ylim(bottom, 1 + 0.04 * (1 - bottom))  # room for a line at 1, and no tick above
        axes.set_xlabel("false match rate (FMR)")
        axes.set_ylabel("true accept rate (TAR)")
        axes.yaxis.set_major_formatter(_percents())

    return _svg("roc", draw, lines_below=len(runs))


def det_plot(runs: Sequence[Run]) -> str:
    """FNIR over FPIR of the runs that have identification, both logarithmic."""
    chosen = [run for run in runs if run.identification]
    found = [run.identification for run in chosen if run.identification]
    lowest = min(0.5 / each.non_mated for each in found)
    least = min(0.5 / each.mated for each in found)

    def draw(axes: Axes) -> None:
        raised = [
            Curve(each.det.x, np.maximum(each.det.y, least), each.det.thresholds) for each in found
        ]
        _steps(axes, chosen, raised, lowest)
        axes.set_yscale("log")
        axes.set_ylim(least * 0.9, 1.1)
        axes.set_xlabel("false positive identification rate (FPIR)")
        axes.set_ylabel("false negative identification rate (FNIR)")
        axes.yaxis.set_major_formatter(_percents())
        axes.yaxis.set_minor_formatter(NullFormatter())

    return _svg("det", draw, lines_below=len(chosen))


def histogram_plot(run: Run, number: int) -> str:
    """Shares of scores by similarity, of one person above and of two people below the line."""
    found = run.histogram
    threshold = run.verification.default_threshold

    def draw(axes: Axes) -> None:
        for shares, colour, label in (
            (found.genuine, GENUINE, f"one person ({run.verification.genuine} pairs)"),
            (-found.impostors, IMPOSTOR, f"two people ({run.verification.impostors} pairs)"),
        ):
            axes.stairs(shares, found.edges, fill=True, color=colour, label=label)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(threshold, color=INK, linewidth=1.2, linestyle="--")
        top = 1.15 * max(found.genuine.max(), found.impostors.max())
        axes.set_ylim(-top, top)
        right = threshold > _far_right(found)
        axes.annotate(
            f"threshold {threshold:.4g}",
            (threshold, -top),
            xytext=(-5 if right else 5, 3),
            textcoords="offset points",
            ha="right" if right else "left",
        )
        axes.set_xlabel("similarity")
        axes.set_ylabel("share of the pairs of that kind")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(abs(value))))
        # pairs of one person lie to the right, so this corner is the free one
        axes.legend(loc="upper left")

    return _svg(f"scores-{number}", draw)


def _far_right(found: Histogram) -> float:
    """A similarity so far to the right that no words fit between it and the edge."""
    return float(found.edges[0] + 0.75 * (found.edges[-1] - found.edges[0]))


def _steps(axes: Axes, runs: Sequence[Run], curves: Sequence[Curve], lowest: float) -> None:
    """Step curves over a logarithmic axis that begins at `lowest`; nothing lies left of it."""
    styles = zip(cycle(SERIES), cycle(DASHES), strict=False)
    for run, curve, (colour, dash) in zip(runs, curves, styles, strict=False):
        x = np.maximum(curve.x, lowest)
        axes.plot(
            x, curve.y, color=colour, linestyle=dash, linewidth=2, drawstyle="steps-post",
            label=run.label,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(lowest, 1)
    axes.xaxis.set_major_formatter(_percents())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _height_at(curve: Curve, x: float) -> float:
    return float(curve.y[curve.x <= x].max(initial=0.0))


def _percents() -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{100 * value:.6g} %")


def _svg(name: str, draw: Callable[[Axes], None], *, lines_below: int = 0) -> str:
    """Draw on axes of their own; `name` makes the ids in it unlike those of other plots, and
    `lines_below` makes room for a legend that would cover curves inside."""
    width, height = SIZE
    with mpl.rc_context(STYLE), mpl.rc_context({"svg.hashsalt": name}):
        figure = Figure(figsize=(width, height + LINE * lines_below), layout="constrained")
        draw(figure.subplots())
        if lines_below:
            figure.legend(loc="outside lower left")
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _inline(out.getvalue(), name)


def _inline(svg: str, name: str) -> str:
    """Without what HTML has no use for, every id of its own, colours as the page's variables."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \g<1> role="img">', text, count=1)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return text
