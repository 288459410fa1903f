"""The schema's revision: upgrades, concurrent ones, downgrades, refusals and drift."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from service.errors import DatabaseUnavailable, DatabaseUnsuitable, SchemaOutdated
from service.store import schema
from tests.databases import execute
from tests.store.values import one

ROOT = Path(__file__).parents[2]
UPGRADE = "import sys; from service.store import schema; schema.upgrade(sys.argv[1])"


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_an_upgrade_reaches_the_head(empty_database_url: str) -> None:
    assert schema.current(empty_database_url) is None
    schema.upgrade(empty_database_url)
    assert schema.current(empty_database_url) == schema.head()
    schema.check(empty_database_url)
    schema.upgrade(empty_database_url)


def test_down_and_up_again_leaves_no_difference(database_url: str) -> None:
    schema.downgrade(database_url, "base")
    with psycopg.connect(database_url) as connection:
        left = one(
            connection,
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE 'alembic_version%%'",
        )
        functions = one(
            connection,
            "SELECT count(*) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
        )
    assert (left, functions) == (0, 0)
    schema.upgrade(database_url)
    assert schema.drift(database_url) == []


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("ALTER TABLE face ADD COLUMN odd int", "odd"),
        ("ALTER TABLE face ALTER COLUMN created_by DROP DEFAULT", "created_by"),
        ("DROP INDEX ix_face_gallery_id_subject_id", "ix_face_gallery_id_subject_id"),
        ("ALTER TABLE face ENABLE TRIGGER feed_insert", "feed_insert of table face is not"),
        ("ALTER TABLE face DISABLE TRIGGER feed_delete", "feed_delete of table face is not"),
        ("DROP TRIGGER feed_update ON subject", "change feed has 14 triggers instead of 15"),
        ("DROP TRIGGER audit_update ON subject", "audit record has 20 triggers instead of 21"),
        ("ALTER TABLE face ENABLE TRIGGER audit_insert", "face ENABLE ALWAYS TRIGGER audit_insert"),
        (
            "DROP TRIGGER space_identity ON embedding_space",
            "set of rules has 0 triggers instead of 1",
        ),
        (
            "GRANT EXECUTE ON FUNCTION audit_prune(timestamptz) TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION audit_prune(timestamp with time zone) FROM PUBLIC",
        ),
    ],
)
def test_a_drifted_schema_is_told(database_url: str, statement: str, difference: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(statement.encode())
    (line,) = schema.drift(database_url)
    assert difference in line


def test_a_database_without_schema_is_refused_with_the_command(empty_database_url: str) -> None:
    with pytest.raises(SchemaOutdated, match="facematch db upgrade"):
        schema.check(empty_database_url)


def test_an_older_revision_is_refused_with_the_command(database_url: str) -> None:
    schema.downgrade(database_url, "-1")
    with pytest.raises(SchemaOutdated, match="facematch db upgrade"):
        schema.check(database_url)


def test_a_revision_of_a_newer_release_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="newer release"):
        schema.check(database_url)


def test_concurrent_upgrades_wait_for_one_another(empty_database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_database_url], cwd=ROOT, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    schema.check(empty_database_url)


def test_a_waiting_upgrade_says_so_once_and_goes_on(empty_database_url: str) -> None:
    said = threading.Event()
    with psycopg.connect(empty_database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x66616365,))
        thread = threading.Thread(target=schema.upgrade, args=(empty_database_url, said.set))
        thread.start()
        assert said.wait(20)
        time.sleep(0.5)
        assert schema.current(empty_database_url) is None
    thread.join(60)
    schema.check(empty_database_url)


def test_an_upgrade_of_an_unreachable_database_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable):
        schema.upgrade("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_missing_extension_that_the_role_may_not_create_is_explained(
    server_url: str, empty_database_url: str
) -> None:
    clerk = f"clerk_{os.getpid()}"
    execute(server_url, "CREATE ROLE {} LOGIN PASSWORD 'clerk'", clerk)
    try:
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute(f"GRANT ALL ON SCHEMA public TO {clerk}".encode())
        url = with_role(empty_database_url, clerk)
        with pytest.raises(DatabaseUnsuitable, match="CREATE EXTENSION vector in database"):
            schema.upgrade(url)
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION vector")
        with pytest.raises(DatabaseUnsuitable, match="CREATE SCHEMA audit AUTHORIZATION"):
            schema.upgrade(url)
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA audit AUTHORIZATION {clerk}".encode())
        schema.upgrade(url)
        schema.check(url)
    finally:
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {clerk}".encode())
        execute(server_url, "DROP ROLE {}", clerk)


def with_role(url: str, role: str) -> str:
    from sqlalchemy import make_url

    changed = make_url(url).set(username=role, password=role.partition("_")[0])
    return changed.render_as_string(hide_password=False)


def test_the_plain_alembic_command_works(empty_database_url: str) -> None:
    for arguments, answer in (
        (("upgrade", "head"), ""),
        (("current",), f"{schema.head()} (head)"),
        (("check",), "No new upgrade operations detected."),
    ):
        done = alembic(empty_database_url, *arguments)
        assert done.returncode == 0, done.stderr
        assert answer in done.stdout
    schema.check(empty_database_url)


def test_the_statements_can_be_printed(empty_database_url: str) -> None:
    done = alembic(empty_database_url, "upgrade", "head", "--sql")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(done.stdout.encode())
    assert schema.drift(empty_database_url) == []
