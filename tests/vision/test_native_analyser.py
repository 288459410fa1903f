"""`alignment=native` gives each network the chip and the numbers that it was trained with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.transform import SimilarityTransform

from service.domain.embeddings import Alignment, unit
from service.domain.faces import Box, DetectedFace
from service.errors import SettingsInvalid, WeightsMissing
from service.ports import FaceAnalyser, Picture
from service.vision import analysers, find_model, load_analyser
from service.vision.alignments import DLIB_PLACES, TEMPLATE, inverse, moved, to_template
from service.vision.native_analyser import NativeAnalyser
from service.vision.native_inputs import NATIVE_INPUTS
from service.vision.recognisers import Recogniser, load_recogniser
from service.vision.threads import ThreadBudget
from service.vision.views import View

from .onnx_graphs import write_graph

ONNX_MODELS = ["ArcFace", "GhostFaceNet", "SFace", "Facenet", "Facenet512"]
MARKED = ((203.7, 101.2), (246.8, 103.5), (224.5, 126.3), (205.0, 141.0), (242.7, 142.0))
"""Eyes, tip of the nose and corners of the mouth of the astronaut, marked by hand."""


def load(
    model: str, home: Path, detector: str | None = None, alignment: Alignment | None = None
) -> FaceAnalyser:
    return load_analyser(
        model,
        detector=detector,
        alignment=alignment,
        engine="auto",
        home=home,
        workers=2,
        timeout_s=5,
    )


def write_weights(model: str, home: Path) -> Path:
    spec = find_model(model)
    path = home / ".deepface" / "weights" / spec.weights[0].name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(
        path,
        input_size=spec.input_size,
        dimension=spec.dimension,
        channels_last=model != "SFace",
    )
    return path


class Recorder:
    """An onnxruntime session that keeps what it was given."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.given: NDArray[Any] | None = None

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, outputs: Any, feed: dict[str, NDArray[Any]]) -> Any:
        (self.given,) = feed.values()
        return self._session.run(outputs, feed)


def given_to(model: str, home: Path, chip: Picture) -> NDArray[Any]:
    """What the network of that model gets for a chip."""
    path = write_weights(model, home)
    recogniser = load_recogniser(find_model(model), "onnxruntime", path, home, ThreadBudget())
    recorder = Recorder(recogniser._client.model)
    recogniser._client.model = recorder
    recogniser.describe_chip(chip)
    assert recorder.given is not None
    return recorder.given


@pytest.fixture
def chip(request: pytest.FixtureRequest) -> Picture:
    """Red everywhere 255, green 0, blue from 0 to 254."""
    side = find_model(request.getfixturevalue("model")).input_size[0]
    made = np.zeros((side, side, 3), dtype=np.uint8)
    made[:, :, 0] = 255
    made[:, :, 2] = np.arange(side) * 254 // (side - 1)
    return made


@pytest.mark.parametrize("model", ["ArcFace", "GhostFaceNet", "Facenet512"])
def test_centred_models_get_rgb_from_minus_one_to_one(
    model: str, chip: Picture, tmp_path: Path
) -> None:
    given = given_to(model, tmp_path, chip)
    assert given.dtype == np.float32
    assert given.shape == (1, *chip.shape)
    assert (given[..., 0] == np.float32(127.5 / 128)).all()
    assert (given[..., 1] == np.float32(-127.5 / 128)).all()
    assert given[0, 0, 0, 2] == np.float32(-127.5 / 128)
    assert given[0, 0, -1, 2] == np.float32(126.5 / 128)


@pytest.mark.parametrize("model", ["Facenet"])
def test_facenet_gets_rgb_of_mean_0_and_deviation_1(
    model: str, chip: Picture, tmp_path: Path
) -> None:
    given = given_to(model, tmp_path, chip)
    assert given.dtype == np.float32
    assert given.shape == (1, 160, 160, 3)
    assert float(given.mean()) == pytest.approx(0, abs=1e-5)
    assert float(given.std()) == pytest.approx(1, abs=1e-5)
    assert given[0, 0, 0, 0] > 0 > given[0, 0, 0, 1]
    assert given[0, 0, 0, 1] == given[0, 0, 0, 2]


