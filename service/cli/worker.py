"""`facematch worker`."""

import logging
import signal
from typing import Annotated

import typer

log = logging.getLogger(__name__)


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", help="Photographs worked on at once; RECOGNITION_WORKERS."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Recognition model; MODEL_NAME.")] = None,
) -> None:
    """Work on bulk imports until it is stopped; run as many as you like, on any machine."""
    from service import logs
    from service.cli.memory import share_heaps
    from service.settings import Settings
    from service.store_wiring import open_database
    from service.wiring import open_tools, working

    settings = Settings.read(recognition_workers=concurrency, model_name=model)
    logs.configure(settings.log_level)
    share_heaps()
    with (
        open_database(settings) as url,
        open_tools(settings, url) as tools,
        working(tools, tools.workers),
    ):
        log.info("%d threads wait for bulk imports", tools.workers)
        while True:
            signal.pause()
