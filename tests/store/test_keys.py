"""SQL of keys: rules that hold for psql too, states by the database's clock, galleries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from service.domain.galleries import Gallery
from service.domain.keys import Key, KeyState, NewKey, Scope
from service.errors import RequestInvalid
from service.ports import Store
from tests.store.values import one

Sql = psycopg.Connection[Any]
ADD = (
    "INSERT INTO api_key (prefix, name, key_hash, scopes, all_galleries)"
    " VALUES ('fm_aaaaaaaa', 'typed', decode(repeat('00', 32), 'hex'), '{search}', true)"
)


@pytest.fixture(autouse=True)
def no_keys(psql: Sql) -> Iterator[None]:
    yield
    psql.execute("DELETE FROM api_key")


def add(
    store: Store, galleries: frozenset[UUID] | None = None, letter: str = "a", **more: Any
) -> Key:
    new = NewKey(**{"name": "door", "scopes": frozenset({Scope.SEARCH}), **more})
    with store.transaction() as tx:
        return tx.keys.add(new, galleries, "fm_" + 8 * letter, bytes(32), "tests")


def find(store: Store, reference: str) -> Key | None:
    with store.transaction(read_only=True) as tx:
        return tx.keys.find(reference)


@pytest.mark.parametrize(
    "change",
    [
        "prefix = 'fm_AAAAAAAA'",
        "prefix = ''",
        "name = ''",
        "name = repeat('x', 256)",
        "name = E'a\\nb'",
        "key_hash = ''",
        "previous_hash = key_hash, previous_until = now()",
        "previous_hash = decode(repeat('01', 32), 'hex')",
        "previous_until = now()",
        "scopes = '{}'",
        "scopes = '{root}'",
        "scopes = '{search,NULL}'",
        "scopes = '{{search},{read}}'",
        "expires_at = created_at",
        "expires_at = 'infinity'",
        "expires_at = '10000-01-01'",
        "revoked_at = 'infinity'",
        "revoked_at = '-infinity'",
    ],
)
def test_a_row_that_cannot_be_is_refused(change: str, psql: Sql) -> None:
    psql.execute(ADD)
    with pytest.raises(errors.CheckViolation):
        psql.execute(f"UPDATE api_key SET {change}".encode())


def test_a_prefix_is_unique(psql: Sql) -> None:
    psql.execute(ADD)
    with pytest.raises(errors.UniqueViolation):
        psql.execute(ADD)


def test_a_typed_key_reaches_no_gallery_unless_it_says_so(psql: Sql, store: Store) -> None:
    psql.execute(ADD.replace(", all_galleries", "").replace(", true", "").encode())
    found = find(store, "fm_aaaaaaaa")
    assert found is not None
    assert found.galleries == {}
    assert found.created_by == one(psql, "SELECT session_user")


def test_there_is_one_pepper_for_all(psql: Sql, store: Store) -> None:
    with store.transaction(read_only=True) as tx:
        assert tx.keys.pepper() == one(psql, "SELECT pepper FROM api_key_pepper")
    with pytest.raises(errors.UniqueViolation):
        psql.execute("INSERT INTO api_key_pepper (pepper) SELECT pepper FROM api_key_pepper")
    with pytest.raises(errors.CheckViolation):
        psql.execute("UPDATE api_key_pepper SET sole = false")


def test_a_database_has_a_pepper_of_its_own(psql: Sql, empty_database_url: str) -> None:
    from service.store import schema

    schema.upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as other:
        pepper = one(other, "SELECT pepper FROM api_key_pepper")
    assert len(pepper) == 32
    assert pepper != one(psql, "SELECT pepper FROM api_key_pepper")


def test_a_key_is_found_by_its_id_and_by_its_prefix(store: Store, gallery: Gallery) -> None:
    made = add(store, frozenset({gallery.id}), scopes=frozenset({Scope.READ, Scope.ADMIN}))
    assert made.galleries == {gallery.id: "people"}
    assert made.scopes == {Scope.READ, Scope.ADMIN}
    assert find(store, str(made.id)) == find(store, "fm_aaaaaaaa") == made
    assert find(store, "door") is None


def test_a_key_whose_galleries_were_all_deleted_reaches_none(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    add(store, frozenset({gallery.id}))
    psql.execute("DELETE FROM gallery")
    found = find(store, "fm_aaaaaaaa")
    assert found is not None
    assert found.galleries == {}
    assert found.caller.galleries == frozenset()


def test_truncated_galleries_take_their_keys_reach_along(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    add(store, frozenset({gallery.id}))
    psql.execute("TRUNCATE gallery CASCADE")
    found = find(store, "fm_aaaaaaaa")
    assert found is not None
    assert found.galleries == {}


def test_a_key_expires_by_the_database_s_clock(store: Store, psql: Sql) -> None:
    made = add(store, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert made.state is KeyState.ACTIVE
    psql.execute("UPDATE api_key SET created_at = now() - interval '1 h', expires_at = now()")
    found = find(store, "fm_aaaaaaaa")
    assert found is not None
    assert found.state is KeyState.EXPIRED


def test_a_revoked_key_stays_revoked_from_the_first_time_on(store: Store) -> None:
    made = add(store)
    ends = []
    for _ in range(2):
        with store.transaction() as tx:
            tx.keys.revoke(made.id)
        found = find(store, made.prefix)
        assert found is not None
        assert found.state is KeyState.REVOKED
        ends.append(found.revoked_at)
    assert ends[0] is not None
    assert ends[0] == ends[1]


def test_the_hash_before_the_rotation_counts_until_its_grace_is_over(
    store: Store, psql: Sql
) -> None:
    made = add(store)

    def hashes() -> tuple[bytes, bytes | None]:
        with store.transaction(read_only=True) as tx:
            found = tx.keys.hashed(made.prefix)
        assert found is not None
        return found.key_hash, found.previous_hash

    def rotate(value: int, grace_s: int) -> None:
        with store.transaction() as tx:
            tx.keys.rotate(made.id, bytes([value]) * 32, grace_s)

    rotate(1, 60)
    assert hashes() == (bytes([1]) * 32, bytes(32))
    rotate(2, 60)
    assert hashes() == (bytes([2]) * 32, bytes([1]) * 32)
    psql.execute("UPDATE api_key SET previous_until = now()")
    assert hashes() == (bytes([2]) * 32, None)
    rotate(3, 60)
    rotate(4, 0)
    assert hashes() == (bytes([4]) * 32, None)


def test_a_page_holds_only_keys_within_the_galleries_asked_for(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    other = one(
        psql,
        "INSERT INTO gallery (name, space_id, threshold)"
        " SELECT 'other', space_id, threshold FROM gallery RETURNING id",
    )
    reaches = {
        "a": None,
        "b": frozenset({gallery.id}),
        "c": frozenset({gallery.id, other}),
        "d": frozenset({other}),
        "e": frozenset[UUID](),
    }
    made = {letter: add(store, reach, letter) for letter, reach in reaches.items()}
    with store.transaction(read_only=True) as tx:
        assert tx.keys.listed(None, 10, None) == list(made.values())
        assert tx.keys.listed(made["b"].id, 2, None) == [made["c"], made["d"]]
        assert tx.keys.listed(None, 10, frozenset({gallery.id})) == [made["b"]]
        both = [made["b"], made["c"], made["d"]]
        assert tx.keys.listed(None, 10, frozenset({gallery.id, other})) == both
        assert tx.keys.listed(None, 10, frozenset()) == []


def test_a_name_that_cannot_be_is_said(store: Store) -> None:
    with pytest.raises(RequestInvalid, match="name: "):
        add(store, name="a\nb")


def test_a_revoked_key_still_counts_for_the_first_one(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.keys.be_first()
    made = add(store)
    with store.transaction() as tx:
        tx.keys.revoke(made.id)
    with store.transaction() as tx:
        assert not tx.keys.be_first()
