"""The id that a request is known by, to its caller and in the logs."""

import logging
import re

from asgi_correlation_id import CorrelationIdFilter, CorrelationIdMiddleware
from fastapi import FastAPI

REQUEST_ID = re.compile("[A-Za-z0-9._-]{1,128}")
"""A caller's X-Request-ID is taken over if it looks like one; else the request gets a new one."""


def install(app: FastAPI) -> None:
    app.add_middleware(
        CorrelationIdMiddleware, validator=lambda given: REQUEST_ID.fullmatch(given) is not None
    )


def show_in_logs() -> None:
    """In this process's, as they are configured now."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(CorrelationIdFilter())
