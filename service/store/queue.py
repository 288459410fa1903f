"""The queue of the bulk imports: procrastinate, on the same database.

An entry of the queue says no more than that a job wants a worker. Which items are done, and which
worker holds which, is in the items' rows; so an entry may be run twice, or be lost with its worker.
"""

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from sqlalchemy import Connection, text

from service.errors import UnavailableError
from service.spool import QueueWork
from service.store.failures import UNAVAILABLE
from service.store.urls import conninfo

QUEUE = "imports"
RUN = "run_import"
SWEEP = "sweep_imports"
POLL_S = 5.0
HEARTBEAT_S = 10.0
DEAD_AFTER_S = 30.0
CONNECTIONS = 2
"""Of the pool that the queue's statements run on; LISTEN has one more."""
RETRY_S = 1.0
LAST_RETRY_S = 30.0
CLOSE_S = 20.0
"""Longest wait for the batches under way."""
YIELDING = 5
"""The niceness of the threads that work: what is asked over HTTP goes first."""

WORKERS = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute'"
)

SAID_AGAIN_S = 10.0

log = logging.getLogger(__name__)


class Outages(logging.Filter):
    """One line in the place of procrastinate's tracebacks where the database went away, which is
    nobody's mistake and mended by itself; the tracebacks are there at level DEBUG."""

    def __init__(self) -> None:
        super().__init__()
        self._said = -SAID_AGAIN_S

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not _is_outage(error):
            return True
        log.debug("imports: %s", record.getMessage(), exc_info=record.exc_info)
        if time.monotonic() - self._said >= SAID_AGAIN_S:
            self._said = time.monotonic()
            log.warning(
                "imports: the database went away (%s); what was under way goes on when it is back",
                type(error).__name__,
            )
        return False


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, ConnectorException):
        return error.__cause__ is None or _is_outage(error.__cause__)
    return isinstance(error, (UnavailableError, *UNAVAILABLE))


LOGGERS = ("procrastinate.worker", "procrastinate.utils", "asyncio")
"""The last one tells of tasks of procrastinate that nobody asks how they ended."""


def enqueue(connection: Connection, job_id: UUID, delay_s: float) -> None:
    """In the transaction of `connection`; nothing where an entry of that job waits already."""
    later = datetime.now(UTC) + timedelta(seconds=delay_s) if delay_s > 0 else None
    entry = Job(
        queue=QUEUE,
        task_name=RUN,
        lock=None,
        queueing_lock=str(job_id),
        task_kwargs={"job_id": str(job_id)},
        scheduled_at=later,
    )
    manager = JobManager(procrastinate.SyncPsycopgConnector())
    with suppress(AlreadyEnqueued), connection.begin_nested():
        manager.defer_job(entry, connection=connection.connection.driver_connection)


def live_workers(connection: Connection) -> int:
    return int(connection.scalar(WORKERS) or 0)


class PostgresWorkers:
    """See `ports.QueueWorkers`. An event loop in a thread of its own follows the queue; `threads`
    others do the work. However the loop fails, it is begun again."""

    def __init__(self, url: str, work: QueueWork, threads: int) -> None:
        self._url = url
        self._work = work
        self._threads = threads
        self._outages = Outages()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="imports", daemon=True)

    def start(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self._outages)
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.warning("imports: a batch did not end within %g s and is left to others", CLOSE_S)
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self._outages)

    def _main(self) -> None:
        with ThreadPoolExecutor(self._threads + 1, "import", _yield_to_others) as threads:
            asyncio.run(self._follow(threads))

    async def _follow(self, threads: ThreadPoolExecutor) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_default_executor(threads)
        stopped = asyncio.create_task(self._stop.wait())
        pause_s = RETRY_S
        while not self._stopping.is_set():
            began = self._loop.time()
            following = asyncio.create_task(self._session())
            await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            following.cancel()  # it lets the work under way end first
            try:
                await following
            except asyncio.CancelledError:
                return
            except Exception as error:
                log.warning("imports: the queue cannot be followed: %s", error)
            if self._loop.time() - began > LAST_RETRY_S:
                pause_s = RETRY_S
            await asyncio.wait({stopped}, timeout=pause_s)
            pause_s = min(2 * pause_s, LAST_RETRY_S)

    async def _session(self) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo(self._url), min_size=1, max_size=CONNECTIONS, timeout=10.0
        )
        app = self._app(connector)
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=self._threads,
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=DEAD_AFTER_S,
                delete_jobs="always",
                install_signal_handlers=False,
            )

    def _app(self, connector: procrastinate.PsycopgConnector) -> procrastinate.App:
        app = procrastinate.App(connector=connector)

        @app.task(name=RUN, queue=QUEUE)
        def run(job_id: str) -> None:
            self._work.run(UUID(job_id), self._stopping.is_set)

        @app.periodic(cron="* * * * *")
        @app.task(name=SWEEP, queue=QUEUE, queueing_lock=SWEEP)
        async def sweep(timestamp: int) -> None:
            await _bury_the_dead(app.job_manager)
            await asyncio.to_thread(self._work.sweep)

        return app


async def _bury_the_dead(manager: JobManager) -> None:
    """Forget the entries of workers that have died: `sweep` makes new ones where they are due."""
    await manager.prune_stalled_workers(DEAD_AFTER_S)
    for entry in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S):
        log.warning("imports: a worker has died, its work goes on elsewhere")
        await manager.finish_job(entry, Status.FAILED, delete_job=True)


def _yield_to_others() -> None:
    with suppress(OSError):  # only Linux has it for threads
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), YIELDING)
