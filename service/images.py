"""The only door for pictures: bytes in, upright RGB array out."""

import io
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, UnidentifiedImageError

from service.errors import ImageDamaged, ImageTooLarge, ImageTypeUnsupported, Overloaded
from service.ports import Picture

FORMATS = ("JPEG", "PNG", "WEBP")
JPEGS, JPEG_MODES = {"JPEG", "MPO"}, {"RGB", "L"}
"""Several pictures in one file, as phones write them, begin with a JPEG like any other."""
JPEG_QUALITY = 95
WIDE_GREY_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


BROKEN: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
)
"""What Pillow's decoders raise for broken files (SyntaxError: its PNG reader)."""
TURNS: dict[int, Callable[[Picture], Picture]] = {
    2: lambda picture: picture[:, ::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.transpose(1, 0, 2),
    6: lambda picture: np.rot90(picture, -1),
    7: lambda picture: np.rot90(picture, 2).transpose(1, 0, 2),
    8: lambda picture: np.rot90(picture),
}
"""How to turn a picture upright, by its EXIF orientation; each gives a view."""
STRIP_PIXELS = 1 << 20
"""Brought to RGB at once: of the whole picture there is the file's form, and the array."""

# our own cap is checked before decoding, and would otherwise have no effect above Pillow's
Image.MAX_IMAGE_PIXELS = None


class PictureGate:
    """Bounds how many decoded pictures are in memory at once: 40 million pixels take 120 MB, and
    up to 350 while they are decoded (a progressive JPEG)."""

    def __init__(self, places: int, timeout_s: float) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._timeout_s = timeout_s

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises Overloaded when no place becomes free in time."""
        if not self._places.acquire(timeout=self._timeout_s):
            raise Overloaded
        try:
            yield
        finally:
            self._places.release()


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """`gate` is shared by all who decode; `max_faces`: so many of a photograph's faces are
    embedded, where all of them are asked for."""

    max_bytes: int
    max_pixels: int
    gate: PictureGate = field(default_factory=lambda: PictureGate(places=4, timeout_s=10.0))
    max_faces: int = 32


def decode(data: bytes, limits: ImageLimits) -> Picture:
    """Decode an uploaded photograph by its content, whatever its name says.

    The first frame of an animation, turned upright by its EXIF orientation, any colour mode
    brought to RGB; transparent parts become white.

    Raises:
        ImageTooLarge: more bytes or pixels than the limits; checked before decoding.
        ImageTypeUnsupported: not a JPEG, PNG or WebP.
        ImageDamaged: one of these, but it cannot be decoded.
    """
    if len(data) > limits.max_bytes:
        raise too_many_bytes(limits)
    if not data:
        raise ImageDamaged("The uploaded file is empty; upload a JPEG, PNG or WebP photograph.")
    try:
        picture, orientation = _decoded(data, limits)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except BROKEN as error:
        raise _damaged() from error
    turn = TURNS.get(orientation)
    return picture if turn is None else np.ascontiguousarray(turn(picture))


def encode(picture: Picture) -> bytes:
    """A JPEG that looks as the picture does: no colour is left out."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()


def too_many_bytes(limits: ImageLimits, photographs: int = 1) -> ImageTooLarge:
    """Of a photograph, or of several that a request may hold together."""
    if photographs > 1:
        return ImageTooLarge(
            f"The photographs together are larger than {photographs} times {limits.max_bytes} "
            "bytes (MAX_IMAGE_BYTES); send fewer, smaller or more compressed ones."
        )
    return ImageTooLarge(
        f"The photograph is larger than {limits.max_bytes} bytes (MAX_IMAGE_BYTES); "
        "upload a smaller or more compressed one."
    )


def _too_many_pixels(limits: ImageLimits) -> ImageTooLarge:
    return ImageTooLarge(
        f"The photograph has more than {limits.max_pixels} pixels (MAX_IMAGE_PIXELS); "
        "upload a smaller one."
    )


def _damaged() -> ImageDamaged:
    return ImageDamaged("The image is damaged or incomplete and cannot be decoded; upload it anew.")


def _unidentified(data: bytes) -> ImageDamaged | ImageTypeUnsupported:
    """A file that begins like one of ours but cannot be opened is damaged, not of another type."""
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if webp or data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _damaged()
    return ImageTypeUnsupported("The file is not a JPEG, PNG or WebP image; convert it to one.")


def _decoded(data: bytes, limits: ImageLimits) -> tuple[Picture, int]:
    """The picture as it lies in the file, and its EXIF orientation."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > limits.max_pixels:
            raise _too_many_pixels(limits)
        picture = np.empty((height, width, 3), dtype=np.uint8)
        if not _fill_from_jpeg(picture, data, image):
            _fill(picture, image)
        return picture, _orientation(image)


def _fill_from_jpeg(picture: Picture, data: bytes, image: Image.Image) -> bool:
    """libjpeg-turbo into the array itself: the pixels that Pillow gives, in some two thirds of the
    time. False where it has a word to say about the file: Pillow decides what that is worth."""
    if image.format not in JPEGS or image.mode not in JPEG_MODES:
        return False
    try:
        filled = simplejpeg.decode_jpeg(data, "RGB", strict=True, buffer=picture)
    except ValueError:
        return False
    return bool(filled.shape == picture.shape)


def _fill(picture: Picture, image: Image.Image) -> None:
    width, height = image.size
    image.load()
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        picture[top : top + rows] = np.asarray(_rgb(strip), dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    """The EXIF tag alone: a picture with nonsense in its other tags is still a picture."""
    try:
        tag = image.getexif().get(ExifTags.Base.Orientation)
    except BROKEN:
        return 1
    return tag if isinstance(tag, int) else 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in WIDE_GREY_MODES:
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow's own conversion clips 16 bits to 255; the upper byte is the picture."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        return Image.fromarray(np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8))
    return Image.fromarray((np.clip(values, 0, 65535) >> 8).astype(np.uint8))
