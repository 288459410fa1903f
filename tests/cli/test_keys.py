"""`facematch keys`, run as operators run it, on a real database."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.domain.keys import Minted, NewKey, Scope, trusted
from service.errors import Unauthenticated
from service.key_file import KeyFile
from service.keys import Keys
from service.store import open_store
from tests.servers import facematch

WRONG_COMMAND, STARTUP, REFUSED = 2, 5, 6


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "WITH s AS (INSERT INTO embedding_space"
            " (model, dimension, detector, alignment, default_threshold)"
            " VALUES ('Dlib', 128, 'dlib', 'native', 0.9) RETURNING id)"
            " INSERT INTO gallery (name, space_id, threshold) SELECT 'staff', id, 0.9 FROM s"
        )
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}


def created(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = facematch("keys", "create", *arguments, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


@contextmanager
def opened(environment: dict[str, str]) -> Iterator[Keys]:
    store = open_store(environment["DATABASE_URL"], pool_size=1, timeout_s=5)
    try:
        yield Keys(store, KeyFile(Path("/nowhere")))
    finally:
        store.close()


def there(environment: dict[str, str]) -> Minted:
    """A key with all scopes, made without a process of its own."""
    with opened(environment) as keys:
        return keys.create(trusted("tests"), NewKey("x", frozenset(Scope), None))


def listed(environment: dict[str, str]) -> list[dict[str, Any]]:
    done = facematch("keys", "list", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def valid(environment: dict[str, str], secret: str) -> bool:
    with opened(environment) as keys:
        try:
            keys.authenticate(secret)
        except Unauthenticated:
            return False
    return True


def test_create_prints_the_key_alone_so_that_a_script_can_take_it(
    environment: dict[str, str],
) -> None:
    done = facematch(
        *("keys", "create", "--name", "door 3", "--scope", "search", "--scope", "read"),
        *("--gallery", "staff", "--expires", "90d"),
        environment=environment,
    )
    assert done.returncode == 0, done.stderr
    key = done.stdout.removesuffix("\n")
    assert re.fullmatch("fm_[a-z2-7]{8}_[a-z2-7]{52}", key)
    assert key not in done.stderr
    assert "shown this once" in done.stderr
    assert valid(environment, key)
    (row,) = listed(environment)
    assert (row["name"], row["prefix"], row["state"]) == ("door 3", key[:11], "active")
    assert (row["scopes"], row["galleries"]) == (["search", "read"], ["staff"])
    assert row["created_by"] == "facematch keys"
    end = datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < end <= timedelta(days=90)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2199-01-31", "2199-01-31T00:00:00+00:00"),
        ("2199-01-31T12:30Z", "2199-01-31T12:30:00+00:00"),
        ("2199-01-31T12:30+02:00", "2199-01-31T10:30:00+00:00"),
    ],
)
def test_an_end_may_be_a_day_or_a_time(
    given: str, expected: str, environment: dict[str, str]
) -> None:
    made = created(environment, "--name", "x", "--all-scopes", "--expires", given)
    assert made["expires_at"] == expected


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--name", "x"], WRONG_COMMAND, "--all-scopes"),
        (["--name", "x", "--scope", "read", "--all-scopes"], WRONG_COMMAND, "--all-scopes"),
        (["--name", "x", "--scope", "root"], WRONG_COMMAND, "root"),
        (["--scope", "read"], WRONG_COMMAND, "--name"),
        (["--name", "x", "--scope", "read", "--expires", "soon"], WRONG_COMMAND, "90d"),
        (["--name", "x", "--scope", "read", "--expires", "0d"], REFUSED, "in the future"),
        (["--name", "x", "--scope", "read", "--expires", "2020-01-01"], REFUSED, "in the future"),
        (["--name", "x", "--scope", "read", "--gallery", "no"], REFUSED, "no gallery 'no'"),
        (["--name", "", "--scope", "read"], REFUSED, "name: "),
        (["--name", "x" * 256, "--scope", "read"], REFUSED, "name: "),
    ],
)
def test_what_cannot_be_is_refused_and_makes_nothing(
    arguments: list[str], code: int, said: str, environment: dict[str, str]
) -> None:
    done = facematch("keys", "create", *arguments, environment=environment)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT name FROM api_key").fetchall() == []


def test_list_is_for_people_too(environment: dict[str, str]) -> None:
    made = created(environment, "--name", "door 3", "--scope", "search", "--gallery", "staff")
    other = created(environment, "--name", "admin", "--all-scopes")
    facematch("keys", "revoke", other["prefix"], environment=environment)
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM gallery")
    one, two = facematch("keys", "list", environment=environment).stdout.splitlines()
    for part in (made["prefix"], "active", "no end", "search", "no gallery any more", "door 3"):
        assert part in one
    for part in (other["prefix"], "revoked", "search,enrol,read,export,admin", "all galleries"):
        assert part in two
    assert made["secret"][12:] not in one


def test_rotate_prints_a_new_secret_and_ends_the_old_one(environment: dict[str, str]) -> None:
    made = there(environment)
    done = facematch("keys", "rotate", made.key.prefix, environment=environment)
    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip()
    assert secret[:11] == made.key.prefix
    assert (valid(environment, made.secret.text), valid(environment, secret)) == (False, True)


def test_rotate_with_grace_leaves_time_to_change(environment: dict[str, str]) -> None:
    made = there(environment)
    done = facematch("keys", "rotate", str(made.key.id), "--grace", "60", environment=environment)
    assert valid(environment, made.secret.text)
    assert valid(environment, done.stdout.strip())
    for grace in ("-1", "604801"):
        refused = facematch(
            "keys", "rotate", str(made.key.id), "--grace", grace, environment=environment
        )
        assert refused.returncode == WRONG_COMMAND


def test_revoke_ends_a_key(environment: dict[str, str]) -> None:
    made = there(environment)
    for _ in range(2):
        done = facematch("keys", "revoke", made.key.prefix, environment=environment)
        assert (done.returncode, done.stdout) == (0, "revoked\n")
    assert not valid(environment, made.secret.text)
    again = facematch("keys", "rotate", made.key.prefix, environment=environment)
    assert again.returncode == REFUSED
    assert "[key_ended]" in again.stderr


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_an_unknown_key_is_told_without_repeating_it(
    command: str, environment: dict[str, str]
) -> None:
    secret = there(environment).secret.text
    done = facematch("keys", command, secret, environment=environment)
    assert done.returncode == REFUSED
    assert "facematch keys list" in done.stderr
    assert secret[12:] not in done.stderr
    assert valid(environment, secret)


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_the_file_of_the_first_start_goes_with_its_key(
    command: str, environment: dict[str, str], tmp_path: Path
) -> None:
    mine, other = (there(environment) for _ in range(2))
    file = KeyFile.of(tmp_path)
    file.write(mine.secret)
    assert file.path.stat().st_mode & 0o777 == 0o600
    facematch("keys", command, other.key.prefix, environment=environment)
    assert file.read() == mine.secret
    facematch("keys", command, mine.key.prefix, environment=environment)
    assert not file.path.exists()


def test_an_outdated_schema_is_named(empty_database_url: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": empty_database_url, "FACEMATCH_HOME": str(tmp_path)}
    done = facematch("keys", "list", environment=environment)
    assert done.returncode == STARTUP
    assert "facematch db upgrade" in done.stderr


def test_change_names_only_what_changes(environment: dict[str, str]) -> None:
    made = created(environment, "--name", "x", "--scope", "search", "--expires", "90d")
    done = facematch(
        *("keys", "change", made["prefix"], "--name", "door", "--scope", "read"),
        *("--scope", "search", "--no-end", "--json"),
        environment=environment,
    )
    assert done.returncode == 0, done.stderr
    changed = json.loads(done.stdout)
    expected = {"name": "door", "scopes": ["search", "read"], "expires_at": None}
    assert changed == {**{k: made[k] for k in made if k != "secret"}, **expected}
    assert valid(environment, made["secret"])
    nowhere = facematch(
        "keys", "change", made["prefix"], "--gallery", "nowhere", environment=environment
    )
    assert nowhere.returncode == REFUSED
    assert "gallery_not_found" in nowhere.stderr
    both = ("--gallery", "x", "--all-galleries")
    refused = facematch("keys", "change", made["prefix"], *both, environment=environment)
    assert refused.returncode == WRONG_COMMAND
