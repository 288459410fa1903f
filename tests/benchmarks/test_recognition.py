"""The benchmark runs and prints every stage. What it measures is not asserted."""

import shutil
import subprocess
import sys
from pathlib import Path

import service

ROOT = Path(__file__).parents[2]


def test_it_prints_every_stage_and_the_ratio_to_deepface(tmp_path: Path) -> None:
    shutil.copy(Path(service.__file__).parent / "cli" / "smoke.jpg", tmp_path / "one.jpg")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.recognition", str(tmp_path), "--deepface", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for stage in ("decode", "detect, landmarks", "chip", "embed, dlib", "whole, onnxruntime"):
        assert any(line.startswith(stage) for line in lines)
    assert "times as fast as DeepFace" in lines[-1]


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.recognition", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no photograph" in done.stderr
