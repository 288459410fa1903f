"""Log lines: plain text on standard error, one line an event, no secrets and no embeddings."""

import logging
import logging.config


class Line(logging.Formatter):
    """With the id of the request that a record belongs to, where the web has named it."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = getattr(record, "correlation_id", None)
        record.request = f" [{request_id}]" if request_id else ""
        return super().format(record)


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
                # a line for every X-Request-ID that is not taken over
                "asgi_correlation_id": {"level": "ERROR"},
            },
        }
    )
