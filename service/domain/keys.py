"""Who calls, and what that caller may do."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from service.errors import Unauthenticated

SECRET = re.compile("(fm_[a-z2-7]{8})_[a-z2-7]{52}")
"""A key: its prefix, which is shown, and 256 random bits in base 32."""


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

    `name` is what enrolments and the audit say of the caller, for a key its prefix; `key_id` is
    None for those without a key; `galleries` None means all, also those to come.
    `request_id` and `address` say where this request came from. `expires_at` is when its key ends,
    None: not by itself.
    """

    name: str
    key_id: UUID | None
    scopes: frozenset[Scope]
    galleries: frozenset[UUID] | None = None
    request_id: str | None = None
    address: str | None = None
    expires_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def lacks(self, scopes: Iterable[Scope]) -> Scope | None:
        """The first of the scopes that the caller does not have."""
        return next((scope for scope in Scope if scope in scopes and not self.may(scope)), None)

    def outlasts(self, end: datetime | None) -> bool:
        """Whether the caller may still call at `end`; None: for ever."""
        return self.expires_at is None or (end is not None and end <= self.expires_at)

    def reaches(self, gallery_id: UUID) -> bool:
        return self.galleries is None or gallery_id in self.galleries


def trusted(name: str) -> Caller:
    """A caller who needs no key: the command line, the service itself."""
    return Caller(name, None, frozenset(Scope))


ANONYMOUS = trusted("anonymous")
"""Everybody, where the operator allows anonymous use."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key as its holder sends it. Never stored; `repr` does not show it."""

    text: str = field(repr=False)
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what cannot be a key, however long or strange."""
        match = SECRET.fullmatch(text)
        return None if match is None else cls(text, match[1])

    def hashed(self, pepper: bytes) -> bytes:
        """32 bytes. No slow hash: nobody guesses 256 random bits."""
        return hmac.digest(pepper, self.text.encode(), "sha256")


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed, without its secret. `galleries`: their names by id; None means all,
    also those to come. `created_by` is the name of a caller."""

    id: UUID
    prefix: str
    name: str
    scopes: frozenset[Scope]
    galleries: dict[UUID, str] | None
    state: KeyState
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def etag(self) -> str:
        """Differs whenever anything that is shown of it does."""
        shown = asdict(self) | {"scopes": sorted(self.scopes)}
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]

    @property
    def wanted(self) -> "NewKey":
        """What would make another like it."""
        names = None if self.galleries is None else tuple(sorted(self.galleries.values()))
        return NewKey(self.name, self.scopes, names, self.expires_at)

    @property
    def caller(self) -> Caller:
        galleries = None if self.galleries is None else frozenset(self.galleries)
        return Caller(self.prefix, self.id, self.scopes, galleries, expires_at=self.expires_at)

    def within(self, caller: Caller) -> bool:
        """Whether the key reaches nothing that the caller does not.

        One that reaches no gallery any more is only within a caller of all: it was another's.
        """
        if caller.galleries is None:
            return True
        return bool(self.galleries) and caller.galleries.issuperset(self.galleries or ())


@dataclass(frozen=True, slots=True)
class HashedKey:
    """A key with what its secret is checked against, all of 32 bytes.

    `previous_hash` is that of the secret before the rotation, while it is still valid.
    """

    key: Key
    pepper: bytes = field(repr=False)
    key_hash: bytes = field(repr=False)
    previous_hash: bytes | None = field(repr=False)

    def admit(self, secret: Secret) -> Caller:
        """The caller who holds this secret.

        Raises:
            Unauthenticated: it is not the key's; or it is, but the key has ended.
        """
        given = secret.hashed(self.pepper)
        matches = hmac.compare_digest(given, self.key_hash)
        if self.previous_hash is not None:
            matches |= hmac.compare_digest(given, self.previous_hash)
        if not matches:
            raise Unauthenticated
        if self.key.state is not KeyState.ACTIVE:
            raise Unauthenticated(
                f"The key {self.key.prefix} is {self.key.state}; ask for another."
            )
        return self.key.caller


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is made with. `galleries`: their names, None for all; `expires_at` with its time
    zone, None for never."""

    name: str
    scopes: frozenset[Scope]
    galleries: tuple[str, ...] | None = None
    expires_at: datetime | None = None

    def widens(self, before: Self) -> bool:
        """Whether it may do anything that a key made with `before` may not."""
        if self.scopes - before.scopes:
            return True
        if before.galleries is not None and (
            self.galleries is None or set(self.galleries) - set(before.galleries)
        ):
            return True
        end, ended = self.expires_at, before.expires_at
        return ended is not None and (end is None or end > ended)


@dataclass(frozen=True, slots=True)
class Minted:
    """A key and its new secret, which is shown once."""

    key: Key
    secret: Secret
