"""What a run did and found."""

import threading
from collections import Counter

SHOWN = 20
CHIEF = ("writes", "audits", "kills")
"""Counts that the summary ends with."""


class Record:
    """Written to by every thread of a run."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.slowest_s = 0.0
        """Longest time from the end of a fault, or of the last commits after it, to equality."""
        self._lock = threading.Lock()

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def violation(self, what: str) -> None:
        with self._lock:
            self.violations.append(what)

    def converged(self, after_s: float) -> None:
        self.slowest_s = max(self.slowest_s, after_s)

    def summary(self) -> str:
        lines = [f"{what}: {self.counts[what]}" for what in sorted(self.counts.keys() - set(CHIEF))]
        lines += [f"slowest convergence: {self.slowest_s:.2f} s"]
        lines += [f"VIOLATION {what}" for what in self.violations[:SHOWN]]
        lines += [f"{what}: {self.counts[what]}" for what in CHIEF]
        return "\n".join([*lines, f"violations: {len(self.violations)}"])
