"""What replicas report, and the changes that may go because all of them have applied them."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service.domain.galleries import Gallery, GalleryVersion
from service.domain.replicas import DEAD_AFTER_S, Held, Report
from service.ports import ChangeFeed, Store
from service.store import replicas
from tests.store.values import one, version

Sql = psycopg.Connection[Any]

DAY_S = 86_400.0
AGED = "UPDATE gallery_change SET at = now() - interval '2 days'"
KEPT = "SELECT array_agg(version ORDER BY version) FROM gallery_change"


def report(feed: ChangeFeed, replica: UUID, versions: dict[UUID, GalleryVersion]) -> None:
    held = {gallery_id: Held(version) for gallery_id, version in versions.items()}
    feed.report(Report(replica, f"host:{replica}", held, None, 0))


def number(gallery: Gallery, n: int) -> dict[UUID, GalleryVersion]:
    return {gallery.id: GalleryVersion(n, uuid4())}


@pytest.fixture
def ten(psql: Sql, gallery: Gallery) -> Gallery:
    """A gallery of ten versions, all of them two days old, of which no replica is known."""
    psql.execute("TRUNCATE replica CASCADE")
    for name in range(10):
        psql.execute(
            "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s)", (gallery.id, str(name))
        )
    psql.execute(AGED)
    return gallery


def test_a_report_is_seen_by_all(store: Store, feed: ChangeFeed, gallery: Gallery) -> None:
    replica, held = uuid4(), version(feed, gallery)
    report(feed, replica, {gallery.id: held})
    with store.transaction() as tx:
        found = {each.name: each for each in tx.replicas(gallery.id)}[f"host:{replica}"]
    assert (found.version, found.live, found.differences) == (held, True, 0)


def test_the_spaces_that_a_replica_can_search_in_are_seen_and_told_anew_when_they_change(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    replica, held = uuid4(), version(feed, gallery)
    sets = [frozenset(uuid4() for _ in range(count)) for count in (0, 1, 2, 0)]
    for spaces in sets:
        told = {gallery.id: Held(held, spaces)}
        feed.report(Report(replica, "host:1", told, None, 0))
        with store.transaction() as tx:
            (found,) = [each for each in tx.replicas(gallery.id) if each.name == "host:1"]
        assert (found.searchable, found.older_release) == (spaces, False)


def test_a_gallery_deleted_meanwhile_does_not_stop_a_report(
    store: Store, feed: ChangeFeed, gallery: Gallery
) -> None:
    replica, held = uuid4(), version(feed, gallery)
    report(feed, replica, {uuid4(): GalleryVersion(1, uuid4()), gallery.id: held})
    with store.transaction() as tx:
        assert held in [each.version for each in tx.replicas(gallery.id)]


def test_what_was_told_before_is_not_written_again(
    feed: ChangeFeed, gallery: Gallery, psql: Sql
) -> None:
    """A heartbeat repeats every gallery, and there may be thousands."""
    replica, held = uuid4(), version(feed, gallery)
    row = "SELECT xmin::text || xmax::text FROM replica_gallery WHERE replica_id = %s"
    report(feed, replica, {gallery.id: held})
    before = one(psql, row, replica)
    report(feed, replica, {gallery.id: held})
    assert one(psql, row, replica) == before
    report(feed, replica, number(gallery, held.number))
    assert one(psql, row, replica) != before


def test_old_changes_go_but_for_the_newest(feed: ChangeFeed, ten: Gallery, psql: Sql) -> None:
    assert feed.prune(DAY_S) is False
    assert one(psql, KEPT) == [10]


def test_young_changes_stay(feed: ChangeFeed, ten: Gallery, psql: Sql) -> None:
    psql.execute("UPDATE gallery_change SET at = now() WHERE version > 4")
    feed.prune(DAY_S)
    assert one(psql, KEPT) == [5, 6, 7, 8, 9, 10]


def test_what_a_live_replica_has_not_applied_stays(
    feed: ChangeFeed, ten: Gallery, psql: Sql
) -> None:
    report(feed, uuid4(), number(ten, 9))
    report(feed, uuid4(), number(ten, 3))
    feed.prune(DAY_S)
    assert one(psql, KEPT) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_a_dead_replica_holds_nothing_up(feed: ChangeFeed, ten: Gallery, psql: Sql) -> None:
    report(feed, uuid4(), number(ten, 3))
    psql.execute("UPDATE replica SET seen_at = now() - make_interval(secs => %s)", (DEAD_AFTER_S,))
    feed.prune(DAY_S)
    assert one(psql, KEPT) == [10]


def test_a_replica_from_another_history_does_not_unkeep_the_newest(
    feed: ChangeFeed, ten: Gallery, psql: Sql
) -> None:
    """Its number is greater than any there is: commits were lost."""
    report(feed, uuid4(), number(ten, 99))
    feed.prune(DAY_S)
    assert one(psql, KEPT) == [10]


def test_pruning_is_done_in_pieces_and_says_so(
    feed: ChangeFeed, ten: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "BATCH", 4)
    assert feed.prune(DAY_S) is True
    assert one(psql, KEPT) == [5, 6, 7, 8, 9, 10]
    assert feed.prune(DAY_S) is True
    assert feed.prune(DAY_S) is False
    assert one(psql, KEPT) == [10]


def rows_looked_at(plan: dict[str, Any]) -> float:
    """The most rows of changes that any part of a plan has read."""
    read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    ours = plan.get("Relation Name") == "gallery_change"
    return max([read if ours else 0, *(rows_looked_at(part) for part in plan.get("Plans", []))])


def test_pruning_does_not_read_all_that_is_kept(
    feed: ChangeFeed, ten: Gallery, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psql.transaction():
        psql.execute("SET LOCAL session_replication_role = replica")
        psql.execute("ALTER TABLE gallery_change DISABLE TRIGGER feed_number")
        psql.execute(
            "INSERT INTO gallery_change (gallery_id, version, mark, prev_mark)"
            " SELECT %s, n, gen_random_uuid(), gen_random_uuid() FROM generate_series(11, 20000) n",
            (ten.id,),
        )
        psql.execute("UPDATE gallery SET version = 20000")
        psql.execute("ALTER TABLE gallery_change ENABLE ALWAYS TRIGGER feed_number")
    psql.execute("ANALYZE gallery_change")
    values = {"dead": DEAD_AFTER_S, "keep": DAY_S, "batch": 100}
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {replicas.PRUNE}"
    row = psql.execute(explain.encode(), values).fetchone()
    assert row is not None
    (found,) = row[0]
    assert one(psql, KEPT)[0] == 11
    assert rows_looked_at(found["Plan"]) <= 110
