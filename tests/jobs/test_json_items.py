"""Streaming one list out of a large JSON file."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from service.errors import InputFileInvalid
from service.jobs import json_items as module
from service.jobs.json_items import json_items


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "old.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1 << 20])
def test_items_are_the_same_whatever_the_chunk(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    items: list[Any] = [{"id": "ä\\u", "embedding": [1.5, -2e-9]}, 12345, "NaN", None, [], {}]
    text = json.dumps({"count": 987654, "face_ids": ["a", "b"], "face_db": items, "rest": 1})
    assert list(json_items(written(tmp_path, text), "face_db")) == items


def test_the_nan_that_python_writes_is_read(tmp_path: Path) -> None:
    text = json.dumps({"face_db": [{"embedding": [math.nan, math.inf]}]})
    (item,) = json_items(written(tmp_path, text), "face_db")
    assert math.isnan(item["embedding"][0])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "not json", '{"face_db": 3}', '{"face_db": [1, 2', '{"face_db": [1 2]}', '{"a": 1}'],
)
def test_other_files_are_refused_by_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileInvalid, match=r"old\.json"):
        list(json_items(written(tmp_path, text), "face_db"))


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b'{"face_db": ["\xff\xfe"]}')
    with pytest.raises(InputFileInvalid):
        list(json_items(path, "face_db"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileInvalid, match="cannot be read"):
        list(json_items(tmp_path / "none.json", "face_db"))


def test_progress_counts_every_character(tmp_path: Path) -> None:
    read: list[int] = []
    path = written(tmp_path, json.dumps({"face_db": list(range(1000))}))
    list(json_items(path, "face_db", read.append))
    assert sum(read) == path.stat().st_size
