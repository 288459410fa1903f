"""Keys: made, listed, rotated, revoked, and asked for at every request."""

import secrets
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.domain.keys import Caller, Key, KeyState, Minted, NewKey, Scope, Secret, trusted
from service.domain.repeats import Once
from service.errors import (
    KeyEnded,
    KeyNotFound,
    PreconditionFailed,
    RequestInvalid,
    ScopeMissing,
    Unauthenticated,
)
from service.galleries import existing
from service.key_file import KeyFile
from service.ports import Store, Transaction

LONGEST_GRACE_S = 7 * 24 * 3600
FIRST = NewKey("first start", frozenset(Scope))
STARTER = trusted("facematch serve")


@dataclass(frozen=True, slots=True)
class Keys:
    """`file` holds the key of the first start, where there is one."""

    store: Store
    file: KeyFile

    def authenticate(self, text: str) -> Caller:
        """The caller who holds this key now; asks the database each time.

        Raises:
            Unauthenticated: it is no key, or not any more.
        """
        secret = Secret.parse(text)
        if secret is None:
            raise Unauthenticated
        with self.store.transaction(read_only=True) as tx:
            found = tx.keys.hashed(secret.prefix)
        if found is None:
            raise Unauthenticated
        return found.admit(secret)

    def create(self, caller: Caller, new: NewKey, once: Once[Minted] | None = None) -> Minted:
        """Make a key; nobody gives out what they lack themselves.

        Raises:
            ScopeMissing: the caller lacks one of the scopes, or is bound to certain galleries and
                the key is not, or ends before it.
            GalleryNotFound: see `galleries.existing`.
            RequestInvalid: no scope or no gallery, or it would have expired already.
        """
        _check_given(caller, new)

        def work(tx: Transaction) -> Minted:
            _check_end(tx, new)
            return _minted(tx, caller, new)

        return self.store.write(work, once, by=caller)

    def page(self, caller: Caller, after: UUID | None, limit: int) -> list[Key]:
        """The keys that reach nothing which the caller does not, oldest first."""
        with self.store.transaction(read_only=True) as tx:
            return tx.keys.listed(after, limit, caller.galleries)

    def read(self, caller: Caller, reference: str) -> Key:
        """Raises KeyNotFound. `reference` is an id or a prefix, here and below."""
        with self.store.transaction(read_only=True) as tx:
            return _existing(tx, reference, caller)

    def rotate(
        self, caller: Caller, reference: str, grace_s: int = 0, once: Once[Minted] | None = None
    ) -> Minted:
        """Give the key a new secret; the one before stays valid for `grace_s` seconds, the one
        before that ends.

        Raises:
            KeyNotFound, KeyEnded: no such key, or one that is of no use any more.
            ScopeMissing: the caller lacks one of its scopes, or ends before it, and would come by
                that this way.
        """

        def work(tx: Transaction) -> Minted:
            key = _existing(tx, reference, caller, lock=True)
            if key.state is not KeyState.ACTIVE:
                raise KeyEnded(key.prefix, key.state)
            _check_scopes(caller, key.scopes)
            _check_outlasted(caller, key.expires_at)
            secret = _new_secret(key.prefix)
            tx.keys.rotate(key.id, secret.hashed(tx.keys.pepper()), grace_s)
            return Minted(key, secret)

        minted = self.store.write(work, once, by=caller)
        self.file.forget(minted.key.prefix)
        return minted

    def change(
        self,
        caller: Caller,
        reference: str,
        changed: Callable[[NewKey], NewKey],
        etag: str | None = None,
    ) -> Key:
        """Change a key's name, scopes, galleries or end; its secret stays. `changed` makes of what
        it was made with what it is to be.

        Raises:
            KeyNotFound, KeyEnded: no such key, or one that was revoked.
            PreconditionFailed: `etag` is given and not that of the present key.
            ScopeMissing: it could do more than before, and the caller lacks one of its scopes, or
                is bound to certain galleries and the key would not be.
            GalleryNotFound: see `galleries.existing`.
            RequestInvalid: no scope or no gallery, or it would have ended already.
        """

        def work(tx: Transaction) -> Key:
            key = _existing(tx, reference, caller, lock=True)
            if etag is not None and etag != key.etag:
                raise PreconditionFailed
            if key.state is KeyState.REVOKED:
                raise KeyEnded(key.prefix, key.state)
            to = changed(key.wanted)
            if to != key.wanted:
                _check_change(tx, caller, key.wanted, to)
                tx.keys.change(key.id, to, _reach(tx, caller, to))
            return _existing(tx, str(key.id), caller)

        return self.store.write(work, by=caller)

    def revoke(self, caller: Caller, reference: str) -> None:
        """End a key for good, for every request from now on; again does nothing.

        Raises:
            KeyNotFound: no such key.
        """

        def work(tx: Transaction) -> Key:
            key = _existing(tx, reference, caller, lock=True)
            tx.keys.revoke(key.id)
            return key

        self.file.forget(self.store.write(work, by=caller).prefix)

    def first(self, keep: Callable[[Secret], None]) -> Minted | None:
        """A key that may do everything, where no key was ever made; None elsewhere, also for all
        but one of those that start at this moment.

        `keep` gets the secret before the key is committed, so that none is left that nobody has;
        if it raises, no key is made.
        """

        def work(tx: Transaction) -> Minted | None:
            if not tx.keys.be_first():
                return None
            minted = _minted(tx, STARTER, FIRST)
            keep(minted.secret)
            return minted

        return self.store.write(work, by=STARTER)

    def none_yet(self) -> bool:
        with self.store.transaction(read_only=True) as tx:
            return not tx.keys.listed(None, 1, None)


