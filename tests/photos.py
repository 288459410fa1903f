"""Real photographs that packages ship, and variations of them."""

import io
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage import data

EXIF_ORIENTATION = 0x0112
UNTURN = {
    # how to turn an upright picture so that a reader who heeds the tag sees it upright again
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@cache
def grace_bytes() -> bytes:
    """Grace Hopper, JPEG, 512 x 600."""
    return Path(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).read_bytes()


def grace() -> Image.Image:
    return Image.open(io.BytesIO(grace_bytes()))


def astronaut() -> Image.Image:
    """Eileen Collins, 512 x 512."""
    return Image.fromarray(data.astronaut())


def landscape() -> Image.Image:
    """A photograph without a face."""
    return Image.fromarray(data.coffee())


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def astronaut_bytes() -> bytes:
    return encoded(astronaut(), quality=92)


def couple() -> Image.Image:
    """Both of them side by side: two faces."""
    left, right = grace(), astronaut()
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def oriented(image: Image.Image, orientation: int) -> bytes:
    """The picture stored turned, with the EXIF tag that says how to turn it back."""
    turn = UNTURN[orientation]
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = image if turn is None else image.transpose(turn)
    return encoded(stored, quality=95, exif=exif)


def sixteen_bit_grey(image: Image.Image) -> bytes:
    grey = np.asarray(image.convert("L"), dtype=np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def animated(image: Image.Image, form: str) -> bytes:
    return encoded(image, form, save_all=True, append_images=[image.rotate(90), image.rotate(180)])


def bomb() -> bytes:
    """A few kilobytes that decode to 400 million pixels."""
    return encoded(Image.new("1", (20_000, 20_000)), "PNG", optimize=True)


def faces_folder() -> Path:
    """The folder of labelled photographs that FACEMATCH_FACES names; skips the test without."""
    name = os.environ.get("FACEMATCH_FACES")
    if not name:
        pytest.skip("FACEMATCH_FACES does not name a folder of labelled photographs")
    return Path(name)
