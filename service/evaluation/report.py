"""The report: what was measured, in words; tables, pages and files are made from it."""

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from service.evaluation.identification import Identification
from service.evaluation.intervals import Evidence, Interval, rule_of_three
from service.evaluation.runs import Run
from service.evaluation.templates import Refused
from service.evaluation.verification import ErrorRate, Verification


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A combination that could not be run, and why."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`labels` says where the labels came from, `made_at` is ISO 8601 with its zone, `versions`
    maps what took part in the measurement to its version."""

    command: str
    folder: str
    labels: str
    made_at: str
    versions: dict[str, str]
    runs: tuple[Run, ...]
    unmeasured: tuple[Unmeasured, ...]


PACKAGES = (
    "facematch",
    "numpy",
    "deepface",
    "dlib-bin",
    "onnxruntime",
    "opencv-contrib-python-headless",
)
"""Those whose version may change a score."""


def new_evaluation(
    command: str, folder: Path, labels: str, runs: Sequence[Run], unmeasured: Sequence[Unmeasured]
) -> Evaluation:
    """The evaluation that ends now, on this machine."""
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    made_at = datetime.now().astimezone().isoformat(timespec="seconds")
    return Evaluation(
        command, str(folder), labels, made_at, versions, tuple(runs), tuple(unmeasured)
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the tables. `title` is the same for every run that has it."""

    title: str
    text: str


TOO_FEW_IMPOSTORS = "too few impostors"
TOO_FEW_SEARCHES = "too few searches"


def percent(rate: float) -> str:
    """With as many digits as tell it from neighbours: 97.4 %, 0.38 %, 0.01 %."""
    digits = 1 if rate == 0 or rate >= 0.1 else 2
    return f"{100 * rate:.{digits}f}".rstrip("0").rstrip(".") + " %"


def figures(run: Run) -> list[Figure]:
    """Everything measured in a run, in the order of the tables."""
    return [
        Figure("photographs", _photographs(run)),
        Figure("enrolment would refuse", _counted(run.unfit)),
        *_verification(run.verification),
        *([] if run.identification is None else _identification(run.identification)),
        Figure("seconds a photograph, median", f"{run.seconds.median:.3f}"),
        Figure("seconds, 95 % / slowest", _slow(run)),
    ]


def rows(runs: tuple[Run, ...]) -> Iterator[tuple[str, list[str]]]:
    """The figures of several runs side by side; a dash where a run has none of that title."""
    texts = [{figure.title: figure.text for figure in figures(run)} for run in runs]
    titles = dict.fromkeys(figure.title for run in runs for figure in figures(run))
    for title in titles:
        yield title, [text.get(title, "-") for text in texts]


def _photographs(run: Run) -> str:
    measured = run.photographs - len(run.skipped)
    return f"{measured} (skipped: {_counted(run.skipped)})" if run.skipped else str(measured)


def _counted(refused: Sequence[Refused]) -> str:
    """How many, and how often each reason was among theirs."""
    counts = Counter(code for each in refused for code in each.codes)
    codes = ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))
    return f"{len(refused)} ({codes})" if codes else "0"


def _slow(run: Run) -> str:
    return f"{run.seconds.percentile_95:.3f} / {run.seconds.slowest:.3f}"


def _verification(found: Verification) -> Iterator[Figure]:
    skipped = f", {found.skipped} skipped" if found.skipped else ""
    yield Figure("pairs", f"{found.pairs} ({found.genuine} of one person{skipped})")
    yield Figure("default threshold", f"{found.default_threshold:.4g}")
    yield Figure(
        "pairs right at the default",
        f"{found.correct_at_default_threshold} of {found.pairs} "
        f"({percent(found.correct_at_default_threshold / found.pairs)})",
    )
    yield Figure("FMR at the default", _error_rate(found.fmr))
    yield Figure("FNMR at the default", _error_rate(found.fnmr))
    yield Figure("best accuracy", f"{percent(found.best_accuracy)} at {found.best_threshold:.4f}")
    yield Figure("margin", f"{found.margin:+.4f}")
    yield Figure("lowest of one person", f"{found.lowest_genuine:.4f}")
    yield Figure("highest of two people", f"{found.highest_impostor:.4f}")
    yield Figure("equal error rate", percent(found.equal_error_rate))
    for point in found.points:
        text = TOO_FEW_IMPOSTORS
        if point.tar is not None:
            text = _rough(f"{percent(point.tar)} {_range(point.interval)}", point.evidence)
        yield Figure(f"TAR at FMR {percent(point.fmr)}", text)
    yield Figure("TAR without a false match", percent(found.tar_without_false_match))


