"""Which model a process starts with, beside a gallery that has one space or two."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from service import model_wiring
from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import Gallery, GalleryVersion, OtherSpace
from service.errors import SpaceConflict
from service.settings import Settings

NOW = datetime.now(UTC)
DLIB = EmbeddingSpace("Dlib", 128, "ab" * 32, "dlib", Alignment.NATIVE, 0.9)
ARCFACE = EmbeddingSpace("ArcFace", 512, "cd" * 32, "retinaface", Alignment.NATIVE, 0.4)
OTHER = OtherSpace(UUID(int=3), ARCFACE, 0.4, NOW, None)
GALLERY = Gallery(
    UUID(int=1), "dlib", UUID(int=2), DLIB, 0.9, None, GalleryVersion(1, UUID(int=4)), NOW, NOW
)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The models that were loaded, each with its engine."""
    models: list[tuple[str, Any]] = []

    def load(model: str, **options: Any) -> None:
        models.append((model, options["engine"]))

    monkeypatch.setattr(model_wiring, "load_analyser", load)
    return models


def settings(monkeypatch: pytest.MonkeyPatch, model: str) -> Settings:
    monkeypatch.setenv("MODEL_NAME", model)
    return Settings.read()


def test_a_gallery_of_one_space_needs_its_own_model(
    monkeypatch: pytest.MonkeyPatch, loaded: list[tuple[str, Any]]
) -> None:
    model_wiring.analyser_for(settings(monkeypatch, "Dlib"), GALLERY)
    with pytest.raises(SpaceConflict, match="MODEL_NAME to Dlib"):
        model_wiring.analyser_for(settings(monkeypatch, "ArcFace"), GALLERY)
    assert [model for model, _ in loaded] == ["Dlib"]


@pytest.mark.parametrize("model", ["Dlib", "ArcFace"])
def test_of_two_spaces_either_model_will_do_and_the_present_one_is_loaded(
    monkeypatch: pytest.MonkeyPatch, loaded: list[tuple[str, Any]], model: str
) -> None:
    model_wiring.analyser_for(settings(monkeypatch, model), replace(GALLERY, other=OTHER))
    assert [name for name, _ in loaded] == ["Dlib"]
    with pytest.raises(SpaceConflict):
        other = replace(GALLERY, other=OTHER)
        model_wiring.analyser_for(settings(monkeypatch, "Facenet"), other)
