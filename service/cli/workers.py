"""`facematch serve --workers N`: processes that share one port and the pages of the snapshots."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cached_property, partial
from socket import socket
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from service.cli.failures import report
from service.cli.memory import share_heaps
from service.cli.server import Server
from service.errors import FacematchError

if TYPE_CHECKING:
    from service.settings import Settings

LOOK_S = 0.1
FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 30.0

log = logging.getLogger(__name__)


class Worker(Process):
    """A process with our server."""

    @cached_property
    def server(self) -> Server:
        return Server(self.config)


class Supervisor(Multiprocess):
    """Starts the workers, replaces those that end, and stops them all."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self.failed: int | None = None
        """The exit code of a first worker that ended before it served."""
        self._pause_s = FIRST_PAUSE_S
        self._not_before = 0.0

    def init_processes(self) -> None:
        """One first: it downloads what is missing, makes the gallery, or says why it cannot."""
        first = self._start()
        self.processes.append(first)
        while not first.is_ready(LOOK_S):
            self.handle_signals()
            if self.should_exit.is_set():
                return
            if not first.process.is_alive():
                self.failed = first.exitcode
                self.should_exit.set()
                return
            time.sleep(LOOK_S)
        self.processes += [self._start() for _ in range(self.processes_num - 1)]

    def keep_subprocess_alive(self) -> None:
        """Replace those that have ended, ever more slowly while that goes on.

        Uvicorn also pings them and waits for the answer: a worker that is busy in dlib, which holds
        the GIL, would be taken for dead, and one that dies meanwhile keeps signals waiting.
        """
        now = time.monotonic()
        if now < self._not_before:
            return
        for place, process in enumerate(self.processes):
            if not process.process.is_alive():
                log.warning("worker %s ended with %s", process.pid, process.exitcode)
                self.processes[place] = self._start()
                self._not_before = now + self._pause_s
                self._pause_s = min(2 * self._pause_s, LAST_PAUSE_S)
                return
        if now > self._not_before + LAST_PAUSE_S:
            self._pause_s = FIRST_PAUSE_S

    def terminate_all(self) -> None:
        """The port first: as long as one process listens, callers are let in whom nobody serves."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def handle_hup(self) -> None:
        """The terminal is gone: stop, as one process does; uvicorn would start all anew."""
        self.handle_term()

    def _start(self) -> Process:
        process = Worker(self.config, self.sockets)
        process.start()
        return process


def run(settings: "Settings", url: str, *, ephemeral: bool, config: Config) -> None:
    """Serve until stopped; the database belongs to the caller. Exits as a first worker that could
    not start did."""
    config.app = partial(application, settings, url, ephemeral)
    listener = config.bind_socket()
    try:
        listener.listen(config.backlog)
    except OSError as error:  # another process bound it at the same moment
        log.error("%s", error)
        sys.exit(STARTUP_FAILURE)
    supervisor = Supervisor(config, [listener])
    supervisor.run()
    if supervisor.failed is not None:
        sys.exit(supervisor.failed)


def application(settings: "Settings", url: str, ephemeral: bool) -> object:
    """A worker's ASGI application, called in its process; its services end with it."""
    from service import logs
    from service.web import create_app, request_ids
    from service.wiring import open_services

    logs.configure(settings.log_level)
    request_ids.show_in_logs()
    share_heaps()
    _end_with_parent()
    stack = ExitStack()
    try:
        with _ending_at_once():
            services = stack.enter_context(open_services(settings, url, ephemeral=ephemeral))
    except FacematchError as error:
        sys.exit(report(error))

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        with stack:
            yield

    return create_app(services, lifespan)


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Uvicorn only takes note of a signal until it serves, and loading may take minutes."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_with_parent() -> None:
    """A worker without its supervisor would hold the port for ever."""
    terminate = partial(os.kill, os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGHUP, lambda *_: terminate())
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            terminate()

        threading.Thread(target=watch, name="parent", daemon=True).start()
