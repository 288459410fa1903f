"""Re-embedding: a gallery's faces in a second space, from their photographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from service.domain.faces import Box, DetectedFace

SAME_FACE = 0.25
"""Intersection over union of two detectors' boxes of one face: far above that of two neighbours in
a group photograph, and below what a tight and a wide box of one face have in common."""


@dataclass(frozen=True, slots=True)
class MissingFace:
    """An enrolled face without an embedding in one of its gallery's spaces.

    `image_sha256` and `box` are None where it was enrolled as an embedding. `code` and `reason` say
    why the last try failed; None: there was none.
    """

    face_id: UUID
    external_id: str
    image_sha256: bytes | None
    image_name: str | None
    box: Box | None
    code: str | None
    reason: str | None


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0, width) * max(0, height)
    return shared / (one.area + other.area - shared) if shared else 0.0


def same_face(box: Box, found: Sequence[DetectedFace]) -> DetectedFace | None:
    """The face that a detector found where another one had found `box` in the same picture."""
    best = max(found, key=lambda face: overlap(box, face.box), default=None)
    return best if best is not None and overlap(box, best.box) >= SAME_FACE else None


def middle_face(width: int, height: int, found: Sequence[DetectedFace]) -> DetectedFace | None:
    """The face of a chip, which was cut out around it: the largest that covers its middle."""
    x, y = width / 2, height / 2
    return max(
        (face for face in found if _covers(face.box, x, y)),
        key=lambda face: face.box.area,
        default=None,
    )


def _covers(box: Box, x: float, y: float) -> bool:
    return box.left <= x <= box.left + box.width and box.top <= y <= box.top + box.height
