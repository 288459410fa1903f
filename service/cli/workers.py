"""`facematch serve --workers N`: processes that share one port and the pages of the snapshots."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from service.cli.failures import exit_code, report
from service.errors import FacematchError, StartupError

if TYPE_CHECKING:
    from service.settings import Settings

LOOK_S = 0.1


class Supervisor(Multiprocess):
    """Starts the workers, replaces those that end, and stops them all."""

    def init_processes(self) -> None:
        """One first: it downloads what is missing, makes the gallery, or says why it cannot."""
        first = Process(self.config, self.sockets)
        first.start()
        self.processes.append(first)
        while first.process.is_alive() and not first.is_ready():
            self.handle_signals()
            if self.should_exit.is_set():
                return
            time.sleep(LOOK_S)
        if first.exitcode == STARTUP_FAILURE:
            return  # as the others would
        for _ in range(self.processes_num - 1):
            process = Process(self.config, self.sockets)
            process.start()
            self.processes.append(process)

    def handle_hup(self) -> None:
        """The terminal is gone: stop, as one process does; uvicorn would start all anew."""
        self.handle_term()

    def failed(self) -> bool:
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)


def run(settings: "Settings", url: str, *, ephemeral: bool, config: Config) -> None:
    """Serve until stopped; the database belongs to the caller. Exits with 5 if none can start."""
    each = settings.recognition_workers or max(1, len(os.sched_getaffinity(0)) // settings.workers)
    settings = settings.model_copy(update={"recognition_workers": each})
    config.app = partial(application, settings, url, ephemeral)
    supervisor = Supervisor(config, [config.bind_socket()])
    supervisor.run()
    if supervisor.failed():
        sys.exit(exit_code(StartupError("no worker could start")))


def application(settings: "Settings", url: str, ephemeral: bool) -> object:
    """A worker's ASGI application, called in its process; its services end with it."""
    from service import logs
    from service.web import create_app
    from service.wiring import open_services

    logs.configure(settings.log_level)
    _end_with_parent()
    stack = ExitStack()
    try:
        services = stack.enter_context(open_services(settings, url, ephemeral=ephemeral))
    except FacematchError as error:
        code = report(error)
        # the supervisor gives up on this one code; what passes, it tries again
        sys.exit(STARTUP_FAILURE if isinstance(error, StartupError) else code)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        with stack:
            yield

    return create_app(services, lifespan)


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
