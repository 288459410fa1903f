"""Log lines: plain text on standard error, one line an event, no secrets and no embeddings."""

import logging
import logging.config
import re
from types import TracebackType

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)
VALUES = re.compile(
    r"^(DETAIL|CONTEXT):.*?(?=^$|^\[SQL: |^HINT:|^LINE |\Z)", re.MULTILINE | re.DOTALL
)
"""What PostgreSQL adds to a message: the row that it refuses, with ids and embeddings."""


class Line(logging.Formatter):
    """With the id of the request that a record belongs to, where the web has named it."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = getattr(record, "correlation_id", None)
        record.request = f" [{request_id}]" if request_id else ""
        return super().format(record)

    def formatException(self, ei: ExceptionInfo) -> str:
        text = super().formatException(ei)
        return VALUES.sub(r"\1: left out, it may hold values\n", text).rstrip()


def configure(level: str) -> None:
    """Set up logging for a process. Call once, at its start."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": Line,
                    "fmt": "%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s",
                },
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": level, "handlers": ["stderr"]},
            "loggers": {
                # their INFO lines repeat ours or name every request twice
                "alembic": {"level": "WARNING"},
                # its DEBUG lines hold the EXIF data of photographs
                "PIL": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "procrastinate": {"level": "WARNING"},
                # a line for every X-Request-ID that is not taken over
                "asgi_correlation_id": {"level": "ERROR"},
            },
        }
    )
