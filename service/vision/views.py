"""Pictures at rising sizes, and the search for faces in them.

A detector's cost grows with the pixels, so it first sees the picture at a bounded working size, and
larger only when it found nothing.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.domain.faces import Box, DetectedFace, Point
from service.ports import Picture

WORKING_SIDES = (1024, 2048, 4096)
"""Longest side, in pixels, of the picture that the detector sees, one after the other until it
finds a face. The window of dlib's detector is 80 px, so it finds faces of about a 13th, 26th and
51st of the longer side."""
LARGEST_ENLARGEMENT = 2.0
"""Small pictures are enlarged at most this much: beyond it the detector sees blur."""


class View(NamedTuple):
    """The picture at another size; `x_scale` and `y_scale` are its size over the original's."""

    picture: Picture
    x_scale: float
    y_scale: float

    def point(self, x: float, y: float) -> Point:
        """A point of the view in the original's pixels: pixel centres lie at half steps."""
        return ((x + 0.5) / self.x_scale - 0.5, (y + 0.5) / self.y_scale - 0.5)

    def box(self, left: float, top: float, width: float, height: float) -> Box:
        """A box of the view in the original's pixels."""
        return Box(
            round(left / self.x_scale),
            round(top / self.y_scale),
            round(width / self.x_scale),
            round(height / self.y_scale),
        )


See = Callable[[View], list[DetectedFace]]
"""What a detector finds in a view, in the original's pixels."""


def search(
    picture: Picture, see: See, *, certain_score: float, thorough: bool
) -> list[DetectedFace]:
    """The faces of the first view that shows a certain one.

    Faces below `certain_score` count only where no view shows a certain one. `thorough`: those of
    larger views too, up to the first that adds none, and no doubtful ones.
    """
    doubtful: list[DetectedFace] = []
    rising = views(picture)
    for view in rising:
        found = see(view)
        certain = [face for face in found if face.score >= certain_score]
        if certain:
            return _with_smaller(certain, rising, see, certain_score) if thorough else certain
        doubtful = doubtful or found
    return [] if thorough else doubtful


def _with_smaller(
    known: list[DetectedFace], larger: Iterator[View], see: See, certain_score: float
) -> list[DetectedFace]:
    """The known faces and those that larger views add, up to the first that adds none."""
    faces = list(known)
    for view in larger:
        new = [
            face
            for face in see(view)
            if face.score >= certain_score and not any(_overlap(face.box, k.box) for k in faces)
        ]
        if not new:
            break
        faces += new
    return faces


def views(picture: Picture) -> Iterator[View]:
    """The picture at each working side that it has the pixels for."""
    import cv2

    height, width = picture.shape[:2]
    longest = max(height, width)
    reached = 0
    for side in WORKING_SIDES:
        target = min(side, round(longest * LARGEST_ENLARGEMENT) if reached else longest)
        if target <= reached:
            return
        reached = target
        size = (max(1, round(width * target / longest)), max(1, round(height * target / longest)))
        if size == (width, height):
            yield View(picture, 1.0, 1.0)
            continue
        how = cv2.INTER_AREA if target < longest else cv2.INTER_LINEAR
        view = cv2.resize(picture, size, interpolation=how)
        yield View(view, size[0] / width, size[1] / height)


def _overlap(one: Box, other: Box) -> bool:
    """Whether one box's centre lies in the other."""

    def holds(box: Box, inner: Box) -> bool:
        x, y = inner.left + inner.width / 2, inner.top + inner.height / 2
        return box.left <= x <= box.left + box.width and box.top <= y <= box.top + box.height

    return holds(one, other) or holds(other, one)