@pytest.mark.parametrize("model", ["Facenet"])
def test_an_even_chip_is_not_divided_by_nothing(model: str, tmp_path: Path) -> None:
    given = given_to(model, tmp_path, np.full((160, 160, 3), 77, dtype=np.uint8))
    assert not given.any()


@pytest.mark.parametrize("model", ["SFace"])
def test_sface_gets_planes_of_rgb_from_0_to_255(model: str, chip: Picture, tmp_path: Path) -> None:
    given = given_to(model, tmp_path, chip)
    assert given.dtype == np.float32
    assert given.shape == (1, 3, 112, 112)
    np.testing.assert_array_equal(given[0], chip.transpose(2, 0, 1))
    theirs = cv2.dnn.blobFromImage(chip[:, :, ::-1].copy(), 1, (112, 112), (0, 0, 0), True, False)
    np.testing.assert_array_equal(given, theirs)


@pytest.mark.parametrize("model", ["Buffalo_L"])
def test_insightface_gets_bgr_bytes(model: str, chip: Picture) -> None:
    given: list[Picture] = []

    def get_feat(picture: Picture) -> NDArray[np.float32]:
        given.append(picture)
        return np.ones((1, 512), dtype=np.float32)

    client = SimpleNamespace(model=SimpleNamespace(get_feat=get_feat))
    assert Recogniser(find_model(model), client).describe_chip(chip).shape == (512,)
    assert given[0].dtype == np.uint8
    np.testing.assert_array_equal(given[0], chip[:, :, ::-1])


def only_face(analyser: FaceAnalyser, picture: Picture) -> DetectedFace:
    (face,) = analyser.detect(picture)
    return face


@pytest.mark.parametrize("model", ONNX_MODELS)
def test_it_is_the_default_with_dlibs_detector(
    model: str, tmp_path: Path, astronaut: Picture
) -> None:
    write_weights(model, tmp_path)
    analyser = load(model, tmp_path)
    assert isinstance(analyser, NativeAnalyser)
    assert analyser.space.describe() == f"{model}, detector dlib, alignment native"
    face = only_face(analyser, astronaut)
    assert len(face.landmarks) == 5
    embedding = analyser.embed(astronaut, face)
    assert embedding.shape == (find_model(model).dimension,)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-6)
    analyser.close()


def test_an_embedding_is_that_of_scikit_images_and_opencvs_alignment(
    tmp_path: Path, astronaut: Picture
) -> None:
    """The whole way once more by other means: face to chip to input to vector."""
    import onnxruntime

    path = write_weights("ArcFace", tmp_path)
    analyser = load("ArcFace", tmp_path)
    face = only_face(analyser, astronaut)
    estimate = SimilarityTransform.from_estimate(
        np.asarray(face.landmarks), np.asarray(DLIB_PLACES)
    )
    chip = cv2.warpAffine(astronaut, estimate.params[:2], (112, 112))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = ((chip.astype(np.float32) - 127.5) / 128)[np.newaxis]
    (vectors,) = session.run(None, {session.get_inputs()[0].name: given})
    assert float(unit(vectors[0], 512) @ analyser.embed(astronaut, face)) > 0.9999


@pytest.mark.parametrize(("model", "least"), [("ArcFace", 0.99), ("Facenet", 0.98)])
@pytest.mark.parametrize("factor", [1.5, 2, 4.5])
def test_a_face_in_a_larger_copy_of_a_photograph_gives_the_same_chip(
    model: str, least: float, factor: float, grace: Picture, dlib_native: FaceAnalyser
) -> None:
    face = only_face(dlib_native, grace)
    view = View(grace, 1 / factor, 1 / factor)
    size = (round(grace.shape[1] * factor), round(grace.shape[0] * factor))
    large = np.asarray(Image.fromarray(grace).resize(size, Image.Resampling.LANCZOS))
    enlarged = DetectedFace(face.box, 1.0, tuple(view.point(*point) for point in face.landmarks))
    cut = NATIVE_INPUTS[model].cut
    chips = [cut(grace, face, "dlib").astype(float), cut(large, enlarged, "dlib").astype(float)]
    # Facenet's crop is cut at whole pixels of the photograph
    assert np.corrcoef(chips[0].ravel(), chips[1].ravel())[0, 1] > least


