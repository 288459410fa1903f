"""Processes of the program, each forked from one that has loaded what the program imports.

Loading that is nearly all of a command's time and of a start, and coverage follows it. What is
forked differs from what is started in nothing else: its module is run as `python -m` runs it, with
arguments, variables, folder, output and exit code of its own.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import Lock

UNMEASURED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""What has a process's coverage measured, which takes a third of its start. One that is killed,
or cannot write, leaves a broken file of measurements behind."""
LOADED = (
    "coverage",
    "service.cli",
    "service.wiring",
    "service.diagnosis",
    "service.web",
    "service.index",
)
LONGEST = 200_000
"""Of one process's arguments and variables, in bytes."""
TIMEOUT_S = 110.0
NUMBER = struct.Struct("i")


class Fork:
    """A process, with what the tests use of `subprocess.Popen`."""

    def __init__(self, module: str, arguments: tuple[str, ...], state: int) -> None:
        self.args = (module, *arguments)
        self.returncode: int | None = None
        self._state = state
        self._asking = Lock()
        self.pid = self._told()

    def poll(self) -> int | None:
        with self._asking:
            if self.returncode is None and self._ended():
                self.returncode = self._told()
                os.close(self._state)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _ended(self) -> bool:
        return bool(select.select([self._state], [], [], 0)[0])

    def _told(self) -> int:
        told = os.read(self._state, NUMBER.size)
        assert told, "the process from which others are forked is gone"
        return int(NUMBER.unpack(told)[0])


class Forks:
    """The loaded process, as the tests see it."""

    def __init__(self) -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={name: value for name, value in os.environ.items() if name not in UNMEASURED},
            )

    def start(
        self, module: str, *arguments: str, environment: Mapping[str, str], out: int, err: int
    ) -> Fork:
        """`environment` is all of it; `out` and `err` are files where it writes."""
        state, told = os.pipe()
        asked = json.dumps([module, arguments, dict(environment), os.getcwd()]).encode()
        socket.send_fds(self._asked, [asked], [out, err, told])
        os.close(told)
        return Fork(module, arguments, state)

    def run(
        self, module: str, *arguments: str, environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        """To its end and until nobody holds its output any more, as `subprocess.run` does."""
        (out, err), (to_out, to_err) = zip(os.pipe(), os.pipe(), strict=True)
        process = self.start(module, *arguments, environment=environment, out=to_out, err=to_err)
        os.close(to_out)
        os.close(to_err)
        with ThreadPoolExecutor(2) as readers:
            texts = [readers.submit(_read, file) for file in (out, err)]
            try:
                code = process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                raise
            return subprocess.CompletedProcess(
                process.args, code, *(text.result(TIMEOUT_S) for text in texts)
            )

    def close(self) -> None:
        self._asked.close()
        self._process.wait()


def _read(file: int) -> str:
    with open(file, encoding="utf-8") as reading:
        return reading.read()


@cache
def forks() -> Forks:
    """This process's, started by the first who asks."""
    made = Forks()
    atexit.register(made.close)
    return made


@dataclass(frozen=True)
class Program:
    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str

    def run(self) -> None:
        import coverage

        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        coverage.process_startup()
        sys.argv[1:] = self.arguments
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def next_program(asked: socket.socket) -> Program | None:
    """In each process that is asked for, what it is to run; None in this one, in the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for a program
    while True:
        message, files, _, _ = socket.recv_fds(asked, LONGEST, 3)
        if not message:
            return None
        if not os.fork():
            asked.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _forked(Program(*json.loads(message)), *files)
        for file in files:
            os.close(file)


def _forked(program: Program, out: int, err: int, state: int) -> Program:
    """Returns in the program's process; its parent tells the number of it, and how it ended."""
    if pid := os.fork():
        os.close(out)
        os.close(err)
        os.write(state, NUMBER.pack(pid))
        _, status = os.waitpid(pid, 0)
        os.write(state, NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for file in {out, err, state}:
        os.close(file)
    return program


def main() -> None:
    for module in LOADED:
        import_module(module)
    gc.freeze()  # what a collection touches is copied in each process
    program = next_program(socket.socket(fileno=int(sys.argv[1])))
    if program:
        program.run()


if __name__ == "__main__":
    main()
