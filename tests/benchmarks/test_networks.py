"""The benchmark runs and has a row for every engine at hand. What it measures is not asserted."""

import subprocess
import sys
from pathlib import Path

from service.vision.engines import GRAPH_ENGINES
from service.vision.sessions import at_hand

ROOT = Path(__file__).parents[2]


def test_every_engine_at_hand_has_a_row_beside_deepfaces() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.networks", "Dlib", "--repeat", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()[2:]
    names = [*filter(at_hand, GRAPH_ENGINES), "DeepFace's own call"]
    assert [row[:26].strip() for row in rows] == names
    assert rows[-1].endswith(" 1.0")