def test_a_turned_photograph_gives_an_upright_chip(tmp_path: Path, astronaut: Picture) -> None:
    write_weights("ArcFace", tmp_path)
    analyser = load("ArcFace", tmp_path)
    turned = np.asarray(
        Image.fromarray(astronaut).rotate(15, Image.Resampling.BICUBIC, center=(225, 120))
    )
    chips = [
        NATIVE_INPUTS["ArcFace"].cut(picture, only_face(analyser, picture), "dlib").astype(float)
        for picture in (astronaut, turned)
    ]
    middle = np.s_[20:100, 20:92]
    assert np.corrcoef(chips[0][middle].ravel(), chips[1][middle].ravel())[0, 1] > 0.95


def test_dlibs_five_points_place_the_template_on_the_face(
    tmp_path: Path, astronaut: Picture
) -> None:
    write_weights("ArcFace", tmp_path)
    face = only_face(load("ArcFace", tmp_path), astronaut)
    found = np.asarray(moved(to_template(face, "dlib"), MARKED))
    assert np.abs(found - np.asarray(TEMPLATE)).max() < 6


@pytest.mark.parametrize("model", ["ArcFace", "Dlib"])
@pytest.mark.parametrize("detector", ["opencv", "ssd", "skip"])
def test_a_detector_without_five_points_is_refused(
    model: str, detector: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsInvalid, match=f"{detector} does not find.*ALIGNMENT=deepface"):
        load(model, tmp_path, detector, Alignment.NATIVE)


def test_without_an_alignment_such_a_detector_gets_deepfaces(tmp_path: Path) -> None:
    write_weights("ArcFace", tmp_path)
    space = load("ArcFace", tmp_path, "opencv").space
    assert space.alignment is Alignment.DEEPFACE
    assert space.default_threshold == 0.32


def test_a_gallery_made_with_deepfaces_alignment_keeps_it(tmp_path: Path) -> None:
    write_weights("ArcFace", tmp_path)
    old = load("ArcFace", tmp_path, "dlib", Alignment.DEEPFACE).space
    assert old.alignment is Alignment.DEEPFACE
    assert not load("ArcFace", tmp_path).space.serves(old)


def test_a_model_without_a_native_alignment_refuses_it(tmp_path: Path) -> None:
    write_weights("DeepID", tmp_path)
    with pytest.raises(SettingsInvalid, match="ALIGNMENT: DeepID has no native alignment"):
        load("DeepID", tmp_path, "dlib", Alignment.NATIVE)


@pytest.mark.parametrize("detector", ["yunet", "centerface"])
def test_another_detector_of_five_points_needs_its_file(detector: str, tmp_path: Path) -> None:
    write_weights("ArcFace", tmp_path)
    for model in ("ArcFace", "Dlib"):
        with pytest.raises(WeightsMissing, match=f"detector {detector} is missing"):
            load(model, tmp_path, detector, Alignment.NATIVE)


def test_dlib_takes_the_points_of_another_detector(
    tmp_path: Path,
    astronaut: Picture,
    dlib_native: FaceAnalyser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The template's points of a real face stand for a detector whose file is not here."""
    own = only_face(dlib_native, astronaut)
    points = moved(inverse(to_template(own, "dlib")), TEMPLATE)

    class Finder:
        def __init__(self, detector: str, home: Path) -> None:
            assert detector == "yunet"

        def detect(self, picture: Picture, thorough: bool = False) -> list[DetectedFace]:
            return [DetectedFace(Box(0, 0, 100, 100), 0.9, points)]

    monkeypatch.setattr(analysers, "FivePointSlot", Finder)
    analyser = load("Dlib", tmp_path, "yunet")
    assert analyser.space.describe() == "Dlib, detector yunet, alignment native"
    assert not analyser.space.serves(dlib_native.space)
    similarity = float(
        analyser.embed(astronaut, only_face(analyser, astronaut))
        @ dlib_native.embed(astronaut, own)
    )
    assert similarity > 0.97
