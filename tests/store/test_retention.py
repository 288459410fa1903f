"""Who is deleted because their time is over, and what of the record pruning leaves for that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.audit import Audit
from service.domain.consents import Consent
from service.domain.galleries import Gallery, GalleryRules
from service.domain.keys import trusted
from service.domain.matches import EVERYBODY
from service.ports import Store
from service.retention import delete_lapsed
from tests.store.values import embedding, enrol, one

Sql = psycopg.Connection[Any]
YEAR = 365
HERE = "FROM audit_event WHERE gallery_id IN (SELECT id FROM gallery)"
MATCHES = f"SELECT count(*) {HERE} AND action = 'search'"


@pytest.fixture
def years(store: Store, gallery: Gallery) -> Gallery:
    """The gallery, which deletes whom nobody has found for three years."""
    rules = GalleryRules(unmatched_lifetime_s=3 * YEAR * 86_400)
    with store.transaction() as tx:
        tx.change_gallery(gallery.id, replace(gallery.settings, rules=rules))
    return gallery


def aged(psql: Sql, days: int) -> None:
    """As if the rule and everybody had been there for so long, and all that is recorded, too."""
    psql.execute("UPDATE subject SET created_at = created_at - make_interval(days => %s)", (days,))
    for table, trigger, column in (
        ("gallery", "gallery_unmatched_since", "unmatched_since"),
        ("audit_event", "audit_keep", "occurred_at"),
    ):
        psql.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}".encode())
        psql.execute(
            f"UPDATE {table} SET {column} = {column} - make_interval(days => {days})".encode()
        )
        psql.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())


def matched(psql: Sql, gallery: Gallery, subject_id: UUID) -> None:
    psql.execute(
        "INSERT INTO audit_event (action, outcome, gallery_id, subject_id)"
        " VALUES ('search', 'match', %s, %s)",
        (gallery.id, subject_id),
    )


def pruned(store: Store, days: int) -> dict[str, datetime]:
    before = datetime.now(UTC) - timedelta(days=days)
    return dict(Audit(store).prune(trusted("test"), before).kept)


def test_pruning_leaves_the_matches_that_retention_reads(
    store: Store, years: Gallery, psql: Sql
) -> None:
    subject_id = enrol(store, years, "ada")[0]
    aged(psql, 2 * YEAR)
    matched(psql, years, subject_id)
    aged(psql, 2 * YEAR)
    kept = pruned(store, 30)
    assert [*kept] == ["people"]
    assert timedelta(days=3 * YEAR) < datetime.now(UTC) - kept["people"] < timedelta(days=1097)
    assert one(psql, MATCHES) == 1
    assert one(psql, f"SELECT count(*) {HERE} AND action = 'enrol'") == 0
    assert delete_lapsed(store) == 0
    aged(psql, YEAR + 2)
    assert delete_lapsed(store) == 1


def test_pruning_by_sql_cannot_reach_them_either(store: Store, years: Gallery, psql: Sql) -> None:
    matched(psql, years, enrol(store, years, "ada")[0])
    aged(psql, 2 * YEAR)
    psql.execute("SELECT audit_prune('infinity')")
    assert one(psql, MATCHES) == 1


def test_galleries_without_such_a_rule_are_pruned_as_asked(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    matched(psql, gallery, enrol(store, gallery, "ada")[0])
    aged(psql, YEAR)
    assert pruned(store, 30) == {}
    assert one(psql, MATCHES) == 0


def test_a_rule_made_longer_deletes_nobody_for_events_that_were_pruned_under_the_shorter_one(
    store: Store, years: Gallery, psql: Sql
) -> None:
    subject_id = enrol(store, years, "ada")[0]
    aged(psql, 3 * YEAR)
    matched(psql, years, subject_id)
    aged(psql, 2 * YEAR)
    psql.execute("UPDATE gallery SET unmatched_lifetime_s = %s", (YEAR * 86_400,))
    pruned(store, 30)
    assert one(psql, MATCHES) == 0
    psql.execute("UPDATE gallery SET unmatched_lifetime_s = %s", (3 * YEAR * 86_400,))
    assert delete_lapsed(store) == 0
    aged(psql, 2 * YEAR + 1)
    assert delete_lapsed(store) == 1


def consented(store: Store, gallery: Gallery, name: str, seed: int, **more: Any) -> UUID:
    subject_id = enrol(store, gallery, name, seed)[0]
    with store.transaction() as tx:
        tx.consents.add(gallery.id, subject_id, Consent("1", "door", **more), "test")
    return subject_id


def found(store: Store, gallery: Gallery) -> set[str]:
    """Whom an answer may name."""
    with store.transaction(read_only=True) as tx:
        ids = [each.id for each in tx.list_subjects(gallery.id, None, 100, None)]
        named = set(tx.subject_names(ids).values())
        faces = tx.faces_of_subjects(gallery, ids)
        assert {each.external_id for each in faces if each.permitted} == named
        assert len(tx.permitted_subjects(gallery.id, EVERYBODY)) == len(named)
    return named


def test_whose_consents_are_all_over_is_not_found_and_then_deleted(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "never asked", 1)
    consented(store, gallery, "valid", 2)
    then = datetime.now(UTC) - timedelta(days=2)
    over = then + timedelta(days=1)
    consented(store, gallery, "over", 3, given_at=then, expires_at=over)
    withdrawn = consented(store, gallery, "withdrawn", 4)
    renewed = consented(store, gallery, "renewed", 5, given_at=then, expires_at=over)
    with store.transaction() as tx:
        tx.consents.add(gallery.id, renewed, Consent("2", "door"), "test")
        (given,) = tx.consents.listed(gallery.id, withdrawn, None, 10)
        tx.consents.withdraw(given.id)
    assert found(store, gallery) == {"never asked", "valid", "renewed"}
    with store.transaction() as tx:
        assert tx.most_alike(gallery, embedding(4), "nobody", None) is None
        assert tx.most_alike(gallery, embedding(5), "nobody", None) is not None
    assert delete_lapsed(store) == 2
    left = psql.execute("SELECT external_id FROM subject ORDER BY 1").fetchall()
    assert left == [("never asked",), ("renewed",), ("valid",)]
    assert one(psql, "SELECT count(*) FROM consent") == 3


def test_a_withdrawal_is_noted_and_does_not_move(store: Store, gallery: Gallery, psql: Sql) -> None:
    subject_id = consented(store, gallery, "ada", 1)
    with store.transaction() as tx:
        (given,) = tx.consents.listed(gallery.id, subject_id, None, 10)
        tx.consents.withdraw(given.id)
    first = one(psql, "SELECT withdrawn_at FROM consent")
    with store.transaction() as tx:
        tx.consents.withdraw(given.id)
    assert one(psql, "SELECT withdrawn_at FROM consent") == first
    told = f"SELECT action, subject_id, detail ->> 'text_version' {HERE}"
    noted = psql.execute(f"{told} AND action LIKE '%consent%' ORDER BY id".encode()).fetchall()
    assert noted == [("record_consent", subject_id, "1"), ("withdraw_consent", subject_id, "1")]


def test_a_withdrawn_consent_allows_no_face(store: Store, gallery: Gallery, psql: Sql) -> None:
    subject_id = consented(store, gallery, "ada", 1)
    psql.execute("UPDATE gallery SET consent_required = true")
    psql.execute("UPDATE consent SET withdrawn_at = now()")
    with pytest.raises(psycopg.errors.CheckViolation, match="demands a consent"):
        psql.execute(
            "INSERT INTO face (gallery_id, subject_id) VALUES (%s, %s)", (gallery.id, subject_id)
        )


def test_consents_go_with_a_merge(store: Store, gallery: Gallery, psql: Sql) -> None:
    psql.execute("UPDATE gallery SET consent_required = true")
    with store.transaction() as tx:
        into = tx.add_subject(gallery.id, "ada")
    with psql.transaction():
        psql.execute("SET CONSTRAINTS ALL DEFERRED")
    psql.execute("UPDATE gallery SET consent_required = false")
    other = consented(store, gallery, "ada 2", 1)
    psql.execute("UPDATE gallery SET consent_required = true")
    with store.transaction() as tx:
        assert tx.merge_subject(gallery.id, into, other) == 1
    assert one(psql, "SELECT subject_id FROM consent") == into
