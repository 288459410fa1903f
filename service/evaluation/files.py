"""Files that the report is written to."""

import os
from pathlib import Path

from service.errors import InputFileInvalid


def check_writable(path: Path | None) -> None:
    """Before the work, not after it: raises InputFileInvalid when `write` will not succeed."""
    if path is None:
        return
    if path.is_dir():
        raise InputFileInvalid(f"{path} is a folder; name a file to write the report to.")
    if not path.parent.is_dir():
        raise InputFileInvalid(f"{path} cannot be written: there is no folder {path.parent}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputFileInvalid(f"{path} cannot be written: you may not.")


def write(path: Path, text: str) -> None:
    """Raises InputFileInvalid when the file cannot be written, with the reason."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be written: {error.strerror}.") from error
