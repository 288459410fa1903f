"""dlib's network on onnxruntime gives dlib's own vectors, or does not serve."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from service.domain.embeddings import Alignment
from service.errors import WeightsInvalid
from service.ports import FaceAnalyser, Picture
from service.vision import dlib_agreement, load_analyser
from service.vision.agreement import lowest_cosine
from service.vision.dlib_agreement import agreeing_network, check_chips, smoke_chip
from service.vision.dlib_analyser import DlibSlot
from service.vision.dlib_engines import OnnxNetwork, ReferenceNetwork
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

WEIGHTS = packaged(RECOGNITION_FILE)


@pytest.fixture(scope="module")
def reference() -> ReferenceNetwork:
    return ReferenceNetwork(WEIGHTS)


@pytest.fixture(scope="module")
def network() -> tuple[Layer, ...]:
    return read_network(WEIGHTS)


@pytest.fixture(scope="module")
def served(network: tuple[Layer, ...]) -> OnnxNetwork:
    return OnnxNetwork(build_graph(network), threads=1)


def load(home: Path, engine: str, alignment: Alignment | None = None) -> FaceAnalyser:
    return load_analyser(
        "Dlib", detector=None, alignment=alignment, engine=engine, home=home, workers=1, timeout_s=5
    )


def test_raw_descriptors_are_dlibs_in_length_too(
    served: OnnxNetwork, reference: ReferenceNetwork
) -> None:
    for chip in check_chips():
        ours, dlibs = served.describe(chip), reference.describe(chip)
        assert ours.shape == dlibs.shape == (128,)
        assert np.abs(ours - dlibs).max() < 1e-4


def test_the_chips_of_labelled_photographs_agree(
    served: OnnxNetwork, reference: ReferenceNetwork, faces_folder: Path
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
    assert lowest_cosine(chips, served.describe, reference.describe) >= 0.9999


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

    network = agreeing_network(WEIGHTS, "a" * 64, home=tmp_path)
    (record,) = (tmp_path / "agreements").iterdir()
    assert record.name == f"{'a' * 64}-onnxruntime-{onnxruntime.__version__}.json"
    assert network.sha256 in record.read_text()

    def again(*_: object) -> float:
        raise AssertionError("measured again")

    monkeypatch.setattr(dlib_agreement, "lowest_cosine", again)
    agreeing_network(WEIGHTS, "a" * 64, home=tmp_path)
    record.write_text("{")  # cut off by a full disk
    with pytest.raises(AssertionError, match="measured again"):
        agreeing_network(WEIGHTS, "a" * 64, home=tmp_path)


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
    agreeing_network(WEIGHTS, "a" * 64, home=tmp_path)


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
    chip = np.zeros((150, 150, 3), dtype=np.uint8)
    cosine = lowest_cosine([chip], lambda _: np.zeros(128), lambda _: np.ones(128))
    assert np.isnan(cosine)
    assert np.isnan(lowest_cosine([chip], lambda _: np.ones(64), lambda _: np.ones(128)))
