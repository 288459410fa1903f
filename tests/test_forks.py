"""What the tests fork is what they would start."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.forks import UNMEASURED, Fork, forks

PROGRAM = "tests.fakes.program"


def variables(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in UNMEASURED} | more


def forked(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return forks().run(PROGRAM, *arguments, environment=variables(**more))


def endless(folder: Path) -> Fork:
    with (folder / "log").open("ab") as log:
        return forks().start(
            PROGRAM, "forever", environment=variables(), out=log.fileno(), err=log.fileno()
        )


@pytest.mark.parametrize("code", ["0", "5"])
def test_a_forked_process_finds_what_a_started_one_does_and_ends_alike(code: str) -> None:
    started = subprocess.run(
        [sys.executable, "-m", PROGRAM, code, "more"],
        env=variables(ODD="größer"),
        capture_output=True,
        text=True,
        check=False,
    )
    done = forked(code, "more", ODD="größer")
    assert json.loads(done.stdout) == json.loads(started.stdout)
    assert (done.returncode, done.stderr) == (started.returncode, started.stderr)
    assert done.returncode == int(code)


def test_nothing_of_one_reaches_the_next() -> None:
    assert "ODD" in json.loads(forked("0", ODD="1").stdout)["variables"]
    assert "ODD" not in json.loads(forked("0").stdout)["variables"]


def test_several_run_at_once() -> None:
    with ThreadPoolExecutor(4) as callers:
        done = list(callers.map(forked, map(str, range(8))))
    assert [each.returncode for each in done] == list(range(8))


def test_an_exception_is_told_as_python_tells_it() -> None:
    done = forked("no number")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: invalid literal for int() with base 10: 'no number'\n")


def test_a_signal_ends_it_and_is_told(tmp_path: Path) -> None:
    process = endless(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == process.poll() == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)  # to nobody: the number may be another's by now


def test_its_output_is_written_where_it_was_told(tmp_path: Path) -> None:
    process = endless(tmp_path)
    end = time.monotonic() + 10
    while "grüße" not in (tmp_path / "log").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