def _identification(found: Identification) -> Iterator[Figure]:
    yield Figure("gallery", f"{found.subjects} people, {found.faces} faces")
    yield Figure("searches, mated / non-mated", f"{found.mated} / {found.non_mated}")
    yield Figure("rank-1", f"{percent(found.rank_1)} {_range(found.rank_1_interval)}")
    for point in found.points:
        text = TOO_FEW_SEARCHES
        if point.fnir is not None:
            text = _rough(f"{percent(point.fnir)} {_range(point.interval)}", point.evidence)
        yield Figure(f"FNIR at FPIR {percent(point.fpir)}", text)
    yield Figure("FNIR without a false positive", percent(found.fnir_without_false_positive))
    yield Figure("FPIR at the default", percent(found.fpir_at_default))
    yield Figure("FNIR at the default", percent(found.fnir_at_default))


def _error_rate(found: ErrorRate) -> str:
    return f"{percent(found.rate)} {_range(found.interval)}"


def _range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"[{percent(interval.low).removesuffix(' %')} to {percent(interval.high)}]"


def _rough(text: str, evidence: Evidence) -> str:
    return f"{text}, rough" if evidence is Evidence.FEW else text


def limits_of_all(runs: Sequence[Run]) -> list[str]:
    """What the photographs cannot say: what holds for every run once, the rest with its run."""
    of_each = [(run, limits(run)) for run in runs]
    common = [each for each in of_each[0][1] if all(each in said for _, said in of_each)]
    return common + [
        f"{run.label}: {sentence}"
        for run, said in of_each
        for sentence in said
        if sentence not in common
    ]


def limits(run: Run) -> list[str]:
    """What these photographs cannot say, a sentence or two each."""
    found = run.verification
    said = [
        f"{found.people} people, {found.genuine} pairs of one person and {found.impostors} of two. "
        "Square brackets hold 95 % intervals that count people, not pairs: the wider of a "
        "bootstrap over people and Wilson's interval.",
        *_impostor_limits(found),
        *([] if run.identification is None else _search_limits(run.identification)),
        "The best accuracy and its threshold are picked on these very photographs, so they "
        "flatter; the default threshold is the model's.",
    ]
    if run.identification is None:
        said.append("Identification was not measured: the labels name no people to search for.")
    if run.drawn:
        said.append("There are more pairs than can be compared; these were drawn at random.")
    if run.skipped:
        said.append(
            f"No template came of {len(run.skipped)} of {run.photographs} photographs. Their pairs "
            "count as not right at the default threshold, and are missing from every other rate."
        )
    if run.contradictions:
        said.append(
            "Pairs labelled as two people though other labels make them one person: "
            f"{run.contradictions}. Look at the labels."
        )
    return said


def _impostor_limits(found: Verification) -> Iterator[str]:
    trials = found.impostors
    none = [percent(point.fmr) for point in found.points if point.evidence is Evidence.NONE]
    few = [percent(point.fmr) for point in found.points if point.evidence is Evidence.FEW]
    if none:
        yield (
            f"{trials} impostor pairs cannot show an FMR of {' or '.join(none)}: one false match "
            f"among them is {percent(1 / trials)}. A threshold without any false match here has "
            f"an FMR below {percent(rule_of_three(trials))} (rule of 3), if the pairs were "
            "independent, which pairs that share a person are not."
        )
    if few:
        yield (
            f"TAR at FMR {' and '.join(few)} is rough: fewer than 30 false matches decide it "
            "(rule of 30)."
        )


def _search_limits(found: Identification) -> Iterator[str]:
    yield (
        f"Identification was measured with {found.subjects} people; FPIR and FNIR grow with the "
        "gallery, so these are not the rates of a larger one."
    )
    none = [percent(point.fpir) for point in found.points if point.evidence is Evidence.NONE]
    few = [percent(point.fpir) for point in found.points if point.evidence is Evidence.FEW]
    if none:
        yield (
            f"{found.non_mated} non-mated searches cannot show an FPIR of {' or '.join(none)}. A "
            "threshold without any false positive here has an FPIR below "
            f"{percent(rule_of_three(found.non_mated))} (rule of 3)."
        )
    if few:
        yield f"FNIR at FPIR {' and '.join(few)} is rough: fewer than 30 false positives decide it."
