"""Views and rights that are not as the migrations make them are told, with what mends them."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from service.store import schema
from service.store.embedded import temporary_postgres
from tests.databases import copy_of, execute

ERASURES = """
CREATE OR REPLACE VIEW audit.erasures AS
SELECT e.occurred_at, e.caller, e.key_id, e.sql_user, e.request_id, e.address,
       g.name AS gallery, e.gallery_id, e.subject_id, e.face_id, e.gallery_version
  FROM audit_event e LEFT JOIN gallery g ON g.id = e.gallery_id
 WHERE e.action = 'delete_face'
"""
APP, AUDITOR = "facematch_app", "facematch_auditor"


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def remedy(line: str) -> str:
    return line.partition("; ")[2].removesuffix(" mends that")


@pytest.mark.parametrize(
    ("statement", "differences"),
    [
        (
            ERASURES + "AND e.caller <> 'eve'",
            ["view audit.erasures was changed: it says `WHERE e.action = 'delete_face'::text AND"],
        ),
        (
            ERASURES.replace("e.gallery_version", "e.gallery_version, e.detail"),
            ["view audit.erasures was changed: it says `e.gallery_version,`"],
        ),
        (
            "DROP VIEW audit.erasures",
            ["view audit.erasures is missing; "],
        ),
        (
            "DROP VIEW audit.erasures;" + ERASURES,
            [f"{AUDITOR} lacks SELECT on view audit.erasures; SELECT facematch_grant()"],
        ),
        (
            "ALTER VIEW audit.exports SET (security_invoker = true)",
            ["view audit.exports was changed: it says `CREATE OR REPLACE VIEW audit.exports WITH"],
        ),
        (
            f"GRANT SELECT ON face_embedding TO {AUDITOR}",
            [
                f"{AUDITOR} was given SELECT on table face_embedding;"
                f" REVOKE SELECT ON TABLE face_embedding FROM {AUDITOR} mends that"
            ],
        ),
        (
            f"GRANT UPDATE, DELETE ON audit_event TO {APP}",
            [
                f"{APP} was given DELETE, UPDATE on table audit_event;"
                f" REVOKE DELETE, UPDATE ON TABLE audit_event FROM {APP} mends that"
            ],
        ),
        (
            f"GRANT UPDATE ON erasure TO {APP}",
            [f"FROM {APP}; SELECT facematch_grant() mends that"],
        ),
        (
            f"GRANT SELECT (vec), UPDATE (vec) ON face_embedding TO {AUDITOR}",
            [
                f"{AUDITOR} was given SELECT (vec), UPDATE (vec) on table face_embedding;"
                f" REVOKE SELECT (vec), UPDATE (vec) ON TABLE face_embedding FROM {AUDITOR}"
            ],
        ),
        (
            f"GRANT SELECT (name) ON api_key TO {APP} WITH GRANT OPTION",
            [f"{APP} was given SELECT (name) on table api_key; REVOKE SELECT (name) ON TABLE"],
        ),
        (
            f"GRANT SELECT, DELETE ON face TO {APP} WITH GRANT OPTION",
            [f"; REVOKE GRANT OPTION FOR DELETE, SELECT ON TABLE face FROM {APP} mends that"],
        ),
        (
            f"GRANT DELETE ON audit.searches TO {AUDITOR}",
            [f"; REVOKE DELETE ON TABLE audit.searches FROM {AUDITOR} mends that"],
        ),
        (
            f"GRANT SELECT ON audit.searches TO {APP}",
            [f"; REVOKE SELECT ON TABLE audit.searches FROM {APP} mends that"],
        ),
        (
            f"GRANT EXECUTE ON FUNCTION audit_prune(timestamptz) TO {APP}",
            [f"; REVOKE EXECUTE ON FUNCTION audit_prune(old timestamp with time zone) FROM {APP}"],
        ),
        (
            f"GRANT UPDATE ON SEQUENCE gallery_change_id_seq TO {APP}",
            [f"; REVOKE UPDATE ON SEQUENCE gallery_change_id_seq FROM {APP} mends that"],
        ),
        (
            f"GRANT CREATE ON SCHEMA public TO {APP}",
            [f"; REVOKE CREATE ON SCHEMA public FROM {APP} mends that"],
        ),
        (
            f"GRANT USAGE ON SCHEMA public TO {AUDITOR}",
            [f"; REVOKE USAGE ON SCHEMA public FROM {AUDITOR} mends that"],
        ),
        (
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            ["; REVOKE CREATE ON SCHEMA public FROM PUBLIC mends that"],
        ),
        (
            "GRANT USAGE ON SCHEMA audit TO PUBLIC",
            ["PUBLIC was given USAGE on schema audit; REVOKE USAGE ON SCHEMA audit FROM PUBLIC"],
        ),
        (
            "GRANT SELECT ON face_embedding, audit.searches TO PUBLIC",
            [
                "PUBLIC was given SELECT on table face_embedding; REVOKE SELECT ON TABLE",
                "PUBLIC was given SELECT on view audit.searches; REVOKE SELECT ON TABLE",
            ],
        ),
        (
            "GRANT UPDATE ON alembic_version TO PUBLIC",
            ["PUBLIC was given UPDATE on table alembic_version"],
        ),
        (
            f"REVOKE SELECT, INSERT ON face FROM {APP};"
            f" REVOKE UPDATE (replicas) ON erasure FROM {APP}",
            [
                f"{APP} lacks UPDATE (replicas) on table erasure, and INSERT, SELECT on table face;"
                " SELECT facematch_grant() mends that"
            ],
        ),
        (
            f"REVOKE USAGE ON SCHEMA audit FROM {AUDITOR}",
            [f"{AUDITOR} lacks USAGE on schema audit; SELECT facematch_grant() mends that"],
        ),
        (
            "REVOKE EXECUTE ON FUNCTION uuid_v7() FROM PUBLIC",
            [
                "PUBLIC lacks EXECUTE on function uuid_v7();"
                " GRANT EXECUTE ON FUNCTION uuid_v7() TO PUBLIC mends that"
            ],
        ),
    ],
)
def test_a_view_or_a_right_that_differs_is_told_and_what_is_told_mends_it(
    database_url: str, statement: str, differences: list[str]
) -> None:
    run(database_url, statement)
    lines = schema.drift(database_url)
    assert len(lines) == len(differences), lines
    for line, difference in zip(lines, differences, strict=True):
        assert difference in line
        assert "\n" not in line
    run(database_url, *map(remedy, lines))
    assert schema.drift(database_url) == []


def test_every_view_of_the_auditor_s_is_compared(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        views = connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'audit' ORDER BY 1"
        ).fetchall()
        connection.execute("DROP SCHEMA audit CASCADE")
    told = [line.partition(" is missing")[0] for line in schema.drift(database_url)]
    assert told == [f"view audit.{view}" for (view,) in views]


@pytest.mark.parametrize("kind", ["TABLE", "VIEW", "MATERIALIZED VIEW"])
def test_what_else_the_auditor_would_read_is_told(database_url: str, kind: str) -> None:
    run(database_url, f'CREATE {kind} audit."More" AS SELECT * FROM face_embedding')
    (line,) = schema.drift(database_url)
    name = 'view audit."More"' if kind == "VIEW" else 'table audit."More"'
    assert line == f"{name} is not part of this release; move it out of that schema"


def test_what_operators_give_to_roles_of_their_own_is_no_drift(
    server_url: str, database_url: str
) -> None:
    role = f"reporter_{os.getpid()}"
    execute(server_url, "CREATE ROLE {}", role)
    try:
        run(
            database_url,
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
            f"GRANT {APP}, {AUDITOR} TO {role}",
            "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            f"GRANT EXECUTE ON FUNCTION theirs() TO {AUDITOR}",
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
        )
        assert schema.drift(database_url) == []
    finally:
        run(database_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_role_that_owns_the_tables_holds_its_rights_as_their_owner(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(f"ALTER TABLE face OWNER TO {APP}".encode())
    assert schema.drift(database_url) == []


def test_rights_in_a_schema_of_any_name_are_told_by_its_name(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute('CREATE SCHEMA "Faces"')
    url = empty_database_url + "&options=-csearch_path%3D%22Faces%22%2Cpublic"
    schema.upgrade(url)
    assert schema.drift(url) == []
    run(
        url,
        f'REVOKE USAGE ON SCHEMA "Faces" FROM {APP}',
        'GRANT CREATE ON SCHEMA "Faces" TO PUBLIC',
    )
    lines = schema.drift(url)
    assert lines == [
        'PUBLIC was given CREATE on schema "Faces";'
        ' REVOKE CREATE ON SCHEMA "Faces" FROM PUBLIC mends that',
        f'{APP} lacks USAGE on schema "Faces"; SELECT facematch_grant() mends that',
    ]
    run(url, *map(remedy, lines))
    assert schema.drift(url) == []


@pytest.fixture
def bare_url() -> Iterator[str]:
    """A server without our roles, by a role that owns its database and may create none."""
    with temporary_postgres() as server_url, copy_of(server_url, "template0") as url:
        run(
            url,
            "CREATE ROLE clerk LOGIN PASSWORD 'clerk'",
            "CREATE EXTENSION vector",
            f"ALTER DATABASE {make_url(url).database} OWNER TO clerk",
        )
        clerk = make_url(url).set(username="clerk", password="clerk")
        yield clerk.render_as_string(hide_password=False)
        run(url, "REASSIGN OWNED BY clerk TO CURRENT_USER")


def test_where_the_roles_are_missing_nothing_is_told_of_them(bare_url: str) -> None:
    schema.upgrade(bare_url)
    with psycopg.connect(bare_url) as connection:
        roles = connection.execute("SELECT to_regrole(%s), to_regrole(%s)", (APP, AUDITOR))
        assert roles.fetchone() == (None, None)
    assert schema.drift(bare_url) == []
    run(bare_url, "GRANT SELECT ON face TO PUBLIC")
    assert [line.partition(";")[0] for line in schema.drift(bare_url)] == [
        "PUBLIC was given SELECT on table face"
    ]


def test_a_database_that_tells_times_in_another_zone_is_no_drift(
    empty_database_url: str, database_url: str
) -> None:
    name = make_url(empty_database_url).database
    run(empty_database_url, f"ALTER DATABASE \"{name}\" SET timezone = 'Europe/Berlin'")
    schema.upgrade(empty_database_url)
    assert schema.drift(empty_database_url) == []
    name = make_url(database_url).database
    run(database_url, f"ALTER DATABASE \"{name}\" SET timezone = 'America/New_York'")
    assert schema.drift(database_url) == []
