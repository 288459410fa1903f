"""dlib's network on another engine gives dlib's own vectors, or does not serve."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from service.domain.embeddings import Alignment
from service.errors import WeightsInvalid
from service.ports import FaceAnalyser, Picture
from service.vision import dlib_agreement, find_model, load_analyser
from service.vision.agreement import lowest_cosine
from service.vision.check_inputs import check_chips, smoke_chip
from service.vision.dlib_agreement import agreeing_network
from service.vision.dlib_analyser import DlibSlot
from service.vision.dlib_engines import ChipNetwork, GraphNetwork, ReferenceNetwork
from service.vision.dlib_files import RECOGNITION_FILE, packaged
from service.vision.dlib_graph import build_graph
from service.vision.dlib_network import (
    Convolution,
    Layer,
    Plain,
    Pooling,
    Projection,
    read_network,
)
from service.vision.sessions import at_hand, open_session
from service.vision.threads import ThreadBudget
from service.vision.weights import Weights

WEIGHTS = packaged(RECOGNITION_FILE)
LEAST_COSINES = {"onnxruntime": 0.9999, "openvino": 0.9999, "openvino-bf16": 0.999}


@pytest.fixture(scope="module")
def reference() -> ReferenceNetwork:
    return ReferenceNetwork(WEIGHTS)


@pytest.fixture(scope="module")
def network() -> tuple[Layer, ...]:
    return read_network(WEIGHTS)


@pytest.fixture(scope="module", params=LEAST_COSINES)
def engine(request: pytest.FixtureRequest) -> str:
    chosen = str(request.param)
    if not at_hand(chosen):
        pytest.skip(f"{chosen} is not installed, or not for this CPU")
    return chosen


@pytest.fixture(scope="module")
def served(engine: str, network: tuple[Layer, ...]) -> GraphNetwork:
    return GraphNetwork(open_session(engine, build_graph(network), ThreadBudget()))


def vectors(network: ChipNetwork, chips: Sequence[Picture]) -> NDArray[np.float64]:
    return np.stack([network.describe(chip) for chip in chips])


def agree(home: Path) -> GraphNetwork:
    weights = Weights(find_model("Dlib").weights[0], WEIGHTS, "a" * 64)
    return agreeing_network("onnxruntime", weights, home=home, budget=ThreadBudget())


def load(home: Path, engine: str, alignment: Alignment | None = None) -> FaceAnalyser:
    return load_analyser(
        "Dlib", detector=None, alignment=alignment, engine=engine, home=home, workers=1, timeout_s=5
    )


def test_raw_descriptors_are_dlibs_in_length_too(
    engine: str, served: GraphNetwork, reference: ReferenceNetwork
) -> None:
    largest_difference = 0.02 if engine == "openvino-bf16" else 1e-4
    for chip in check_chips():
        ours, dlibs = served.describe(chip), reference.describe(chip)
        assert ours.shape == dlibs.shape == (128,)
        assert np.abs(ours - dlibs).max() < largest_difference


def test_the_chips_of_labelled_photographs_agree(
    engine: str, served: GraphNetwork, reference: ReferenceNetwork, faces_folder: Path
) -> None:
    slot = DlibSlot()

    def chip_of(path: Path) -> Picture:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((1600, 1600))
        picture = np.asarray(upright)
        return slot.chip(picture, slot.detect(picture)[0])

    chips = [chip_of(path) for path in sorted((faces_folder / "images").iterdir())[::8]]
    assert len(chips) >= 8
    cosine = lowest_cosine(vectors(served, chips), vectors(reference, chips))
    assert cosine >= LEAST_COSINES[engine]


@pytest.mark.parametrize("alignment", list(Alignment))
def test_the_served_embedding_is_the_reference_engines(
    alignment: Alignment, tmp_path: Path, grace: Picture
) -> None:
    one, other = (load(tmp_path, engine, alignment) for engine in ("auto", "dlib"))
    assert one.space == other.space
    (face,) = one.detect(grace)
    assert np.abs(one.embed(grace, face) - other.embed(grace, face)).max() < 1e-3


def test_agreement_is_kept_by_weights_engine_and_version_and_read_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    agree(tmp_path)
    (record,) = (tmp_path / "agreements").iterdir()
    assert record.name == f"{'a' * 64}-onnxruntime-{onnxruntime.__version__}.json"
    assert sha256(build_graph(read_network(WEIGHTS))).hexdigest() in record.read_text()

    def again(*_: object) -> float:
        raise AssertionError("measured again")

    monkeypatch.setattr(dlib_agreement, "lowest_cosine", again)
    agree(tmp_path)
    record.write_text("{")  # cut off by a full disk
    with pytest.raises(AssertionError, match="measured again"):
        agree(tmp_path)


Change = Callable[[Layer], Layer]


def changed(network: tuple[Layer, ...], kind: type[Layer], change: Change) -> tuple[Layer, ...]:
    """The network with its first layer of that kind changed."""
    first = next(place for place, layer in enumerate(network) if isinstance(layer, kind))
    return (*network[:first], change(network[first]), *network[first + 1 :])


def one_value_changed(layer: Layer) -> Layer:
    assert isinstance(layer, Projection)
    weights = layer.weights.copy()
    weights[7, 3] += 10
    return replace(layer, weights=weights)


def mirrored(layer: Layer) -> Layer:
    assert isinstance(layer, Convolution)
    return replace(layer, weights=np.ascontiguousarray(layer.weights[..., ::-1]))


@pytest.mark.parametrize(
    ("kind", "change"),
    [(Projection, one_value_changed), (Convolution, mirrored)],
)
def test_a_wrong_graph_does_not_serve(
    kind: type[Layer],
    change: Change,
    network: tuple[Layer, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = changed(network, kind, change)
    monkeypatch.setattr(dlib_agreement, "read_network", lambda _: wrong)
    with pytest.raises(WeightsInvalid, match=r"Dlib on onnxruntime .*cosine is 0\.\d+ at worst"):
        load(tmp_path, "auto")
    assert not (tmp_path / "agreements").exists()


def test_a_record_does_not_vouch_for_another_graph(
    network: tuple[Layer, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(tmp_path, "auto")
    wrong = changed(network, Projection, one_value_changed)
    monkeypatch.setattr(dlib_agreement, "read_network", lambda _: wrong)
    with pytest.raises(WeightsInvalid):
        load(tmp_path, "auto")


def test_a_home_that_cannot_be_written_to_only_costs_the_next_check(tmp_path: Path) -> None:
    (tmp_path / "agreements").write_text("a file where the folder would be")
    agree(tmp_path)


def test_layers_that_do_not_fit_each_other_are_refused(network: tuple[Layer, ...]) -> None:
    picture, first, affine = network[:3]
    for wrong in (
        (first, picture),
        (picture, Plain("relu")),
        (picture, first, Plain("relu"), affine),
        (picture, first, first),
        (picture, first, Plain("unheard of")),
        (picture, first, Pooling("avg_pool", (2, 2), (2, 2), (1, 1))),
    ):
        with pytest.raises(WeightsInvalid, match="The network"):
            build_graph(wrong)


def test_the_smoke_photographs_chip_shows_a_face() -> None:
    chip = smoke_chip()
    assert chip.shape == (150, 150, 3)
    assert chip.std() > 20


def test_vectors_without_a_direction_agree_with_nothing() -> None:
    some = np.ones((2, 128))
    assert lowest_cosine(some, 2 * some) == pytest.approx(1)
    assert np.isnan(lowest_cosine(some * [[1], [0]], some))
    assert np.isnan(lowest_cosine(some[:, :64], some))
