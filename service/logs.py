"""Log lines: plain text on standard error, one line an event, no secrets and no embeddings."""

import logging
import logging.config


def configure(level: str) -> None:
    """Set up logging for a process. Call once, at its start."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
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
            },
        }
    )
