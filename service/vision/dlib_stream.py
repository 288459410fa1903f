"""Bytes as dlib's `serialize` writes them, read one value after the other.

The encodings are those of dlib/serialize.h, dlib/float_details.h and dlib/cuda/tensor.h: integers
in as few bytes as they need behind a byte with their number and sign, floating point numbers as
mantissa and exponent of two, tensors as little-endian float32 behind their shape.
"""

from math import ldexp, prod

import numpy as np
from numpy.typing import NDArray

from service.errors import WeightsInvalid

Shape = tuple[int, int, int, int]
"""Samples, channels, rows, columns."""

TENSOR_VERSION = 2
ALIAS_VERSION = 1

_NEGATIVE = 0x80
_LENGTH = 0x0F
_NOT_USED = 0x70


class DlibStream:
    """A serialized dlib object. Every method raises WeightsInvalid where it cannot read on."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._position = 0

    def integer(self) -> int:
        (head,) = self._take(1)
        length = head & _LENGTH
        if head & _NOT_USED or not 1 <= length <= 8:
            raise self._broken("no integer")
        value = int.from_bytes(self._take(length), "little")
        return -value if head & _NEGATIVE else value

    def number(self) -> float:
        """A finite floating point number."""
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 1100:  # dlib marks infinities and NaN with 32000 and above
            raise self._broken("no finite number")
        return ldexp(mantissa, exponent)

    def flag(self) -> bool:
        (byte,) = self._take(1)
        if byte not in b"01":
            raise self._broken("no flag")
        return byte == ord("1")

    def text(self) -> str:
        length = self.integer()
        if not 0 <= length <= 100:
            raise self._broken("no name")
        return bytes(self._take(length)).decode("ascii", errors="replace")

    def expect_integer(self, expected: int, what: str) -> None:
        found = self.integer()
        if found != expected:
            raise self._broken(f"{what} {found} instead of {expected}")

    def expect_text(self, expected: str) -> None:
        found = self.text()
        if found != expected:
            raise self._broken(f"layer '{found}' instead of '{expected}'")

    def shape(self) -> Shape:
        sizes = (self.integer(), self.integer(), self.integer(), self.integer())
        if min(sizes) < 0:
            raise self._broken("a negative size")
        return sizes

    def alias(self) -> Shape:
        """The shape of a part of another tensor."""
        self.expect_integer(ALIAS_VERSION, "alias version")
        return self.shape()

    def tensor(self) -> NDArray[np.float32]:
        """Four-dimensional; the values are finite."""
        self.expect_integer(TENSOR_VERSION, "tensor version")
        shape = self.shape()
        values = np.frombuffer(self._take(4 * prod(shape)), dtype="<f4").reshape(shape)
        if not np.isfinite(values).all():
            raise self._broken("a value that is not finite")
        return values

    def finish(self) -> None:
        """Raises WeightsInvalid when bytes are left."""
        left = len(self._data) - self._position
        if left:
            raise self._broken(f"{left} bytes that belong to nothing")

    def _take(self, size: int) -> memoryview:
        taken = self._data[self._position : self._position + size]
        if len(taken) < size:
            raise self._broken("the end of the file")
        self._position += size
        return taken

    def _broken(self, found: str) -> WeightsInvalid:
        return WeightsInvalid(f"found {found} at byte {self._position:,}")
