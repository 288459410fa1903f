from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.domain.faces import DetectedFace
from service.images import ImageLimits, decode
from service.ports import Picture
from service.vision.dlib_analyser import CERTAIN_SCORE, DlibSlot
from service.vision.dlib_files import frontal_detector
from service.vision.pyramid import Hit, scan, scan_for_largest
from service.vision.views import views

LIMITS = ImageLimits(max_bytes=100_000_000, max_pixels=100_000_000)


@pytest.fixture(scope="module")
def detector() -> Any:
    return frontal_detector()


@pytest.fixture(scope="module")
def slot() -> DlibSlot:
    return DlibSlot()


def area(hit: Hit) -> int:
    return (hit.right - hit.left + 1) * (hit.bottom - hit.top + 1)


def in_order(hits: list[Hit]) -> list[Hit]:
    return sorted((hit for hit in hits if hit.score >= CERTAIN_SCORE), key=area, reverse=True)


def sooner(detector: Any, picture: Picture) -> list[Hit]:
    return in_order(scan_for_largest(detector, picture, CERTAIN_SCORE))


def resized(picture: Picture, factor: float) -> Picture:
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def on_canvas(picture: Picture, top: int, left: int) -> Picture:
    canvas = np.full((720, 1024, 3), 128, dtype=np.uint8)
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def largest(faces: list[DetectedFace]) -> DetectedFace:
    return max(faces, key=lambda face: face.box.area)


def test_of_every_photograph_it_gives_the_box_and_score_of_a_whole_scan(
    detector: Any, slot: DlibSlot, faces_folder: Path
) -> None:
    """And most of them need no whole one."""
    told = 0
    paths = sorted((faces_folder / "images").iterdir())
    for path in paths:
        picture = decode(path.read_bytes(), LIMITS)
        view = next(views(picture))
        whole, found = in_order(scan(detector, view.picture)), sooner(detector, view.picture)
        told += bool(found)
        assert found == [] or found[0] == whole[0], path.name
        assert set(found) <= set(whole), path.name
        first = largest(slot.detect(picture))
        assert first == slot._face(view, whole[0]), path.name
    assert told >= 0.75 * len(paths)


@pytest.mark.parametrize("factor", [0.5, 0.75, 0.9, 1.0, 1.1, 1.19])
@pytest.mark.parametrize("shift", [0, 3])
def test_so_it_does_at_every_size_and_place(
    detector: Any, grace: Picture, factor: float, shift: int
) -> None:
    for turned in (grace, np.ascontiguousarray(grace[:, ::-1])):
        picture = on_canvas(resized(turned, factor), shift, 40 + shift)
        found = sooner(detector, picture)
        assert found == in_order(scan(detector, picture))[: len(found)]
        assert bool(found) == (factor >= 0.75)


def test_a_face_that_only_the_finest_levels_show_is_found_by_a_whole_scan(
    detector: Any, slot: DlibSlot, astronaut: Picture
) -> None:
    picture = on_canvas(resized(astronaut, 0.75), 100, 300)
    assert sooner(detector, picture) == []
    (face,) = slot.detect(picture)
    assert 70 < face.box.width < 110


def test_of_a_large_and_a_small_face_it_gives_the_large_one(
    detector: Any, slot: DlibSlot, grace: Picture, astronaut: Picture
) -> None:
    picture = on_canvas(resized(astronaut, 0.75), 300, 620)
    picture[:600, :512] = grace
    whole = in_order(scan(detector, picture))
    assert len(whole) == 2
    assert sooner(detector, picture) == whole[:1]
    assert [face.box.left < 512 for face in slot.detect(picture)] == [True]
    assert len(slot.detect(picture, thorough=True)) == 2


def test_a_face_cut_off_by_the_edge_is_left_to_a_whole_scan(detector: Any, grace: Picture) -> None:
    picture = np.ascontiguousarray(grace[:, 190:])
    (whole,) = scan(detector, picture)
    assert whole.left < 0
    assert sooner(detector, picture) == []


def test_a_face_that_is_hardly_one_is_left_to_a_whole_scan(detector: Any, grace: Picture) -> None:
    faint = (grace // 16 + 100).astype(np.uint8)
    (whole,) = scan(detector, faint)
    assert CERTAIN_SCORE < whole.score < 1
    assert sooner(detector, faint) == []


@pytest.mark.parametrize("side", [*range(156, 162), *range(188, 194), *range(226, 232)])
def test_where_dlib_would_count_other_levels_it_is_left_to_a_whole_scan(
    detector: Any, grace: Picture, side: int
) -> None:
    """A face as large as the picture is found in the coarsest level, if that is scanned."""
    head = Image.fromarray(grace[100:400, 130:430])
    picture = np.asarray(head.resize((side, side), Image.Resampling.LANCZOS))
    found = sooner(detector, picture)
    assert found == in_order(scan(detector, picture))[: len(found)]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (64, 64), (3000, 40), (90, 130)])
def test_a_picture_too_small_for_it_is_left_to_a_whole_scan(
    detector: Any, height: int, width: int
) -> None:
    assert sooner(detector, np.zeros((height, width, 3), dtype=np.uint8)) == []
