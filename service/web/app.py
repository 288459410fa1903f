"""Builds the FastAPI application around the services it is given."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import Lifespan

from service.images import too_many_bytes
from service.web import problems
from service.web.body_limit import FORM_OVERHEAD_BYTES, BodyLimit
from service.web.routers import faces, status
from service.wiring import Services


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
    problems.install(app)
    app.include_router(faces.router)
    app.include_router(status.router)
    app.add_middleware(
        BodyLimit,
        limit=services.limits.max_bytes + FORM_OVERHEAD_BYTES,
        message=str(too_many_bytes(services.limits)),
    )
    return app
