"""Every replica converges to exactly the committed rows; one that does not is caught."""

import random
import sys

import pytest

from tests.convergence.faults import FAULTS, calm, failover, lonely_commits
from tests.convergence.trial import Fault, run

CAUGHT = ("not what that version holds", "not equal in time")


@pytest.mark.timeout(400)
def test_replicas_converge_whatever_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.getrandbits(32)
    record = run(seed=seed)
    with capsys.disabled():
        sys.stdout.write(f"\nseed: {seed}\n{record.summary()}\n")
    assert record.violations == []
    assert [fault for fault in FAULTS if not record.counts[f"faults: {fault.__name__}"]] == []
    assert record.counts["answers checked"] > 0
    assert record.counts["audits"] > 0


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("broken", "fault", "writing"),
    [("sequence", calm, True), ("deaf", lonely_commits, False), ("markless", failover, True)],
)
def test_a_broken_reader_is_caught(broken: str, fault: Fault, writing: bool) -> None:
    record = run(seed=random.getrandbits(32), faults=[fault], broken=broken, writing=writing)
    # a mistake of the harness itself is a violation too, and would prove nothing here
    assert [each for each in record.violations if any(words in each for words in CAUGHT)]
    assert not [each for each in record.violations if " failed: " in each]
