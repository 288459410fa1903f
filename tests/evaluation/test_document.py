"""The JSON document: strict, complete, the first run at top level too."""

import json
from dataclasses import replace
from typing import Any

import pytest

from service.evaluation import Evaluation
from service.evaluation.document import as_json

PROMISED = {
    "pairs",
    "skipped",
    "correct_at_default_threshold",
    "default_threshold",
    "best_accuracy",
    "margin",
    "seconds_median",
}


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


@pytest.fixture
def document(evaluation: Evaluation) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(as_json(evaluation), parse_constant=refuse)
    return read


def test_the_first_run_stands_at_top_level(document: dict[str, Any]) -> None:
    assert set(document) >= PROMISED
    assert len(document["runs"]) == 2
    for key, value in document["runs"][0].items():
        assert document[key] == value
    assert {run["engine"] for run in document["runs"]} == {"auto", "onnxruntime"}


def test_the_figures_are_those_of_the_run(document: dict[str, Any], evaluation: Evaluation) -> None:
    found = evaluation.runs[0].verification
    assert document["pairs"] == 15
    assert document["skipped"] == 0
    assert document["correct_at_default_threshold"] == 15
    assert document["margin"] == found.lowest_genuine - found.highest_impostor
    assert document["space"]["weights_sha256"] == "0" * 64
    assert document["unmeasured"] == [{"label": "Other", "reason": "no weights"}]


def test_what_is_not_known_is_null(document: dict[str, Any]) -> None:
    for point in document["tar_at_fmr"]:
        assert point["evidence"] == "none"
        assert point["tar"] is None
    assert document["roc"]["threshold"][0] is None
    assert document["roc"]["fmr"][0] == 0


def test_without_a_run_there_is_a_document_still(evaluation: Evaluation) -> None:
    document = json.loads(as_json(replace(evaluation, runs=())))
    assert document["runs"] == []
    assert "pairs" not in document
