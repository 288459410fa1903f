"""Which rules a face breaks, and what the refusal says."""

from dataclasses import replace

import pytest

from service.domain.quality import Quality, QualityRules, Reason, check, flaws
from service.errors import FaceUnfit

GOOD = Quality(size=120, sharpness=0.6, brightness=130, contrast=50, score=2.0, roll=3.0, yaw=-5.0)
RULES = QualityRules(
    min_size=60,
    min_sharpness=0.3,
    min_brightness=30,
    max_brightness=200,
    min_contrast=8,
    max_yaw=40,
    min_score=0.5,
)
FLAWED = [
    ("size", 59.9, Reason.TOO_SMALL),
    ("sharpness", 0.29, Reason.TOO_BLURRED),
    ("brightness", 29.9, Reason.TOO_DARK),
    ("brightness", 200.1, Reason.TOO_BRIGHT),
    ("contrast", 7.9, Reason.LOW_CONTRAST),
    ("yaw", 40.1, Reason.EXTREME_POSE),
    ("yaw", -40.1, Reason.EXTREME_POSE),
    ("score", 0.49, Reason.LOW_SCORE),
]


@pytest.mark.parametrize(("measure", "value", "reason"), FLAWED)
def test_each_measure_beyond_its_limit_is_a_reason(
    measure: str, value: float, reason: Reason
) -> None:
    (flaw,) = flaws(replace(GOOD, **{measure: value}), RULES)
    assert flaw.reason is reason
    assert flaw.measured == abs(value)
    with pytest.raises(FaceUnfit) as refusal:
        check(replace(GOOD, **{measure: value}), RULES)
    assert refusal.value.reasons == (reason.value,)
    for part in (reason.value, f"{flaw.measured:g}", f"{flaw.limit:g}", ": "):
        assert part in str(refusal.value)


def test_every_reason_is_among_them() -> None:
    assert {reason for _, _, reason in FLAWED} == set(Reason)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("size", 60),
        ("sharpness", 0.3),
        ("brightness", 30),
        ("brightness", 200),
        ("contrast", 8),
        ("yaw", 40),
        ("yaw", -40),
        ("score", 0.5),
    ],
)
def test_a_value_at_its_limit_is_fine(measure: str, value: float) -> None:
    assert flaws(replace(GOOD, **{measure: value}), RULES) == ()


def test_all_that_is_wrong_is_said_at_once() -> None:
    face = replace(GOOD, size=20, brightness=10, contrast=2)
    with pytest.raises(FaceUnfit) as refusal:
        check(face, RULES)
    assert refusal.value.reasons == ("too_small", "too_dark", "low_contrast")
    assert "20 pixels and needs 60" in str(refusal.value)


def test_what_was_not_measured_or_has_no_limit_breaks_no_rule() -> None:
    assert flaws(replace(GOOD, yaw=None), RULES) == ()
    worst = Quality(size=0, sharpness=0, brightness=0, contrast=0, score=-9, roll=90, yaw=90)
    assert flaws(worst, QualityRules()) == ()
    check(None, RULES)
