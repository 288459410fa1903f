"""The file that the package carries, and files that are nearly it."""

from pathlib import Path

import numpy as np
import pytest

from service.errors import WeightsInvalid
from service.vision.dlib_files import LANDMARKS_FILE, RECOGNITION_FILE, packaged
from service.vision.dlib_network import (
    Affine,
    Convolution,
    Layer,
    Picture,
    Projection,
    read_network,
)


@pytest.fixture(scope="module")
def data() -> bytes:
    return packaged(RECOGNITION_FILE).read_bytes()


@pytest.fixture(scope="module")
def network() -> tuple[Layer, ...]:
    return read_network(packaged(RECOGNITION_FILE))


def test_every_byte_of_the_packaged_file_is_read(network: tuple[Layer, ...]) -> None:
    convolutions = [layer for layer in network if isinstance(layer, Convolution)]
    assert len(convolutions) == 29
    assert convolutions[0].weights.shape == (32, 3, 7, 7)
    assert convolutions[0].stride == (2, 2)
    assert convolutions[-1].weights.shape == (256, 256, 3, 3)
    assert sum(isinstance(layer, Affine) for layer in network) == 29
    (projection,) = [layer for layer in network if isinstance(layer, Projection)]
    assert projection.weights.shape == (256, 128)
    assert network[-1] is projection


def test_the_picture_has_dlibs_means_and_size(network: tuple[Layer, ...]) -> None:
    picture = network[0]
    assert isinstance(picture, Picture)
    assert picture.means == pytest.approx((122.782, 117.001, 104.298), abs=1e-4)
    assert (picture.rows, picture.columns) == (150, 150)


@pytest.mark.parametrize("length", [0, 1, 300, 337, 1_000_000, 22_466_065])
def test_a_cut_file_is_refused(data: bytes, length: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.dat"
    path.write_bytes(data[:length])
    with pytest.raises(WeightsInvalid, match=r"not a complete .*the end of the file at byte"):
        read_network(path)


def test_a_file_with_something_behind_it_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "longer.dat"
    path.write_bytes(data + b"\0")
    with pytest.raises(WeightsInvalid, match="1 bytes that belong to nothing"):
        read_network(path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match="not a complete dlib recognition model"):
        read_network(packaged(LANDMARKS_FILE))
    path = tmp_path / "noise.dat"
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    with pytest.raises(WeightsInvalid):
        read_network(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"con_4", b"con_6", "layer 'con_6' instead of 'con_4'"),
        (b"affine_", b"affine2", "layer 'affine2'"),
        (b"loss_metric_2", b"loss_metric_3", "loss_metric_3"),
        (b"\x01\x02\x01\x02", b"\x01\x02\x01\x03", "version of"),
        (b"\x01\x07\x01\x07\x01\x02", b"\x01\x05\x01\x07\x01\x02", "sizes contradict"),
    ],
)
def test_another_layer_or_version_is_refused(
    data: bytes, old: bytes, new: bytes, said: str, tmp_path: Path
) -> None:
    assert old in data
    path = tmp_path / "other.dat"
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(WeightsInvalid, match=said) as raised:
        read_network(path)
    assert "ENGINE=dlib" in str(raised.value)
