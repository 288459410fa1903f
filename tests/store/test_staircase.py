"""Every step of the schema, up, down and up again, alone, on an empty database and on one with
data; and from each old image to the head."""

import re
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from service.audit import Audit
from service.domain.embeddings import unit
from service.ports import Store
from service.store import open_store, schema
from service.sync import Replica
from tests.store import images
from tests.store.values import one

Sql = psycopg.Connection[Any]

WAITS = re.compile(r"lock_timeout = (\S+);")
STAYS = re.compile("CREATE SCHEMA audit;|CREATE EXTENSION .*")
"""What no step down takes away: an administrator may have made it for us."""


def shape(url: str) -> list[str]:
    """The schema as SQL, a statement or a part of one a line."""
    return images.dumped(url, "--schema-only").splitlines()


def without_what_stays(lines: list[str]) -> list[str]:
    return [line for line in lines if not STAYS.fullmatch(line)]


def columns(sql: Sql) -> dict[tuple[str, str], str]:
    """(table, column) -> type."""
    found = sql.execute(
        "SELECT table_name, column_name, udt_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    ).fetchall()
    return {(table, column): kind for table, column, kind in found}


def content(sql: Sql, known: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """The rows of every table, in those columns; without what steps tell of themselves."""
    found: dict[str, list[str]] = {}
    for table in sorted({table for table, _ in known}):
        rows = sql.execute(f"SELECT to_jsonb(t) FROM {table} t".encode()).fetchall()
        found[table] = sorted(
            repr({name: value for name, value in row.items() if (table, name) in known})
            for (row,) in rows
            if UUID(int=0) != UUID(row.get("chain") or images.GALLERY)
        )
    return found


def feed_works(sql: Sql, name: str) -> bool:
    """Enrol somebody and see that it is numbered as a version that hangs on the one before.

    True also before there was a feed.
    """
    before = sql.execute(
        "SELECT version, mark FROM gallery WHERE id = %s", (images.GALLERY,)
    ).fetchone()
    face_id = images.enrol(sql, name)
    if one(sql, "SELECT to_regproc('feed_number')") is None:
        return True
    change: tuple[int, UUID, UUID, list[UUID]] | None = sql.execute(
        "SELECT c.version, c.mark, c.prev_mark, c.faces FROM gallery_change c"
        " JOIN gallery g ON g.id = c.gallery_id AND g.version = c.version AND g.mark = c.mark"
        " WHERE g.id = %s AND c.faces <> '{}'",
        (images.GALLERY,),
    ).fetchone()
    assert before is not None
    return (
        change is not None
        and (change[0], change[2]) == (before[0] + 1, before[1])
        and change[3] == [face_id]
    )


@pytest.fixture
def sql(empty_database_url: str) -> Iterator[Sql]:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def store(empty_database_url: str) -> Iterator[Store]:
    store = open_store(empty_database_url, pool_size=2, timeout_s=5)
    yield store
    store.close()


@pytest.mark.parametrize(("before", "revision"), images.steps())
def test_a_step_is_undone_whole_and_done_again_alike_on_an_empty_database(
    empty_database_url: str, before: str, revision: str
) -> None:
    if before == "base":  # for Alembic's own table
        schema.upgrade(empty_database_url, revision=revision)
        schema.downgrade(empty_database_url, before)
    else:
        schema.upgrade(empty_database_url, revision=before)
    without = without_what_stays(shape(empty_database_url))
    schema.upgrade(empty_database_url, revision=revision)
    made = shape(empty_database_url)
    schema.downgrade(empty_database_url, before)
    assert without_what_stays(shape(empty_database_url)) == without
    schema.upgrade(empty_database_url, revision=revision)
    assert shape(empty_database_url) == made


@pytest.mark.parametrize(("before", "revision"), images.steps()[1:])
def test_data_survive_a_step_up_down_and_up_and_the_feed_works_after_each(
    empty_database_url: str, sql: Sql, before: str, revision: str
) -> None:
    images.load(empty_database_url, before)
    known = columns(sql)
    at_first = content(sql, known)
    schema.upgrade(empty_database_url, revision=revision)
    assert content(sql, known) == at_first
    images.add_rows(empty_database_url, revision)
    images.take_down(empty_database_url, revision)
    assert feed_works(sql, "after the first step up")
    above = content(sql, known)
    schema.downgrade(empty_database_url, before)
    assert content(sql, known) == above
    assert feed_works(sql, "after the step down")
    below = content(sql, known)
    schema.upgrade(empty_database_url, revision=revision)
    assert content(sql, known) == below
    assert feed_works(sql, "after the second step up")


OF_THE_OTHER = """
SELECT (SELECT count(*) FROM face_embedding e JOIN gallery g ON g.id = e.gallery_id
         WHERE e.space_id <> g.space_id)
     + (SELECT count(*) FROM gallery_calibration c JOIN gallery g ON g.id = c.gallery_id
         WHERE c.space_id <> g.space_id)
"""


@pytest.mark.parametrize("discarding", [False, True], ids=["in two spaces", "half discarded"])
def test_the_step_down_leaves_a_gallery_in_its_own_space_and_nothing_of_the_other(
    empty_database_url: str, sql: Sql, store: Store, *, discarding: bool
) -> None:
    images.load(empty_database_url, "0018")
    if discarding:
        sql.execute("DELETE FROM reembedding")
    faces = one(sql, "SELECT count(*) FROM face")
    assert one(sql, OF_THE_OTHER) == 2
    schema.downgrade(empty_database_url, "0017")
    assert one(sql, OF_THE_OTHER) == 0
    assert one(sql, "SELECT count(*) FROM face_embedding") == faces
    assert feed_works(sql, "after the step down")
    told = "SELECT count(*) FROM audit_event WHERE action = 'end_reembedding'"
    assert one(sql, told) == 1
    schema.upgrade(empty_database_url)
    assert feed_works(sql, "after the second step up")
    assert [chain for chain in Audit(store).verify() if chain.broken] == []


@pytest.mark.parametrize(("before", "revision"), images.steps()[1:])
def test_a_step_leaves_what_the_release_before_reads_and_writes(
    empty_database_url: str, sql: Sql, before: str, revision: str
) -> None:
    schema.upgrade(empty_database_url, revision=before)
    known = columns(sql)
    schema.upgrade(empty_database_url, revision=revision)
    now = columns(sql)
    assert {each: now.get(each) for each in known} == known
    demanding = sql.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL"
        " AND is_identity = 'NO' AND is_generated = 'NEVER'"
    ).fetchall()
    tables = {table for table, _ in known}
    assert [each for each in demanding if each not in known and each[0] in tables] == []


@pytest.mark.parametrize("revision", images.revisions())
def test_an_image_is_what_its_migrations_make_today(empty_database_url: str, revision: str) -> None:
    """Who edits a revision that has an image edits history: databases were made by the old one."""
    schema.upgrade(empty_database_url, revision=revision)
    made = images.schema_of(images.dumped(empty_database_url, "--schema-only"))
    assert images.schema_of(images.image(revision).read_text()) == made


@pytest.mark.parametrize("revision", images.revisions())
def test_an_image_reaches_the_head_searches_and_its_record_holds(
    empty_database_url: str, sql: Sql, store: Store, revision: str
) -> None:
    images.load(empty_database_url, revision)
    known = columns(sql)
    kept = content(sql, known)
    schema.upgrade(empty_database_url)
    assert schema.drift(empty_database_url) == []
    assert content(sql, known) == kept
    assert feed_works(sql, "at the head")
    probe = unit(np.array([0.0, 0.0, 1.0, 0.0]), 4)
    replica = Replica(store.feed(), poll_s=1, stale_s=15, wait_s=10)
    replica.start()
    try:
        with store.transaction(read_only=True) as tx:
            (gallery,) = (each for each in tx.list_galleries(None, 9, None) if each.name == "dlib")
            assert replica.wait_for(gallery.id, gallery.version)
            found = replica.index(gallery.key).search(probe, 20)
            names = tx.subject_names([each.subject_id for each in found.candidates])
    finally:
        replica.close()
    assert found.faces == one(
        sql, "SELECT count(*) FROM face WHERE gallery_id = %s", UUID(images.GALLERY)
    )
    assert {"at the head", f"enrolled at {revision}", "ada"} <= set(names.values())
    chains = list(Audit(store).verify())
    assert UUID(images.GALLERY) in {chain.end.chain for chain in chains}
    assert [chain for chain in chains if chain.broken] == []


def test_every_revision_has_an_image() -> None:
    assert images.missing() == []


@pytest.mark.parametrize(("before", "revision"), images.steps())
def test_a_step_waits_for_locks_only_as_long_as_writers_can(before: str, revision: str) -> None:
    """Who wants a table queues behind a step that waits for it. Zero is for what makes nobody
    wait: indexes made concurrently."""
    statements = images.statements(before, revision)
    waits = set(WAITS.findall(statements))
    assert "'2s'" in waits
    assert waits <= {"'2s'", "'500ms'", "'100ms'", *(["0"] if "CONCURRENTLY" in statements else [])}
