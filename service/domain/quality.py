"""How well a face can be seen, and what is asked of it before it is enrolled or searched for."""

from dataclasses import dataclass
from enum import StrEnum

from service.errors import FaceUnfit


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be seen.

    `size`: side of the square as large as the box, in pixels of the picture. The next three are of
    the box's grey values at 112 x 112. `sharpness`: 0..1, 1 less the share of the differences
    between neighbours that blurring once more leaves; a face smaller than 112 was enlarged, so it
    counts as unsharp, and one in weak light does not. `brightness`: their mean, 0..255. `contrast`:
    their standard deviation, 0..127.5. `score`: the detector's own, on its own scale. `roll`:
    degrees that the line through the eyes is turned clockwise, -180..180. `yaw`: estimated degrees
    that the head is turned away from the camera, -90..90, positive to the person's left. The last
    two are None where the detector finds no eyes, or no nose.
    """

    size: float
    sharpness: float
    brightness: float
    contrast: float
    score: float
    roll: float | None = None
    yaw: float | None = None


class Reason(StrEnum):
    """Why a face is refused; stable, for programs."""

    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    EXTREME_POSE = "extreme_pose"
    LOW_SCORE = "low_score"


@dataclass(frozen=True, slots=True)
class QualityRules:
    """The least and the most of each measure of `Quality`; None is not checked, and neither is a
    measure that the face does not have. `max_yaw` holds to both sides."""

    min_size: float | None = None
    min_sharpness: float | None = None
    min_brightness: float | None = None
    max_brightness: float | None = None
    min_contrast: float | None = None
    max_yaw: float | None = None
    min_score: float | None = None


UNCHECKED = QualityRules()


@dataclass(frozen=True, slots=True)
class QualityPolicy:
    """What is asked of a face to be enrolled, and of one to be searched for."""

    enrolment: QualityRules
    search: QualityRules


@dataclass(frozen=True, slots=True)
class Flaw:
    """One measure that breaks a rule. `str` of it is part of a sentence that says what to do."""

    reason: Reason
    measured: float
    limit: float

    def __str__(self) -> str:
        return _TEXTS[self.reason].format(f"{self.measured:.4g}", f"{self.limit:.4g}")


_TEXTS = {
    Reason.TOO_SMALL: (
        "it measures {0} pixels and needs {1} (too_small): come closer or send a larger photograph"
    ),
    Reason.TOO_BLURRED: (
        "its sharpness is {0} of 1 and must be {1} at least (too_blurred): focus, hold still, or "
        "come closer"
    ),
    Reason.TOO_DARK: "its brightness is {0} of 255 and must be {1} at least (too_dark): add light",
    Reason.TOO_BRIGHT: (
        "its brightness is {0} of 255 and may be {1} at most (too_bright): expose it less"
    ),
    Reason.LOW_CONTRAST: (
        "its contrast is {0} of 127 and must be {1} at least (low_contrast): clean the lens, "
        "and do not take it against the light"
    ),
    Reason.EXTREME_POSE: (
        "the head is turned by some {0} degrees and may be by {1} (extreme_pose): look at the "
        "camera"
    ),
    Reason.LOW_SCORE: (
        "the detector's score is {0} and must be {1} at least (low_score): show the whole face, "
        "uncovered"
    ),
}


def flaws(quality: Quality, rules: QualityRules) -> tuple[Flaw, ...]:
    """Every rule that the face breaks; a value at its limit is fine."""
    yaw = None if quality.yaw is None else abs(quality.yaw)
    found = (
        _least(Reason.TOO_SMALL, quality.size, rules.min_size),
        _least(Reason.TOO_BLURRED, quality.sharpness, rules.min_sharpness),
        _least(Reason.TOO_DARK, quality.brightness, rules.min_brightness),
        _most(Reason.TOO_BRIGHT, quality.brightness, rules.max_brightness),
        _least(Reason.LOW_CONTRAST, quality.contrast, rules.min_contrast),
        _most(Reason.EXTREME_POSE, yaw, rules.max_yaw),
        _least(Reason.LOW_SCORE, quality.score, rules.min_score),
    )
    return tuple(flaw for flaw in found if flaw is not None)


def _least(reason: Reason, measured: float, limit: float | None) -> Flaw | None:
    return None if limit is None or measured >= limit else Flaw(reason, measured, limit)


def _most(reason: Reason, measured: float | None, limit: float | None) -> Flaw | None:
    if measured is None or limit is None or measured <= limit:
        return None
    return Flaw(reason, measured, limit)


def check(quality: Quality | None, rules: QualityRules) -> None:
    """Raises FaceUnfit, with every reason, for a face that breaks a rule; an unrated one passes."""
    found = () if quality is None else flaws(quality, rules)
    if found:
        raise FaceUnfit({flaw.reason.value: str(flaw) for flaw in found})
