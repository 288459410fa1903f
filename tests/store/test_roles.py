"""What the application's role may do, and what an auditor sees."""

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import make_url

from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.domain.photographs import Keeping
from service.photograph_keys import PhotographKey, PhotographKeys
from service.photographs import Photographs
from service.ports import Store
from service.store import open_store, schema
from tests.databases import execute
from tests.store.photographs import KEYS, enrol_kept, keeping_gallery
from tests.store.values import enrol, one

Sql = psycopg.Connection[Any]


def member(server_url: str, url: str, role: str) -> Iterator[str]:
    """The URL of a login that is a member of that role."""
    login = f"{role}_{os.getpid()}"
    execute(server_url, "CREATE ROLE {} LOGIN PASSWORD 'secret'", login)
    execute(server_url, "GRANT {} TO {}", role, login)
    changed = make_url(url).set(username=login, password="secret")
    yield changed.render_as_string(hide_password=False)
    execute(server_url, "DROP ROLE {}", login)


@pytest.fixture
def app_url(server_url: str, clean_url: str) -> Iterator[str]:
    yield from member(server_url, clean_url, "facematch_app")


@pytest.fixture
def auditor(server_url: str, clean_url: str) -> Iterator[Sql]:
    for url in member(server_url, clean_url, "facematch_auditor"):
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


def test_the_application_s_role_enrols_and_deletes_and_is_noted(
    app_url: str, gallery: Gallery, psql: Sql
) -> None:
    store = open_store(app_url, pool_size=2, timeout_s=5)
    subject_id, _ = enrol(store, gallery, "ada")
    with store.transaction() as tx:
        assert tx.delete_subject(gallery.id, "ada")
    store.close()
    rows = psql.execute(
        "SELECT DISTINCT sql_user FROM audit_event WHERE subject_id = %s", (subject_id,)
    ).fetchall()
    assert rows == [(make_url(app_url).username,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET caller = 'eve'",
        "DELETE FROM audit_event",
        "DELETE FROM audit_identity",
        "INSERT INTO audit_anchor (chain, seq, hash) VALUES (gen_random_uuid(), 1, '')",
        "UPDATE audit_chain SET seq = 0",
        "SELECT audit_prune('infinity')",
        "SELECT facematch_grant()",
        "TRUNCATE subject CASCADE",
        "ALTER TABLE face DISABLE TRIGGER ALL",
        "DROP TABLE face_embedding",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_the_application_s_role_may_neither_change_the_record_nor_the_schema(
    app_url: str, store: Store, gallery: Gallery, statement: str
) -> None:
    enrol(store, gallery, "ada")
    with (
        psycopg.connect(app_url, autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_an_auditor_reads_every_view(auditor: Sql, store: Store, gallery: Gallery) -> None:
    _, face_id = enrol(store, gallery, "ada")
    row = auditor.execute("SELECT subject, face_id, model FROM audit.enrolments").fetchone()
    assert row == ("ada", face_id, "Dlib")
    for view in ("enrolment_history", "searches", "erasures", "key_usage"):
        auditor.execute(f"SELECT * FROM audit.{view}".encode())
    assert one(auditor, "SELECT count(*) FROM audit.enrolment_history WHERE action = 'enrol'") >= 1


@pytest.mark.parametrize(
    "table", ["face_embedding", "face", "subject", "audit_event", "kept_photograph"]
)
def test_an_auditor_sees_no_embedding_and_no_table(auditor: Sql, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        auditor.execute(f"SELECT * FROM {table}".encode())


def test_an_auditor_sees_that_a_photograph_is_kept(auditor: Sql, store: Store) -> None:
    enrol_kept(store, keeping_gallery(store), "ada")
    assert one(auditor, "SELECT kept_photograph FROM audit.enrolments") == "originals"


def test_the_application_s_role_keeps_photographs_and_seals_them_anew(
    app_url: str, store: Store, psql: Sql
) -> None:
    gallery = keeping_gallery(store)
    new = PhotographKey.new()
    mine = open_store(app_url, pool_size=2, timeout_s=5)
    try:
        enrol_kept(mine, gallery, "ada")
        use = Photographs(mine, PhotographKeys((new, *KEYS.keys)))
        assert use.rotate(trusted("test")).done == 1
        assert use.kept(trusted("test"), gallery.name).by_key == {new.id: 1}
        assert use.keep(trusted("test"), gallery.name, Keeping.NONE).by_key == {}
    finally:
        mine.close()
    assert one(psql, "SELECT count(*) FROM kept_photograph") == 0


def test_a_step_down_leaves_the_auditor_what_there_was(
    server_url: str, empty_database_url: str
) -> None:
    schema.upgrade(empty_database_url, revision="0017")
    schema.downgrade(empty_database_url, "0016")
    for url in member(server_url, empty_database_url, "facematch_auditor"):
        with psycopg.connect(url) as connection:
            assert one(connection, "SELECT count(*) FROM audit.enrolments") == 0


def test_no_view_shows_an_embedding_or_a_photograph(psql: Sql) -> None:
    shown = psql.execute(
        "SELECT count(*) FROM information_schema.columns"
        " WHERE table_schema = 'audit' AND (udt_name = 'vector' OR column_name = 'sealed')"
    ).fetchone()
    assert shown == (0,)


def test_every_step_of_an_upgrade_is_in_the_record(psql: Sql, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        steps = connection.execute(
            "SELECT detail ->> 'from', detail ->> 'to' FROM audit_event WHERE action = 'migrate'"
            " ORDER BY seq"
        ).fetchall()
    assert all(above[0] == below[1] for below, above in pairwise(steps))
    assert steps[-1][1] == schema.head()
