"""The only door for pictures: bytes in, upright RGB array out."""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from service.errors import ImageDamaged, ImageTooLarge, ImageTypeUnsupported
from service.ports import Picture

FORMATS = ("JPEG", "PNG", "WEBP")
WIDE_GREY_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


@dataclass(frozen=True, slots=True)
class ImageLimits:
    max_bytes: int
    max_pixels: int


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
        with warnings.catch_warnings():
            # our own pixel cap stands in for Pillow's warning about large pictures
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _pixels(image, limits)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError) as error:
        # what Pillow's decoders raise for broken files (SyntaxError: its PNG reader)
        raise _damaged() from error


def too_many_bytes(limits: ImageLimits) -> ImageTooLarge:
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


def _pixels(image: Image.Image, limits: ImageLimits) -> Picture:
    if image.width * image.height > limits.max_pixels:
        raise _too_many_pixels(limits)
    image.load()
    upright = ImageOps.exif_transpose(image)
    return np.asarray(_rgb(upright), dtype=np.uint8)


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
    values = np.asarray(image).astype(np.float64)
    return Image.fromarray(np.clip(values / 257.0, 0, 255).astype(np.uint8))
