"""Builds the FastAPI application around the services it is given."""

import re
from importlib.metadata import version

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from service.domain.keys import ANONYMOUS
from service.domain.repeats import Repeated
from service.web import problems, v1
from service.web.admission import Admission
from service.web.body_limit import BodyLimit, photographs_bound
from service.web.idempotency import answered_before
from service.web.routers import faces, status
from service.wiring import Services

REQUEST_ID = re.compile("[A-Za-z0-9._-]{1,128}")
"""A caller's X-Request-ID is taken over if it looks like one; else the request gets a new one."""


class Anonymous:
    """Everybody is nobody, until there are keys."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["caller"] = ANONYMOUS
        await self._app(scope, receive, send)


def create_app(services: Services, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The application; opening and closing the services is the caller's part."""
    app = FastAPI(
        title="facematch",
        version=version("facematch"),
        description="Self-hosted face matching: enrol photographs, ask whose face it is.",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.services = services

    app.add_middleware(Anonymous)
    problems.install(app)
    app.include_router(faces.router)
    app.include_router(status.router)
    app.include_router(v1.router)
    app.add_exception_handler(Repeated, answered_before)
    app.add_middleware(Admission, workers=services.workers, patience_s=services.patience_s)
    app.add_middleware(BodyLimit, bound=photographs_bound(services.limits))
    app.add_middleware(
        CorrelationIdMiddleware, validator=lambda given: REQUEST_ID.fullmatch(given) is not None
    )
    return app
