"""The catalogue says what the installed DeepFace does."""

import sys
from importlib import import_module
from unittest.mock import patch

import pytest

from service.domain.embeddings import Alignment
from service.errors import ModelUnknown, SettingsInvalid
from service.vision.catalogue import CATALOGUE, ModelSpec, find_model
from service.vision.deepface_library import find_class
from service.vision.engines import DLIB, ONNXRUNTIME
from service.vision.native_inputs import NATIVE_INPUTS
from service.vision.sources import addresses

ONNX_MODELS = [
    spec
    for spec in CATALOGUE
    if spec.weights_for(ONNXRUNTIME) and not spec.weights_for(DLIB) and not spec.needs
]


def test_every_recognition_model_of_deepface_is_in_it() -> None:
    from deepface.modules.modeling import AVAILABLE_MODELS

    assert {spec.name for spec in CATALOGUE} == set(AVAILABLE_MODELS["facial_recognition"])


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_the_deepface_threshold_is_deepfaces_own(spec: ModelSpec) -> None:
    from deepface.config.threshold import thresholds

    distance = thresholds[spec.name]["cosine"]
    assert spec.default_threshold(Alignment.DEEPFACE) == pytest.approx(1 - distance, abs=1e-9)


@pytest.mark.parametrize("spec", ONNX_MODELS, ids=lambda spec: spec.name)
def test_sizes_and_file_name_are_those_of_deepfaces_class(spec: ModelSpec) -> None:
    file = spec.weights_for(ONNXRUNTIME)
    assert file is not None
    with patch.object(import_module(file.source), "build_session") as build_session:
        client = find_class("facial_recognition", spec.name, ONNXRUNTIME)()
    assert client.input_shape == spec.input_size
    assert client.output_shape == spec.dimension
    assert build_session.call_args.kwargs["file_name"] == file.name


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_every_file_has_an_address_found_without_importing_tensorflow(spec: ModelSpec) -> None:
    for file in spec.weights:
        urls = addresses(file)
        assert urls
        assert all(url.startswith("https://") for url in urls)
    assert "tensorflow" not in sys.modules


def test_the_models_whose_training_is_known_have_a_native_alignment_by_default() -> None:
    native = {spec.name for spec in CATALOGUE if spec.default_alignment is Alignment.NATIVE}
    assert native == {"Dlib", *NATIVE_INPUTS}
    assert find_model("SFace").default_threshold(Alignment.NATIVE) == 0.363
    for name in ("VGG-Face", "OpenFace", "DeepID", "DeepFace"):
        assert find_model(name).default_alignment is Alignment.DEEPFACE
        with pytest.raises(SettingsInvalid, match=f"ALIGNMENT: {name}"):
            find_model(name).default_threshold(Alignment.NATIVE)


def test_a_native_threshold_says_where_it_comes_from() -> None:
    for spec in CATALOGUE:
        source = spec.threshold_source(Alignment.NATIVE)
        assert ("not measured" in source) == (spec.name != "Dlib")


def test_dlibs_weights_have_the_stated_size() -> None:
    from service.vision.dlib_files import packaged

    file = find_model("Dlib").weights_for(DLIB)
    assert file is not None
    assert packaged(file.name).stat().st_size == file.size_bytes


def test_an_unknown_name_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ModelUnknown, match="Dlib, ArcFace"):
        find_model("dlib")
