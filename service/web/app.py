"""Builds the FastAPI application around the services it is given."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import Lifespan

from service.domain.repeats import Repeated
from service.web import cors, docs, problems, request_ids, v1
from service.web.admission import Admission
from service.web.authentication import Authentication
from service.web.body_limit import BodyLimit, photographs_bound
from service.web.idempotency import answered_before
from service.web.rate_limits import FailedKeys, RateLimits
from service.web.routers import faces, status
from service.web.segments import Segments
from service.web.strangers import Anonymity
from service.web.uploads import is_upload
from service.wiring import Services


def create_app(services: Services, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The application; opening and closing the services is the caller's part."""
    app = FastAPI(
        title="facematch",
        version=version("facematch"),
        description="Self-hosted face matching: enrol photographs, ask whose face it is.",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    problems.install(app)
    docs.install(app)
    app.include_router(faces.router)
    app.include_router(status.router)
    app.include_router(v1.router)
    app.add_exception_handler(Repeated, answered_before)
    _add_middleware(app, services)
    return app


def _add_middleware(app: FastAPI, services: Services) -> None:
    """What a request passes, the last one added first.

    Its id, so that every answer and log line has it. Its path, which is to mean the same at every
    door. CORS, which answers a browser's question
    whether it may send a key at all. Who it is: nothing is done for strangers. The rate, so that
    one caller's requests do not crowd out the others' at the next door. The size of the body, and
    whether the photograph would be worked on in time, both before it is read.
    """
    access = services.access
    app.add_middleware(
        Admission, workers=services.workers, patience_s=services.patience_s, exempt=is_upload
    )
    app.add_middleware(BodyLimit, bound=photographs_bound(services.limits), exempt=is_upload)
    if access.rates:
        app.add_middleware(RateLimits, rates=access.rates)
    app.add_middleware(
        Authentication,
        authenticate=services.keys.authenticate,
        is_anonymous=Anonymity(access),
        failures=FailedKeys(access.failures),
    )
    cors.install(app, access.origins)
    app.add_middleware(Segments)
    request_ids.install(app)
