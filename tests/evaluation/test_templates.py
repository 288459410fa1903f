"""Photographs become templates by the path of a probe, each once; the rest is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.domain.faces import DetectedFace
from service.domain.quality import QualityPolicy, QualityRules
from service.evaluation.photographs import Photograph
from service.evaluation.templates import make_templates
from service.ports import Picture
from service.vision.quality import rated
from tests import photos
from tests.evaluation.values import (
    ANY_QUALITY,
    LIMITS,
    ColourAnalyser,
    numbers,
    save,
    templates,
)


def test_each_photograph_is_embedded_once_by_its_largest_face(tmp_path: Path) -> None:
    photographs = [save(tmp_path / "a.png", (255, 0, 0)), save(tmp_path / "b.png", (0, 255, 0))]
    analyser, shown = ColourAnalyser(), list[int]()
    made = make_templates(analyser, LIMITS, ANY_QUALITY, photographs, lambda: shown.append(1))
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
    made = make_templates(
        ColourAnalyser(), LIMITS, ANY_QUALITY, photographs, lambda: shown.append(1)
    )
    assert made.rows.tolist() == [-1, -1, -1, -1, 0]
    assert len(made.seconds) == 1
    assert len(shown) == 5
    reasons = {each.name: each.reason for each in made.skipped}
    assert "clear face" in reasons["black.png"]
    assert "not a JPEG" in reasons["text.jpg"]
    assert "MAX_IMAGE_BYTES" in reasons["large.jpg"]
    assert "No such file" in reasons["gone.jpg"]
    assert {each.name: each.codes for each in made.skipped} == {
        "black.png": ("no_face",),
        "text.jpg": ("image_type_unsupported",),
        "large.jpg": ("image_too_large",),
        "gone.jpg": ("unreadable",),
    }


class RatingAnalyser(ColourAnalyser):
    """A face is as bright as the picture, and as sharp as a picture of one colour."""

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        return tuple(
            rated(picture, face, "skip") for face in super().detect(picture, thorough=thorough)
        )


def test_a_face_that_a_search_refuses_is_skipped_and_one_that_enrolment_refuses_is_named(
    tmp_path: Path,
) -> None:
    policy = QualityPolicy(QualityRules(min_brightness=100, min_size=9), QualityRules(min_size=8))
    small = tmp_path / "small.png"
    Image.new("RGB", (4, 4), "white").save(small)
    photographs = [
        save(tmp_path / "grey.png", (90, 90, 90)),
        Photograph("small.png", small),
        save(tmp_path / "red.png", (255, 0, 0)),
    ]
    made = make_templates(RatingAnalyser(), LIMITS, policy, photographs)
    assert made.rows.tolist() == [0, -1, 1]
    assert [(each.name, each.codes) for each in made.skipped] == [("small.png", ("too_small",))]
    assert [(each.name, each.codes) for each in made.unfit] == [
        ("grey.png", ("too_small", "too_dark")),
        ("red.png", ("too_small", "too_dark")),
    ]
    assert "4 pixels and needs 8" in made.skipped[0].reason


def test_similarities_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    made = templates(random.normal(size=(20, 5)).tolist())
    one, other = numbers(*random.integers(20, size=33)), numbers(*random.integers(20, size=33))
    whole = made.similarities(one, other)
    monkeypatch.setattr("service.evaluation.templates.CHUNK", 4)
    assert made.similarities(one, other).tolist() == whole.tolist()
    assert whole == pytest.approx((made.embeddings @ made.embeddings.T)[one, other], abs=1e-6)
