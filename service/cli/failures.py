"""Errors as exit codes and one line on standard error."""

import sys

from service import errors

EXIT_CODES: dict[type[errors.FacematchError], int] = {
    errors.RequestError: 6,
    errors.UnavailableError: 4,
    errors.StartupError: 5,
}
"""By branch of the error tree. 1 means that a check failed or items were rejected, 2 is Typer's
for a wrong command line, 3 is uvicorn's when the address is taken."""


def exit_code(error: errors.FacematchError) -> int:
    return next(code for branch, code in EXIT_CODES.items() if isinstance(error, branch))


def report(error: errors.FacematchError) -> int:
    """Print what is wrong and what to do; return the exit code."""
    sys.stderr.write(f"facematch: {error} [{error.code}]\n")
    return exit_code(error)
