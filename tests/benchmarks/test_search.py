"""The benchmark runs and prints every case. What it measures is not asserted."""

import subprocess
import sys
from pathlib import Path

from benchmarks.search import CASES

ROOT = Path(__file__).parents[2]


def test_it_prints_every_case() -> None:
    arguments = ["--faces", "300", "--dimension", "128", "--searches", "3"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.search", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for case in (*(each.name for each in CASES), "by SQL alone, best face"):
        assert any(line.startswith(case) for line in lines), case
