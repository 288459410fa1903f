"""The schema's revision: upgrades, concurrent ones, downgrades, refusals and drift."""

import inspect
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from alembic.script import Script

from service.errors import DatabaseUnavailable, DatabaseUnsuitable, SchemaOutdated
from service.store import schema
from service.store.console import psql
from tests.databases import execute
from tests.store import images
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
        (
            "ALTER TABLE face ENABLE TRIGGER feed_insert",
            "; ALTER TABLE face ENABLE ALWAYS TRIGGER feed_insert mends that",
        ),
        (
            "GRANT EXECUTE ON FUNCTION audit_prune(timestamptz) TO PUBLIC",
            "; REVOKE EXECUTE ON FUNCTION audit_prune(old timestamp with time zone) FROM PUBLIC",
        ),
        ("ALTER TABLE face DISABLE TRIGGER feed_delete", "DISABLE` where this release has"),
        ("DROP TRIGGER feed_update ON subject", "trigger feed_update of subject is missing"),
        (
            "ALTER TABLE subject DROP CONSTRAINT ck_subject_external_id_length",
            "constraint ck_subject_external_id_length of subject is missing",
        ),
        (
            "ALTER TABLE subject DROP CONSTRAINT ck_subject_metadata,"
            " ADD CONSTRAINT ck_subject_metadata CHECK (true)",
            "it says `CHECK (true)` where this release has `CHECK (jsonb_typeof(",
        ),
        (
            "ALTER TABLE gallery DROP CONSTRAINT uq_gallery_name",
            "constraint uq_gallery_name of gallery is missing",
        ),
        (
            "ALTER TABLE face DROP CONSTRAINT fk_face_subject, ADD CONSTRAINT fk_face_subject"
            " FOREIGN KEY (gallery_id, subject_id) REFERENCES subject (gallery_id, id)",
            "constraint fk_face_subject of face was changed",
        ),
        (
            "ALTER TABLE face ADD CONSTRAINT named CHECK (image_name <> '')",
            "constraint named of face is not part of this release",
        ),
        (
            "CREATE OR REPLACE FUNCTION feed_gallery() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NULL; END'",
            "function feed_gallery() was changed",
        ),
        ("ALTER FUNCTION feed_note() SECURITY INVOKER", "function feed_note() was changed"),
        ("ALTER FUNCTION feed_note() RESET search_path", "function feed_note() was changed"),
        ("DROP FUNCTION space_identity() CASCADE", "function space_identity() is missing"),
    ],
)
def test_a_drifted_schema_is_told(database_url: str, statement: str, difference: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(statement.encode())
    lines = schema.drift(database_url)
    # a function takes its trigger along
    assert len(lines) == 1 + ("CASCADE" in statement)
    assert difference in lines[0]


def test_what_an_operator_added_beside_ours_is_no_drift(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER count_it AFTER INSERT ON face EXECUTE FUNCTION count_it()"
        )
    assert schema.drift(database_url) == []


def test_the_schema_may_have_any_name(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute('CREATE SCHEMA "Faces"')
    url = empty_database_url + "&options=-csearch_path%3D%22Faces%22%2Cpublic"
    schema.upgrade(url)
    assert schema.drift(url) == []


def test_a_database_that_was_dumped_and_restored_has_not_drifted(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "dump.sql"
    file.write_text(images.dumped(database_url))
    images.run("psql", empty_database_url, "--set=ON_ERROR_STOP=1", f"--file={file}")
    assert schema.drift(empty_database_url) == []


def test_the_definitions_are_what_the_migrations_make(database_url: str) -> None:
    assert schema.drift(database_url) == [], "run: make definitions"


def test_a_database_without_schema_is_refused_with_the_command(empty_database_url: str) -> None:
    with pytest.raises(SchemaOutdated, match="facematch db upgrade"):
        schema.check(empty_database_url)


def test_an_older_revision_is_refused_with_the_command(database_url: str) -> None:
    schema.downgrade(database_url, "-1")
    with pytest.raises(SchemaOutdated, match="facematch db upgrade"):
        schema.check(database_url)


@pytest.mark.parametrize("says", ["runs from 9998", "runs from 1", "", None])
def test_a_newer_schema_that_does_not_say_it_serves_this_release_is_refused(
    database_url: str, says: str | None
) -> None:
    become_newer(database_url, says)
    for work in (schema.check, schema.upgrade):
        with pytest.raises(SchemaOutdated, match="newer release"):
            work(database_url)


def test_a_newer_schema_that_serves_this_release_is_used_as_it_is(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """So that a replica of the old release may start anew while an upgrade is under way."""
    become_newer(database_url, f"runs from {schema.head()}")
    schema.check(database_url)
    schema.upgrade(database_url)
    assert schema.current(database_url) == "9999"
    assert "a newer release's (revision 9999)" in caplog.text


@pytest.mark.parametrize(
    "script",
    [each for each in schema._scripts().walk_revisions() if each.revision > "0016"],
    ids=lambda script: script.revision,
)
def test_each_revision_says_which_releases_run_on_it(script: Script) -> None:
    """What the one before said need not be so any more."""
    said = r"COMMENT ON TABLE alembic_version IS 'runs from [0-9]{4}'"
    assert re.search(said, inspect.getsource(script.module.upgrade))


def become_newer(url: str, says: str | None) -> None:
    comment = "NULL" if says is None else f"'{says}'"
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute(f"COMMENT ON TABLE alembic_version IS {comment}".encode())


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


def test_the_statements_can_be_printed_for_psql(empty_database_url: str, tmp_path: Path) -> None:
    done = alembic(empty_database_url, "upgrade", "head", "--sql")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "upgrade.sql"
    file.write_text(done.stdout)
    arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", str(file)]
    assert psql(empty_database_url, arguments) == 0
    assert schema.drift(empty_database_url) == []
    with psycopg.connect(empty_database_url) as connection:
        told = "SELECT detail FROM audit_event WHERE action = 'migrate' ORDER BY seq DESC LIMIT 1"
        assert one(connection, told)["to"] == schema.head()


def test_a_broken_off_upgrade_of_subjects_is_taken_up_again(empty_database_url: str) -> None:
    """One row is in the way of a rule: what was done before it is no obstacle afterwards."""
    alembic(empty_database_url, "upgrade", "0009-1")
    before = schema.current(empty_database_url)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        add_subject(connection, metadata=f'{{"long": "{"x" * 20_000}"}}')
        with pytest.raises(DatabaseUnsuitable, match="ck_subject_metadata_size"):
            schema.upgrade(empty_database_url)
        assert schema.current(empty_database_url) == before
        connection.execute("UPDATE subject SET metadata = '{}'")
    schema.upgrade(empty_database_url)
    assert schema.drift(empty_database_url) == []


def test_dates_that_no_program_can_tell_are_brought_within_bounds(
    empty_database_url: str,
) -> None:
    alembic(empty_database_url, "upgrade", "0009-1")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        for expires_at in ("infinity", "-infinity", "2030-01-01"):
            add_subject(connection, name=expires_at, expires_at=expires_at)
        schema.upgrade(empty_database_url)
        told = connection.execute(
            "SELECT expires_at IS NULL, expires_at < now() FROM subject ORDER BY external_id"
        ).fetchall()
    assert told == [(False, True), (False, False), (True, None)]


def add_subject(
    connection: psycopg.Connection,
    name: str = "typed",
    metadata: str = "{}",
    expires_at: str | None = None,
) -> None:
    connection.execute(
        "INSERT INTO embedding_space (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('m', 2, 'd', 'native', 0) ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO gallery (name, space_id, threshold) SELECT 'typed', id, 0 FROM embedding_space"
        " ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO subject (gallery_id, external_id, metadata, expires_at)"
        " SELECT id, %s, %s, %s FROM gallery",
        (name, metadata, expires_at),
    )
