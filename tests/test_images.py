"""The door for pictures: what comes out upright and RGB, and what is refused with which words."""

import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from service import images
from service.errors import ImageDamaged, ImageTooLarge, ImageTypeUnsupported, Overloaded
from service.images import ImageLimits, PictureGate, decode
from service.ports import Picture
from tests import photos

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=40_000_000)


def mean_difference(picture: Picture, image: Image.Image) -> float:
    wanted = np.asarray(image.convert("RGB"), dtype=np.int16)
    assert picture.shape == wanted.shape
    return float(np.abs(picture.astype(np.int16) - wanted).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int) -> None:
    picture = decode(photos.oriented(photos.grace(), orientation), LIMITS)
    assert mean_difference(picture, photos.grace()) < 3


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.filterwarnings("ignore:Possibly corrupt EXIF")
def test_nonsense_in_other_exif_tags_does_not_matter() -> None:
    """A rational of three bytes: Pillow reads it and cannot write it again."""
    tags = b"II*\0\x08\0\0\0\x02\0"
    tags += struct.pack("<HHII", 0x0112, 3, 1, 3)  # turned by half
    tags += struct.pack("<HHII", 0x011A, 5, 1, 0xFFFFFF)  # a resolution that lies nowhere
    exif = b"Exif\0\0" + tags + b"\0\0\0\0"
    turned = photos.grace().transpose(Image.Transpose.ROTATE_180)
    picture = decode(photos.encoded(turned, quality=95, exif=exif), LIMITS)
    assert mean_difference(picture, photos.grace()) < 3


def test_only_so_many_pictures_are_in_memory_at_once() -> None:
    gate = PictureGate(places=2, timeout_s=0.05)
    with gate.place(), gate.place(), pytest.raises(Overloaded), gate.place():
        pass
    with gate.place():
        pass


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_each_format_decodes(form: str) -> None:
    picture = decode(photos.encoded(photos.astronaut(), form), LIMITS)
    assert picture.dtype == np.uint8
    assert mean_difference(picture, photos.astronaut()) < 5


def jpegs() -> Iterator[tuple[str, bytes]]:
    """Of many kinds, and what they are called."""
    odd = photos.grace().resize((333, 251))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
        for progressive in (False, True):
            kind = f"{subsampling}{' progressive' * progressive}"
            yield kind, photos.encoded(odd, subsampling=subsampling, progressive=progressive)
    yield "grey", photos.encoded(odd.convert("L"))
    yield "no colour transform", photos.encoded(odd, keep_rgb=True)
    yield "restart markers", photos.encoded(odd, restart_marker_rows=1)
    yield "several pictures", photos.encoded(odd, "MPO", save_all=True, append_images=[odd])
    yield "CMYK", photos.encoded(odd.convert("CMYK"))
    yield "something behind it", photos.encoded(odd) + b"appended"
    data = photos.encoded(odd)
    yield "a little missing", data[:9000] + data[9300:]


@pytest.mark.parametrize("data", [pytest.param(data, id=kind) for kind, data in jpegs()])
def test_a_jpeg_has_the_pixels_that_pillow_gives(data: bytes) -> None:
    """Embeddings that were made before simplejpeg decoded stay what they are."""
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode(data, LIMITS), wanted)


LEFT_TO_PILLOW = {"CMYK", "a little missing"}


@pytest.mark.parametrize(("kind", "data"), [pytest.param(*each, id=each[0]) for each in jpegs()])
def test_whole_jpegs_of_three_colours_or_grey_are_not_left_to_pillow(
    kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Image.Image] = []
    monkeypatch.setattr(images, "_fill", lambda picture, image: left.append(image))
    decode(data, LIMITS)
    assert bool(left) == (kind in LEFT_TO_PILLOW)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr"])
def test_each_colour_mode_becomes_rgb(mode: str) -> None:
    form = "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG"
    source = photos.grace().convert(mode)
    picture = decode(photos.encoded(source, form), LIMITS)
    assert mean_difference(picture, source) < 4


def test_sixteen_bits_keep_the_picture() -> None:
    picture = decode(photos.sixteen_bit_grey(photos.grace()), LIMITS)
    assert mean_difference(picture, photos.grace().convert("L")) < 1


def test_transparent_parts_become_white() -> None:
    clear = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    assert decode(photos.encoded(clear, "PNG"), LIMITS).min() == 255


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(form: str) -> None:
    picture = decode(photos.animated(photos.grace(), form), LIMITS)
    assert mean_difference(picture, photos.grace()) < 6


def test_a_png_named_jpg_is_told_by_its_content() -> None:
    assert decode(photos.encoded(photos.grace(), "PNG"), LIMITS).shape == (600, 512, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        photos.grace_bytes()[:5000],
        photos.grace_bytes()[:-2000],
        photos.encoded(photos.grace(), "PNG")[:3000],
        photos.encoded(photos.grace(), "WEBP")[:3000],
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 200,
    ],
    ids=["empty", "head", "cut", "end cut", "png cut", "webp cut", "webp head", "png zeros"],
)
def test_a_damaged_file_is_called_damaged(data: bytes) -> None:
    with pytest.raises(ImageDamaged):
        decode(data, LIMITS)


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PDF"])
def test_other_types_are_refused_by_content(form: str) -> None:
    with pytest.raises(ImageTypeUnsupported, match="JPEG, PNG or WebP"):
        decode(photos.encoded(photos.grace(), form), LIMITS)


def test_text_is_not_a_picture() -> None:
    with pytest.raises(ImageTypeUnsupported):
        decode(b"<svg xmlns='http://www.w3.org/2000/svg'/>", LIMITS)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageTooLarge, match="40000000 pixels"):
        decode(photos.bomb(), LIMITS)


SIDE = 4000
PEAK = """
import re, sys
from pathlib import Path
from service.images import ImageLimits, decode

def peak():
    # the resource usage would count the process that this one was forked from
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

limits = ImageLimits(10**8, 10**8)
decode(Path("service/cli/smoke.jpg").read_bytes(), limits)
data = Path(sys.argv[1]).read_bytes()
before = peak()
size = decode(data, limits).nbytes
print((peak() - before) / size)
"""


@pytest.mark.parametrize("kind", ["RGB", "turned", "RGBA", "P", "CMYK", "I;16"])
def test_decoding_takes_little_more_memory_than_the_picture_and_its_file(
    kind: str, tmp_path: Path
) -> None:
    """A file of a few kilobytes may have as many pixels as are allowed."""
    if kind == "I;16":
        image = Image.fromarray(np.full((SIDE, SIDE), 3000, dtype=np.uint16))
    else:
        image = Image.new("RGB" if kind == "turned" else kind, (SIDE, SIDE))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6 if kind == "turned" else 1
    file = tmp_path / "large"
    form = "PNG" if kind in {"RGBA", "P", "I;16"} else "JPEG"
    image.save(file, form, exif=exif, **({"transparency": 0} if kind == "P" else {}))
    command = [sys.executable, "-c", PEAK, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 3, "times the picture's own bytes"


def test_limits_are_inclusive() -> None:
    data = photos.grace_bytes()
    exact = ImageLimits(max_bytes=len(data), max_pixels=512 * 600)
    assert decode(data, exact).shape == (600, 512, 3)
    with pytest.raises(ImageTooLarge, match="bytes"):
        decode(data, ImageLimits(max_bytes=len(data) - 1, max_pixels=512 * 600))
    with pytest.raises(ImageTooLarge, match="pixels"):
        decode(data, ImageLimits(max_bytes=len(data), max_pixels=512 * 600 - 1))
