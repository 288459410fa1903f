"""How the service is doing: figures, liveness, readiness."""

import time
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from service.web import schemas, shapes
from service.web.callers import Reading
from service.web.problems import problem
from service.web.services import AtLeast, Provided, stamp

router = APIRouter(tags=["status"])


@router.get("/stats", responses=schemas.refusals(401, 403, 404, 409, 422, 429, 503))
def stats(
    services: Provided, response: Response, caller: Reading, at_least: AtLeast
) -> schemas.Stats:
    """The default gallery's figures, and this replica's."""
    figures = services.galleries.figures(caller, services.gallery_name, at_least)
    stamp(response, figures.gallery.version)
    return shapes.stats(figures, round(time.monotonic() - services.started, 3))


# async: answered on the event loop, so also while every worker thread is busy
@router.get("/health")
async def health(services: Provided) -> schemas.Health:
    """Liveness: always 200 while the process lives."""
    status = services.replica.status()
    return schemas.Health(
        status="healthy" if status.connected and status.reason is None else "degraded",
        model_loaded=True,
        database_connected=status.connected,
        timestamp=datetime.now(UTC),
    )


@router.get("/ready", response_model=schemas.Ready, responses=schemas.refusals(503))
async def ready(services: Provided) -> Response | schemas.Ready:
    """Readiness: 200 when this replica should be asked, else 503 with the reason."""
    reason = services.replica.status().reason
    if reason is None:
        return schemas.Ready()
    return problem("/ready", 503, f"Not ready: {reason}.", "not_ready", {"Retry-After": "1"})
