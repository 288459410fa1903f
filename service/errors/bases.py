"""The four bases; see the tree in the package."""

from collections.abc import Mapping
from typing import ClassVar


class FacematchError(Exception):
    """Base of every error raised on purpose. `str()` of it is safe to show to a caller."""

    code: ClassVar[str]


class RequestError(FacematchError):
    """The request cannot be served as it is; the caller can change it.

    `gallery_version` names the state of the gallery that the refusal rests on, if it does on one.
    `facts` says for programs what it rests on; unlike the sentence, it is only for callers who may
    read what is enrolled.
    """

    gallery_version: str | None = None
    facts: Mapping[str, object] = {}


class UnavailableError(FacematchError):
    """The request may succeed unchanged a little later."""

    retry_after_s: ClassVar[int] = 1


class StartupError(FacematchError):
    """A command or the service cannot start; the operator can change that."""
