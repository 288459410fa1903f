"""The pyramid that dlib's detector scans, looked at from a level below its finest one.

Level 0 is the picture, each next one has five sixths of its sides, and a window of a fixed size
runs over all of them. The finest levels find the smallest faces, and take most of the time: a scan
from level 5 on takes a sixth of it. A face that it finds is what a whole scan finds: the same
pixels give the same score, and from its box in the pixels of level 5 follows where the window
stood, and so the box that a whole scan rounds to the picture's pixels.
"""

from dataclasses import dataclass
from math import floor, log
from typing import Any

from service.ports import Picture

STARTS = (5, 3)
"""Levels from which a scan for the largest face begins, one after the other until one is enough."""
CONFIRMED = 1
"""How many levels smaller a face would have to be to be missed: where a level below was scanned
and gave it a lower score, its size is the best one."""
SURE_SCORE = 1.0
"""A smaller box takes the place of a larger one only with a higher score: a low one is not sure."""

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
    levels = [picture]
    for start in STARTS:
        if _ends_alike(picture, start):
            _extend(levels, start)
            hits = [hit for hit in scan(detector, levels[start]) if hit.score >= certain_score]
            largest = _largest(hits, start)
            if largest:
                return largest
    return []


def _largest(hits: list[Hit], start: int) -> list[Hit]:
    """Of what was found from level `start` on, in pixels of the picture; none unless it is sure."""
    placed = [_placed(hit, start) for hit in hits]
    known = [each for each in placed if each is not None]
    if not known or len(known) < len(placed):
        return []
    level, largest = max(known, key=lambda each: each[0])
    if level < start + CONFIRMED or largest.score < SURE_SCORE:
        return []
    return [hit for level, hit in known if level >= start + CONFIRMED]


def _extend(levels: list[Picture], last: int) -> None:
    """Down to that level, as dlib makes them: each from the one before."""
    import dlib

    while len(levels) <= last:
        height, width = levels[-1].shape[:2]
        levels.append(dlib.resize_image(levels[-1], rows=height * 5 // 6, cols=width * 5 // 6))


def _ends_alike(picture: Picture, start: int) -> bool:
    """Whether a scan from that level ends where a whole one does: dlib counts by sides that it
    rounds otherwise than it makes the levels."""
    height, width = picture.shape[:2]
    whole = _levels(height, width)
    for _ in range(start):
        height, width = height * 5 // 6, width * 5 // 6
    return whole > start and whole == start + _levels(height, width)


def _levels(height: int, width: int) -> int:
    """How many dlib scans of a picture of that size."""
    count, sides = 0, [(0, height - 1), (0, width - 1)]
    while not count or min(last - first + 1 for first, last in sides) >= SMALLEST_LEVEL:
        sides = [(_rounded(_down(first)), _rounded(_down(last))) for first, last in sides]
        count += 1
    return count


def _placed(hit: Hit, start: int) -> tuple[int, Hit] | None:
    """The level of a box that was found in the pixels of level `start`, and the box as a whole scan
    gives it; None for one whose window cannot be told: dlib widens those that begin outside the
    picture."""
    above = max(0, round(log((hit.right - hit.left) / SPAN, RATIO)))
    left, top, right, bottom = (
        _window(side, above) for side in (hit.left, hit.top, hit.right, hit.bottom)
    )
    if left is None or top is None or right is None or bottom is None:
        return None
    if {right - left, bottom - top} != {SPAN}:
        return None
    level = above + start
    left, top, right, bottom = (_rounded(_up(side, level)) for side in (left, top, right, bottom))
    return level, Hit(left, top, right, bottom, hit.score)


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
