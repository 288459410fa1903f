import numpy as np
import pytest

from service.errors import WeightsInvalid
from service.vision.dlib_stream import DlibStream


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x01\x00", 0),
        (b"\x01\xff", 255),
        (b"\x02\x80\x12", 4736),
        (b"\x81\x07", -7),
        (b"\x08" + b"\xff" * 8, 2**64 - 1),
    ],
)
def test_integers_stand_behind_their_length_and_sign(data: bytes, value: int) -> None:
    stream = DlibStream(data)
    assert stream.integer() == value
    stream.finish()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x09" + b"1" * 9, b"\x31\x01", b"\x02\x01"])
def test_what_is_no_integer_is_refused(data: bytes) -> None:
    with pytest.raises(WeightsInvalid, match="at byte"):
        DlibStream(data).integer()


def test_numbers_are_mantissa_and_exponent_of_two() -> None:
    stream = DlibStream(b"\x01\x03\x81\x02" + b"\x81\x05\x01\x01")
    assert (stream.number(), stream.number()) == (0.75, -10.0)


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(WeightsInvalid, match="finite"):
        DlibStream(b"\x01\x00\x02\x00\x7d").number()  # 32000 is dlib's mark for infinity


def test_tensors_are_floats_behind_their_shape() -> None:
    values = np.arange(6, dtype="<f4")
    stream = DlibStream(b"\x01\x02\x01\x01\x01\x02\x01\x03\x01\x01" + values.tobytes())
    tensor = stream.tensor()
    assert tensor.shape == (1, 2, 3, 1)
    assert tensor.reshape(-1).tolist() == values.tolist()


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x03\x01\x01\x01\x01\x01\x01\x01\x01" + bytes(4),
        b"\x01\x02\x01\x01\x01\x01\x01\x01\x01\x01" + bytes(3),
        b"\x01\x02\x81\x01\x01\x01\x01\x01\x01\x01" + bytes(4),
        b"\x01\x02\x01\x01\x01\x01\x01\x01\x01\x01" + b"\x00\x00\xc0\x7f",
        b"\x01\x02" + b"\x08" * 1 + b"\xff" * 8 + b"\x01\x01" * 3,
    ],
    ids=["version", "cut", "negative", "nan", "huge"],
)
def test_what_is_no_tensor_is_refused(data: bytes) -> None:
    with pytest.raises(WeightsInvalid):
        DlibStream(data).tensor()


def test_flags_and_names() -> None:
    stream = DlibStream(b"10\x01\x05con_4")
    assert (stream.flag(), stream.flag(), stream.text()) == (True, False, "con_4")
    with pytest.raises(WeightsInvalid, match="no flag"):
        DlibStream(b"2").flag()
    with pytest.raises(WeightsInvalid, match="no name"):
        DlibStream(b"\x02\xff\xff").text()


def test_bytes_that_are_left_are_refused() -> None:
    with pytest.raises(WeightsInvalid, match="2 bytes that belong to nothing"):
        DlibStream(b"ab").finish()
