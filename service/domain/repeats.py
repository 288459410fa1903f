"""Requests that may arrive twice and must be carried out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under its idempotency key.

    `caller` tells apart the keys of two callers; `fingerprint` is the SHA-256 of what is asked
    for, so that the same key on another request is seen.
    """

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered to an attempt, to be answered again."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Once(Generic[Result]):
    """Asks that a write happen at most once; `answer` makes, inside the write's transaction, what
    is kept with it."""

    attempt: Attempt
    answer: Callable[[Result], KeptAnswer]


class Repeated(Exception):
    """The attempt was carried out before; nothing was done now. Not an error: an answer."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__("already carried out")
        self.answer = answer
