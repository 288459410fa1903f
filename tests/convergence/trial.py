"""One run: faults one after another under load, and what was seen of them."""

import random
import time
from collections.abc import Callable, Iterator, Sequence

from tests.convergence.faults import FAULTS
from tests.convergence.record import Record
from tests.convergence.site import Site, running_site

BETWEEN_S = 0.5

Fault = Callable[[Site], bool | None]


def run(
    *,
    seed: int,
    faults: Sequence[Fault] = FAULTS,
    seconds: float = 0.0,
    broken: str | None = None,
    writing: bool = True,
) -> Record:
    """Every fault once, in an order that the seed gives, and again until the seconds are over."""
    with running_site(seed=seed, broken=broken, writing=writing) as site:
        for fault in _in_turn(faults, seconds, random.Random(seed)):
            time.sleep(BETWEEN_S)
            outcome = "skipped" if fault(site) is False else "faults"
            site.record.count(f"{outcome}: {fault.__name__}")
            site.settle(fault.__name__)
        return site.record


def _in_turn(faults: Sequence[Fault], seconds: float, order: random.Random) -> Iterator[Fault]:
    end = time.monotonic() + seconds
    while True:
        yield from order.sample(faults, len(faults))
        if time.monotonic() >= end:
            return
