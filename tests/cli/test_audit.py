"""`facematch audit` on a real record."""

import json
from pathlib import Path

import psycopg
import pytest

from service.domain.galleries import GallerySettings
from service.store import open_store
from tests.servers import facematch
from tests.store.values import SPACE, enrol


@pytest.fixture
def record(database_url: str) -> str:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    enrol(store, gallery, "ada", 1)
    store.close()
    return database_url


def test_a_whole_record_is_verified(record: str) -> None:
    done = facematch("audit", "verify", environment={"DATABASE_URL": record})
    assert done.returncode == 0, done.stderr
    assert "events 1 to 3 hold" in done.stdout


def test_an_edited_record_names_the_first_break(record: str) -> None:
    with psycopg.connect(record) as connection:
        connection.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_keep")
        connection.execute("UPDATE audit_event SET caller = 'eve' WHERE seq >= 2")
    done = facematch("audit", "verify", environment={"DATABASE_URL": record})
    assert done.returncode == 1
    assert "broken at 2: it was edited" in done.stderr


def test_a_record_that_was_written_anew_does_not_pass_an_anchor(
    record: str, tmp_path: Path
) -> None:
    kept = facematch("audit", "anchors", environment={"DATABASE_URL": record})
    file = tmp_path / "anchors"
    file.write_text(kept.stdout)
    assert [json.loads(line)["seq"] for line in kept.stdout.splitlines()][1:] == [3]
    arguments = ("audit", "verify", "--anchors", str(file))
    assert facematch(*arguments, environment={"DATABASE_URL": record}).returncode == 0
    with psycopg.connect(record) as connection:
        connection.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_keep")
        connection.execute(
            "UPDATE audit_event SET seq = NULL, hash = NULL, prev_hash = NULL, caller = 'eve',"
            " tx = pg_current_xact_id()"
        )
        connection.execute("DELETE FROM audit_chain")
        connection.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_keep")
        connection.execute(
            "SELECT audit_number(c, NULL) FROM (SELECT DISTINCT chain FROM audit_event) t (c)"
        )
    assert facematch("audit", "verify", environment={"DATABASE_URL": record}).returncode == 0
    done = facematch(*arguments, environment={"DATABASE_URL": record})
    assert done.returncode == 1
    assert "written anew" in done.stderr


def test_a_pruned_record_still_holds(record: str) -> None:
    with psycopg.connect(record) as connection:
        connection.execute("SELECT audit_prune('infinity')")
    done = facematch("audit", "verify", environment={"DATABASE_URL": record})
    assert done.returncode == 0, done.stderr
    assert "events 4 to 4 hold" in done.stdout
    pruned = facematch(
        "audit", "prune", "--older-than-days", "30", environment={"DATABASE_URL": record}
    )
    assert "0 events deleted" in pruned.stdout


def test_pruning_says_which_gallery_keeps_what_its_retention_reads(record: str) -> None:
    with psycopg.connect(record) as connection:
        connection.execute("UPDATE gallery SET unmatched_lifetime_s = 94608000")
    done = facematch(
        "audit", "prune", "--older-than-days", "30", environment={"DATABASE_URL": record}
    )
    assert done.returncode == 0, done.stderr
    assert "gallery 'people' keeps its events since" in done.stdout
    assert "unmatched_lifetime_s" in done.stdout
