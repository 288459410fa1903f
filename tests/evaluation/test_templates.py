"""Photographs become templates by the path of a probe, each once; the rest is named."""

from pathlib import Path

import numpy as np
import pytest

from service.evaluation.photographs import Photograph
from service.evaluation.templates import make_templates
from tests import photos
from tests.evaluation.values import LIMITS, ColourAnalyser, numbers, save, templates


def test_each_photograph_is_embedded_once_by_its_largest_face(tmp_path: Path) -> None:
    photographs = [save(tmp_path / "a.png", (255, 0, 0)), save(tmp_path / "b.png", (0, 255, 0))]
    analyser, shown = ColourAnalyser(), list[int]()
    made = make_templates(analyser, LIMITS, photographs, lambda: shown.append(1))
    assert made.embeddings.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert made.embeddings.dtype == np.float32
    assert made.rows.tolist() == [0, 1]
    assert analyser.detected == len(shown) == len(made.seconds) == 2
    assert made.skipped == ()


def test_what_cannot_be_embedded_is_skipped_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "large.jpg").write_bytes(photos.grace_bytes() + bytes(LIMITS.max_bytes))
    names = ("text.jpg", "large.jpg", "gone.jpg")
    photographs = [
        save(tmp_path / "black.png", (0, 0, 0)),
        *(Photograph(name, tmp_path / name) for name in names),
        save(tmp_path / "red.png", (255, 0, 0)),
    ]
    shown: list[int] = []
    made = make_templates(ColourAnalyser(), LIMITS, photographs, lambda: shown.append(1))
    assert made.rows.tolist() == [-1, -1, -1, -1, 0]
    assert len(made.seconds) == 1
    assert len(shown) == 5
    reasons = {each.name: each.reason for each in made.skipped}
    assert "clear face" in reasons["black.png"]
    assert "not a JPEG" in reasons["text.jpg"]
    assert "MAX_IMAGE_BYTES" in reasons["large.jpg"]
    assert "No such file" in reasons["gone.jpg"]


def test_similarities_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    made = templates(random.normal(size=(20, 5)).tolist())
    one, other = numbers(*random.integers(20, size=33)), numbers(*random.integers(20, size=33))
    whole = made.similarities(one, other)
    monkeypatch.setattr("service.evaluation.templates.CHUNK", 4)
    assert made.similarities(one, other).tolist() == whole.tolist()
    assert whole == pytest.approx((made.embeddings @ made.embeddings.T)[one, other], abs=1e-6)
