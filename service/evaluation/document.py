"""The report as a JSON document; docs/evaluation.md describes it."""

import json
import math
from dataclasses import asdict
from typing import Any

from service.evaluation.curves import Curve
from service.evaluation.identification import Identification
from service.evaluation.report import Evaluation, limits
from service.evaluation.runs import Run
from service.evaluation.scores import Histogram
from service.evaluation.verification import Verification


def as_json(evaluation: Evaluation) -> str:
    """One object: what was done, every run under `runs`, and the first run's keys at top level
    too, so that a script with one run need not look further."""
    runs = [_run(run) for run in evaluation.runs]
    document = {
        "command": evaluation.command,
        "folder": evaluation.folder,
        "labels": evaluation.labels,
        "made_at": evaluation.made_at,
        "versions": evaluation.versions,
        **(runs[0] if runs else {}),
        "runs": runs,
        "unmeasured": [asdict(each) for each in evaluation.unmeasured],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _run(run: Run) -> dict[str, Any]:
    return {
        "label": run.label,
        "engine": run.engine,
        "space": asdict(run.space),
        "photographs": run.photographs,
        **_verification(run.verification),
        "seconds_median": run.seconds.median,
        "seconds_95_percent": run.seconds.percentile_95,
        "seconds_slowest": run.seconds.slowest,
        "identification": None
        if run.identification is None
        else _identification(run.identification),
        "skipped_photographs": [asdict(each) for each in run.skipped],
        "unfit_for_enrolment": [asdict(each) for each in run.unfit],
        "lowest_genuine_pairs": [asdict(each) for each in run.lowest_genuine],
        "highest_impostor_pairs": [asdict(each) for each in run.highest_impostors],
        "limits": limits(run),
        "roc": _curve(run.verification.roc, "fmr", "tar"),
        "histogram": _histogram(run.histogram),
    }


def _verification(found: Verification) -> dict[str, Any]:
    return {
        "pairs": found.pairs,
        "skipped": found.skipped,
        "genuine": found.genuine,
        "impostors": found.impostors,
        "people": found.people,
        "default_threshold": found.default_threshold,
        "correct_at_default_threshold": found.correct_at_default_threshold,
        "accuracy_at_default_threshold": found.correct_at_default_threshold / found.pairs,
        "fmr_at_default_threshold": {**asdict(found.fmr), "rate": found.fmr.rate},
        "fnmr_at_default_threshold": {**asdict(found.fnmr), "rate": found.fnmr.rate},
        "best_accuracy": found.best_accuracy,
        "best_threshold": found.best_threshold,
        "margin": found.margin,
        "lowest_genuine": found.lowest_genuine,
        "highest_impostor": found.highest_impostor,
        "equal_error_rate": found.equal_error_rate,
        "tar_at_fmr": [asdict(point) for point in found.points],
        "tar_without_false_match": found.tar_without_false_match,
    }


def _identification(found: Identification) -> dict[str, Any]:
    return {
        "subjects": found.subjects,
        "faces": found.faces,
        "mated_searches": found.mated,
        "non_mated_searches": found.non_mated,
        "rank_1": found.rank_1,
        "rank_1_interval": asdict(found.rank_1_interval),
        "fnir_at_fpir": [asdict(point) for point in found.points],
        "fnir_without_false_positive": found.fnir_without_false_positive,
        "fpir_at_default_threshold": found.fpir_at_default,
        "fnir_at_default_threshold": found.fnir_at_default,
        "det": _curve(found.det, "fpir", "fnir"),
    }


def _curve(curve: Curve, x: str, y: str) -> dict[str, list[float | None]]:
    """A threshold above every score is null."""
    thresholds = [value if math.isfinite(value) else None for value in curve.thresholds.tolist()]
    return {x: curve.x.tolist(), y: curve.y.tolist(), "threshold": thresholds}


def _histogram(found: Histogram) -> dict[str, list[float]]:
    return {
        "edges": found.edges.tolist(),
        "genuine": found.genuine.tolist(),
        "impostors": found.impostors.tolist(),
    }