def _check_given(caller: Caller, new: NewKey) -> None:
    """Nobody gives out what they lack themselves."""
    if not new.scopes or new.galleries == ():
        raise RequestInvalid("a key needs at least one scope, and one gallery or all of them")
    _check_scopes(caller, new.scopes)
    if new.galleries is None and caller.galleries is not None:
        raise ScopeMissing("admin of all galleries")
    _check_outlasted(caller, new.expires_at)


def _check_end(tx: Transaction, new: NewKey) -> None:
    if new.expires_at is not None and new.expires_at <= tx.now():
        raise RequestInvalid("expires_at: must be in the future")


def _check_change(tx: Transaction, caller: Caller, before: NewKey, to: NewKey) -> None:
    """Who narrows a key, or names it anew, need not be able to do what it does."""
    if to.widens(before):
        _check_given(caller, to)
    elif not to.scopes or (to.galleries == () and before.galleries != ()):
        raise RequestInvalid("a key needs at least one scope, and one gallery or all of them")
    if to.expires_at != before.expires_at:
        _check_end(tx, to)


def _check_outlasted(caller: Caller, end: datetime | None) -> None:
    """Nobody gives themselves more time by another key."""
    if not caller.outlasts(end):
        raise ScopeMissing("admin beyond this key's own end (give an earlier expires_at)")


def _check_scopes(caller: Caller, scopes: frozenset[Scope]) -> None:
    lacking = caller.lacks(scopes)
    if lacking is not None:
        raise ScopeMissing(lacking)


def _minted(tx: Transaction, caller: Caller, new: NewKey) -> Minted:
    secret = _new_secret(f"fm_{_random(5)}")
    hashed = secret.hashed(tx.keys.pepper())
    return Minted(
        tx.keys.add(new, _reach(tx, caller, new), secret.prefix, hashed, caller.name), secret
    )


def _reach(tx: Transaction, caller: Caller, new: NewKey) -> frozenset[UUID] | None:
    if new.galleries is None:
        return None
    return frozenset(existing(tx, name, caller).id for name in new.galleries)


def _new_secret(prefix: str) -> Secret:
    return Secret(f"{prefix}_{_random(32)}", prefix)


def _random(count: int) -> str:
    """So many random bytes, in base 32."""
    return b32encode(secrets.token_bytes(count)).decode().lower().rstrip("=")


def _existing(tx: Transaction, reference: str, caller: Caller, *, lock: bool = False) -> Key:
    """Raises KeyNotFound, also for a key that reaches more than the caller."""
    key = tx.keys.find(reference, lock=lock)
    if key is None or not key.within(caller):
        raise KeyNotFound
    return key
