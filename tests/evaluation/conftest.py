from pathlib import Path

import pytest

from service.evaluation import Evaluation, Unmeasured, measure
from service.evaluation.report import new_evaluation
from tests.evaluation.values import ANY_QUALITY, LIMITS, ColourAnalyser, colour_labels

NASTY = '<img src="http://example.org/x.png" onerror=alert(1)>&amp;'
"""What a file, a folder or a reason may be called. No `/` can stand in a file's name."""


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Colours measured by hand-made vectors, in two runs, with a third that could not be made."""
    labels = colour_labels(tmp_path)
    runs = [
        measure(ColourAnalyser(), LIMITS, ANY_QUALITY, labels, engine)
        for engine in ("auto", "onnxruntime")
    ]
    return new_evaluation(
        "facematch evaluate x", tmp_path, labels.source, runs, [Unmeasured("Other", "no weights")]
    )
