"""The pyramid that dlib's detector scans, looked at from a level below its finest one.

Level 0 is the picture, each next one has five sixths of its sides, and a window of a fixed size
runs over all of them. The finest levels find the smallest faces, and take most of the time: a scan
from level 4 on takes a quarter of it. A face that it finds is what a whole scan finds: the same
pixels give the same score, and from its box in the pixels of level 4 follows where the window
stood, and so the box that a whole scan rounds to the picture's pixels.
"""

from dataclasses import dataclass
from math import floor, log
from typing import Any

from service.ports import Picture

SKIPPED = 4
"""Levels that a scan for the largest face does without."""
CONFIRMED = 1
"""How many levels smaller a face would have to be to be missed: where a level below was scanned
and gave it a lower score, its size is the best one."""
SURE_SCORE = 1.0
"""A smaller box takes a face's place only with a higher score. Above this one there was never any
but the face itself."""

RATIO, SHIFT = 6 / 5, 0.3
"""dlib's: a point of a level lies at `point * RATIO + SHIFT` of the next finer one."""
SPAN = 72
"""From the first to the last pixel of a box in its own level."""
CELL, CELL_SHIFT = 8, 5
"""Boxes in their own level begin and end at pixels CELL * n + CELL_SHIFT."""
SMALLEST_LEVEL = 64
"""dlib scans on until a level is less wide or high."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A box in whole pixels of the picture, the last ones belonging to it, and its score."""

    left: int
    top: int
    right: int
    bottom: int
    score: float


def scan(detector: Any, picture: Picture) -> list[Hit]:
    """What dlib's detector finds in all levels, highest score first."""
    boxes, scores, _ = detector.run(picture, 0, 0.0)
    return [
        Hit(box.left(), box.top(), box.right(), box.bottom(), float(score))
        for box, score in zip(boxes, scores, strict=True)
    ]


def scan_for_largest(detector: Any, picture: Picture, certain_score: float) -> list[Hit]:
    """Of what `scan` finds with that score the largest ones, in its order; none where only a whole
    scan can tell which is the largest."""
    if not _ends_alike(picture):
        return []
    hits = scan(detector, _coarse(picture))
    placed = [_placed(hit) for hit in hits if hit.score >= certain_score]
    known = [each for each in placed if each is not None]
    if not known or len(known) < len(placed):
        return []
    level, largest = max(known, key=lambda each: each[0])
    confirmed = [hit for level, hit in known if level >= SKIPPED + CONFIRMED]
    sure = level >= SKIPPED + CONFIRMED and largest.score >= SURE_SCORE
    return confirmed if sure else []


def _coarse(picture: Picture) -> Picture:
    """The first level that is scanned, as dlib makes it: each from the one before."""
    import dlib

    for _ in range(SKIPPED):
        height, width = picture.shape[:2]
        picture = dlib.resize_image(picture, rows=height * 5 // 6, cols=width * 5 // 6)
    return picture


def _ends_alike(picture: Picture) -> bool:
    """Whether the scan ends at the level where a whole one does: dlib counts by sides that it
    rounds otherwise than it makes the levels."""
    height, width = picture.shape[:2]
    whole = _levels(height, width)
    for _ in range(SKIPPED):
        height, width = height * 5 // 6, width * 5 // 6
    return whole > SKIPPED and whole == SKIPPED + _levels(height, width)


def _levels(height: int, width: int) -> int:
    """How many dlib scans of a picture of that size."""
    count, sides = 0, [(0, height - 1), (0, width - 1)]
    while not count or min(last - first + 1 for first, last in sides) >= SMALLEST_LEVEL:
        sides = [(_rounded(_down(first)), _rounded(_down(last))) for first, last in sides]
        count += 1
    return count


def _placed(hit: Hit) -> tuple[int, Hit] | None:
    """The level of a box that was found in the pixels of level SKIPPED, and the box as a whole scan
    gives it; None for one whose window cannot be told: dlib widens those that begin outside the
    picture."""
    above = max(0, round(log((hit.right - hit.left) / SPAN, RATIO)))
    left, top, right, bottom = (
        _window(side, above) for side in (hit.left, hit.top, hit.right, hit.bottom)
    )
    if left is None or top is None or right != left + SPAN or bottom != top + SPAN:
        return None
    level = above + SKIPPED
    sides = (_rounded(_up(side, level)) for side in (left, top, right, bottom))
    return level, Hit(*sides, hit.score)


def _window(side: int, above: int) -> int | None:
    """Where in its own level a side stands that was rounded `above` levels further up."""
    place = float(side)
    for _ in range(above):
        place = _down(place)
    exact = round((place - CELL_SHIFT) / CELL) * CELL + CELL_SHIFT
    return exact if _rounded(_up(exact, above)) == side else None


def _up(place: float, levels: int) -> float:
    for _ in range(levels):
        place = place * RATIO + SHIFT
    return place


def _down(place: float) -> float:
    return (place - SHIFT) / RATIO


def _rounded(place: float) -> int:
    return floor(place + 0.5)
