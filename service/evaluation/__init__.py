"""How well the served path tells people apart, measured on labelled photographs; no database."""

from service.evaluation.labels import Labels, read_labels
from service.evaluation.report import Evaluation, Unmeasured
from service.evaluation.runs import Run, measure

__all__ = ["Evaluation", "Labels", "Run", "Unmeasured", "measure", "read_labels"]
