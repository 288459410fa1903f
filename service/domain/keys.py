"""Who calls, and what that caller may do."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Scope(StrEnum):
    """What a key may be used for. None implies another."""

    SEARCH = "search"
    """Ask whose face it is, compare, detect."""
    ENROL = "enrol"
    """Create, change and delete subjects and faces; bulk imports."""
    READ = "read"
    """List and read galleries, subjects and faces; figures."""
    EXPORT = "export"
    """See embeddings."""
    ADMIN = "admin"
    """Create, change and delete galleries and keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks for something. Never holds the key itself.

    `name` is what enrolments and the audit say of the caller; `key_id` is None for those without
    a key; `galleries` None means all, also those to come. `request_id` and `address` say where this
    request came from.
    """

    name: str
    key_id: UUID | None
    scopes: frozenset[Scope]
    galleries: frozenset[UUID] | None = None
    request_id: str | None = None
    address: str | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def reaches(self, gallery_id: UUID) -> bool:
        return self.galleries is None or gallery_id in self.galleries


def trusted(name: str) -> Caller:
    """A caller who needs no key: the command line, the service itself."""
    return Caller(name, None, frozenset(Scope))


ANONYMOUS = trusted("anonymous")
"""Everybody, where the operator allows anonymous use."""
