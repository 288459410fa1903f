"""Keys: what is one, whose it is, and what it may do."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from service.domain.keys import Caller, HashedKey, Key, KeyState, Scope, Secret, trusted
from service.errors import Unauthenticated

PEPPER = bytes(range(32))
TEXT = "fm_" + "a" * 8 + "_" + "b" * 52
OLD = "fm_" + "a" * 8 + "_" + "c" * 52


def secret(text: str = TEXT) -> Secret:
    found = Secret.parse(text)
    assert found is not None
    return found


def key(state: KeyState = KeyState.ACTIVE, galleries: dict[UUID, str] | None = None) -> Key:
    now = datetime.now(UTC)
    scopes = frozenset({Scope.SEARCH})
    return Key(uuid4(), "fm_aaaaaaaa", "x", scopes, galleries, state, now, "y", None, None)


def hashed(key: Key, previous: bytes | None = None) -> HashedKey:
    return HashedKey(key, PEPPER, secret().hashed(PEPPER), previous)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fm_",
        TEXT[:-1],
        TEXT + "b",
        TEXT + "\n",
        TEXT.upper(),
        TEXT.replace("b", "1"),
        TEXT.replace("b", "\uff42"),
        TEXT.replace("b", "é"),
        " " + TEXT,
        "x" * 1_000_000,
        "\x00",
    ],
)
def test_what_is_no_key_is_told(text: str) -> None:
    assert Secret.parse(text) is None


def test_a_key_shows_its_prefix_only() -> None:
    assert secret().prefix == "fm_aaaaaaaa"
    assert TEXT not in repr(secret())
    assert "pepper" not in repr(hashed(key()))


def test_the_hash_is_of_the_whole_key_and_the_pepper() -> None:
    assert len(secret().hashed(PEPPER)) == 32
    assert secret().hashed(PEPPER) != secret(OLD).hashed(PEPPER)
    assert secret().hashed(PEPPER) != secret().hashed(PEPPER[::-1])


def test_the_holder_is_the_caller() -> None:
    gallery = uuid4()
    bound = key(galleries={gallery: "staff"})
    caller = hashed(bound).admit(secret())
    assert caller == Caller("fm_aaaaaaaa", bound.id, bound.scopes, frozenset({gallery}))


def test_another_secret_of_the_same_prefix_is_refused() -> None:
    with pytest.raises(Unauthenticated, match="A valid key is needed"):
        hashed(key()).admit(secret(OLD))


def test_the_secret_before_the_rotation_is_the_caller_s_too() -> None:
    rotated = hashed(key(), previous=secret(OLD).hashed(PEPPER))
    assert rotated.admit(secret(OLD)) == rotated.admit(secret())


@pytest.mark.parametrize("state", [KeyState.EXPIRED, KeyState.REVOKED])
def test_only_its_holder_hears_that_a_key_has_ended(state: KeyState) -> None:
    ended = hashed(key(state))
    with pytest.raises(Unauthenticated, match=f"is {state}"):
        ended.admit(secret())
    with pytest.raises(Unauthenticated, match="A valid key is needed"):
        ended.admit(secret(OLD))


def test_a_caller_lacks_what_it_does_not_have() -> None:
    caller = Caller("x", None, frozenset({Scope.READ, Scope.ADMIN}))
    assert caller.lacks([Scope.READ, Scope.ADMIN]) is None
    assert caller.lacks([Scope.ADMIN, Scope.SEARCH]) is Scope.SEARCH
    assert trusted("x").lacks(Scope) is None


def test_a_key_is_within_those_who_reach_all_that_it_reaches() -> None:
    one, other = uuid4(), uuid4()
    bound = Caller("x", None, frozenset(Scope), frozenset({one}))
    assert key(galleries={one: "one"}).within(bound)
    assert not key(galleries={one: "one", other: "other"}).within(bound)
    assert not key(galleries=None).within(bound)
    assert not key(galleries={}).within(bound)
    assert key(galleries={}).within(trusted("x"))
    assert not key(galleries={}).within(Caller("x", None, frozenset(Scope), frozenset()))
