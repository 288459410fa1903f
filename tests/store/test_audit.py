"""The record: what is noted of a change, by whom, and that nobody can edit it unseen."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Connection

from service.audit import Audit
from service.domain.audit import NO_GALLERY, Break, first_break
from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.ports import Store, Transaction
from service.store import audit
from tests.store.values import add, embedding, enrol, new_face, one, vector

Sql = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def empty_record(clean_url: str) -> None:
    """TRUNCATE is refused, as it must be: behind its trigger's back."""
    with psycopg.connect(clean_url) as connection:
        connection.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        connection.execute("ALTER TABLE audit_anchor DISABLE TRIGGER USER")
        connection.execute("TRUNCATE audit_event, audit_chain, audit_anchor, erasure CASCADE")
        for trigger in ("audit_complete", "audit_keep", "audit_keep_all", "audit_number"):
            connection.execute(f"ALTER TABLE audit_event ENABLE ALWAYS TRIGGER {trigger}".encode())
        for trigger in ("audit_keep", "audit_keep_all"):
            connection.execute(f"ALTER TABLE audit_anchor ENABLE ALWAYS TRIGGER {trigger}".encode())


@pytest.fixture
def broken(store: Store) -> Callable[[UUID], Break | None]:
    def check(chain: UUID) -> Break | None:
        with store.transaction(read_only=True) as tx:
            connection: Connection = tx._connection  # type: ignore[attr-defined]
            begin = audit.start(connection, chain)
            (end,) = [each for each in audit.chains(connection) if each.chain == chain]
            return first_break(audit.links(connection, chain, begin.seq), begin, end)

    return check


def actions(psql: Sql) -> list[str]:
    rows = psql.execute("SELECT action FROM audit_event ORDER BY chain, seq").fetchall()
    return [row[0] for row in rows]


def test_an_enrolment_is_noted_with_its_version_and_its_photograph_beside(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    subject_id, face_id = enrol(store, gallery, "ada")
    assert actions(psql) == ["create_gallery", "create_subject", "enrol"]
    row = psql.execute(
        "SELECT seq, subject_id, face_id, gallery_version, threshold, space_id,"
        " sql_user = session_user, caller = session_user FROM audit_event WHERE action = 'enrol'"
    ).fetchone()
    assert row == (3, subject_id, face_id, 1, 0.5, gallery.space_id, True, True)
    identity = psql.execute(
        "SELECT external_id, image_name, image_sha256 FROM audit_identity WHERE face_id = %s",
        (face_id,),
    ).fetchone()
    assert identity == ("ada", "0.jpg", bytes(32))


def test_an_enrolment_is_of_whoever_brought_the_photograph_that_is_there(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    first, second = (
        replace(trusted(name), request_id=f"request of {name}", address=f"10.0.0.{n}")
        for n, name in enumerate(("door", "desk"))
    )
    face_id = store.write(lambda tx: add(tx, gallery, "ada", 1), by=first)[1]
    psql.execute("UPDATE gallery SET threshold = 0.75")
    other = replace(new_face(2), created_by="desk")
    store.write(lambda tx: tx.replace_face(gallery, face_id, other), by=second)
    psql.execute("UPDATE face SET quality = '{}'")  # no photograph
    rows = psql.execute(
        "SELECT created_by, request_id, address, image_name, threshold, gallery_version"
        " FROM audit.enrolments"
    ).fetchall()
    assert rows == [("desk", "request of desk", "10.0.0.1", "2.jpg", 0.75, 2)]


def test_a_face_that_comes_back_under_its_id_is_enrolled_once(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    psql.execute("CREATE TEMPORARY TABLE taken AS SELECT * FROM face")
    psql.execute("DELETE FROM face")
    psql.execute(
        "INSERT INTO face (id, gallery_id, subject_id) SELECT id, gallery_id, subject_id FROM taken"
    )
    assert one(psql, "SELECT count(*) FROM audit.enrolments") == 1


def test_an_enrolment_behind_a_savepoint_is_noted_as_any_other(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with store.transaction() as tx, tx.savepoint():
        add(tx, gallery, "ada")
    assert actions(psql) == ["create_gallery", "create_subject", "enrol"]


def test_a_change_that_is_rolled_back_leaves_no_event(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada")
    before = actions(psql)
    with psql.transaction(force_rollback=True):
        psql.execute("DELETE FROM subject")
    assert actions(psql) == before


def test_erasure_empties_what_identifies_the_person_and_keeps_the_chain(
    store: Store, gallery: Gallery, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    psql.execute("UPDATE subject SET external_id = 'ada lovelace' WHERE external_id = 'ada'")
    psql.execute("DELETE FROM subject WHERE external_id = 'ada lovelace'")
    left = psql.execute("SELECT DISTINCT external_id FROM audit_identity").fetchall()
    assert left == [("bob",)]
    assert actions(psql)[-3:] == ["rename_subject", "delete_face", "delete_subject"] or actions(
        psql
    )[-3:] == ["rename_subject", "delete_subject", "delete_face"]
    text = one(psql, "SELECT string_agg(e::text, ' ') FROM audit_event e")
    assert "lovelace" not in text
    assert broken(gallery.id) is None


def test_every_face_of_a_deleted_gallery_has_an_erasure(
    store: Store, gallery: Gallery, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    faces = {enrol(store, gallery, name, seed)[1] for seed, name in enumerate("abc")}
    psql.execute("DELETE FROM gallery")
    erased = psql.execute("SELECT face_id FROM audit.erasures").fetchall()
    assert {row[0] for row in erased} == faces
    assert one(psql, "SELECT count(*) FROM audit_identity") == 0
    assert broken(gallery.id) is None


def test_every_truncated_face_has_an_erasure(store: Store, gallery: Gallery, psql: Sql) -> None:
    face_id = enrol(store, gallery, "ada")[1]
    psql.execute("TRUNCATE subject CASCADE")
    assert psql.execute("SELECT face_id FROM audit.erasures").fetchall() == [(face_id,)]
    assert one(psql, "SELECT count(*) FROM audit_identity") == 0


@pytest.mark.parametrize(
    ("table", "noted"),
    [
        ("gallery", {"delete_gallery", "delete_subject", "delete_face", "delete_consent"}),
        ("consent", {"delete_consent"}),
        ("api_key", {"delete_key", "exclude_key"}),
    ],
)
def test_whatever_is_truncated_is_noted(
    store: Store, gallery: Gallery, psql: Sql, table: str, noted: set[str]
) -> None:
    enrol(store, gallery, "ada")
    psql.execute(
        "INSERT INTO consent (gallery_id, subject_id, text_version, purpose)"
        " SELECT gallery_id, id, '2026-11', 'entry' FROM subject"
    )
    psql.execute(
        "INSERT INTO api_key (prefix, name, key_hash, scopes)"
        " VALUES ('fm_aaaaaaaa', 'door', sha256('x'), '{search}')"
    )
    psql.execute("INSERT INTO api_key_gallery SELECT k.id, g.id FROM api_key k, gallery g")
    before = one(psql, "SELECT max(id) FROM audit_event")
    psql.execute(f"TRUNCATE {table} CASCADE".encode())
    found = psql.execute("SELECT DISTINCT action FROM audit_event WHERE id > %s", (before,))
    assert noted <= {row[0] for row in found}
    psql.execute("TRUNCATE api_key CASCADE")


def test_settings_are_noted_with_what_they_were(store: Store, gallery: Gallery, psql: Sql) -> None:
    psql.execute("UPDATE gallery SET threshold = 0.75")
    row = psql.execute("SELECT detail FROM audit_event WHERE action = 'change_gallery'").fetchone()
    assert row == ({"threshold": [0.5, 0.75]},)


def test_another_vector_for_a_face_is_noted(store: Store, gallery: Gallery, psql: Sql) -> None:
    face_id = enrol(store, gallery, "ada")[1]
    psql.execute("UPDATE face_embedding SET vec = %s", (vector(embedding(9)),))
    noted = psql.execute("SELECT face_id FROM audit_event WHERE action = 'change_embedding'")
    assert noted.fetchall() == [(face_id,)]
    assert one(psql, "SELECT count(*) FROM audit_event e WHERE e::text LIKE '%vec%'") == 0


def test_a_merge_and_a_replacement_are_noted_face_by_face(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    into = enrol(store, gallery, "ada", 1)[0]
    other, face_id = enrol(store, gallery, "ada 2", 2)
    by = trusted("desk")
    store.write(lambda tx: tx.merge_subject(gallery.id, into, other), by=by)
    store.write(lambda tx: tx.replace_face(gallery, face_id, new_face(3)), by=by)
    told = psql.execute(
        "SELECT action, subject_id, face_id, detail ->> 'from_subject' FROM audit_event"
        " WHERE caller = 'desk' AND action <> 'change_subject' ORDER BY seq"
    ).fetchall()
    assert sorted(map(str, told)) == sorted(
        map(
            str,
            [
                ("move_face", into, face_id, str(other)),
                ("delete_subject", other, None, None),
                ("change_face", into, face_id, str(into)),
                ("change_embedding", into, face_id, None),
            ],
        )
    )
    names = "SELECT DISTINCT external_id FROM audit_identity WHERE face_id = %s"
    assert {row[0] for row in psql.execute(names, (face_id,))} == {"ada", "ada 2"}


def test_what_happens_to_a_key_is_called_by_its_name(store: Store, psql: Sql) -> None:
    psql.execute(
        "INSERT INTO api_key (prefix, name, key_hash, scopes)"
        " VALUES ('fm_bbbbbbbb', 'door', sha256('x'), '{search}')"
    )
    psql.execute("UPDATE api_key SET key_hash = sha256('y') WHERE prefix = 'fm_bbbbbbbb'")
    psql.execute("UPDATE api_key SET name = 'gate' WHERE prefix = 'fm_bbbbbbbb'")
    psql.execute("UPDATE api_key SET revoked_at = now() WHERE prefix = 'fm_bbbbbbbb'")
    psql.execute("DELETE FROM api_key WHERE prefix = 'fm_bbbbbbbb'")
    told = psql.execute(
        "SELECT action FROM audit_event WHERE detail ->> 'prefix' = 'fm_bbbbbbbb' ORDER BY seq"
    ).fetchall()
    names = ["create_key", "rotate_key", "change_key", "revoke_key", "delete_key"]
    assert [row[0] for row in told] == names


def _enrolled(gallery: Gallery, seed: int, tx: Transaction) -> tuple[UUID, UUID]:
    return add(tx, gallery, f"person {seed}", seed)


def test_who_erased_and_what_a_key_did_is_shown(store: Store, gallery: Gallery, psql: Sql) -> None:
    key_id = UUID(int=7)
    by = replace(trusted("door"), key_id=key_id, request_id="the request", address="10.0.0.9")
    face_ids = [store.write(partial(_enrolled, gallery, n), by=by)[1] for n in range(2)]
    store.write(lambda tx: tx.delete_subject(gallery.id, "person 0"), by=by)
    erased = psql.execute(
        "SELECT caller, key_id, request_id, address, sql_user = session_user, gallery, face_id,"
        " gallery_version FROM audit.erasures"
    ).fetchall()
    shown = ("door", key_id, "the request", "10.0.0.9", True, "people", face_ids[0], 3)
    assert erased == [shown]
    used = psql.execute(
        "SELECT caller, gallery, action, outcome, events, first_at < last_at"
        " FROM audit.key_usage WHERE key_id = %s AND action IN ('enrol', 'delete_face')"
        " ORDER BY action DESC",
        (key_id,),
    ).fetchall()
    assert used == [
        ("door", "people", "enrol", "done", 2, True),
        ("door", "people", "delete_face", "done", 1, False),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET caller = 'somebody'",
        "UPDATE audit_event SET seq = seq + 100",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event CASCADE",
        "DELETE FROM audit_anchor",
    ],
)
def test_the_record_cannot_be_changed(
    store: Store, gallery: Gallery, psql: Sql, statement: str
) -> None:
    enrol(store, gallery, "ada")
    psql.execute("SELECT audit_prune('infinity')")
    enrol(store, gallery, "bob", 1)
    with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
        psql.execute(statement.encode())


TAMPERED = {
    "edited": ("UPDATE audit_event SET caller = 'eve' WHERE seq = 3", 3, "edited"),
    "edited time": (
        "UPDATE audit_event SET occurred_at = occurred_at - interval '1 ms' WHERE seq = 2",
        2,
        "edited",
    ),
    "removed": ("DELETE FROM audit_event WHERE seq = 3", 3, "missing"),
    "last removed": ("DELETE FROM audit_event WHERE seq = 5", 5, "missing"),
    "reordered": (
        "UPDATE audit_event SET seq = -seq WHERE seq IN (3, 4);"
        " UPDATE audit_event SET seq = 7 + seq WHERE seq < 0",
        3,
        "hang on",
    ),
    "replaced": (
        "UPDATE audit_event e SET caller = 'eve' WHERE seq = 3; UPDATE audit_event e"
        " SET hash = sha256(prev_hash || audit_text(e)) WHERE seq = 3",
        4,
        "hang on",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_behind_the_triggers_backs_is_found(
    store: Store,
    gallery: Gallery,
    psql: Sql,
    broken: Callable[[UUID], Break | None],
    name: str,
) -> None:
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    assert broken(gallery.id) is None
    statement, seq, reason = TAMPERED[name]
    with psql.transaction():
        psql.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_keep")
        psql.execute(statement.encode())
        psql.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_keep")
    found = broken(gallery.id)
    assert found is not None
    assert found.seq == seq
    assert reason in found.reason


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_chain",
        "INSERT INTO audit_event (action, gallery_id) SELECT 'search', id FROM gallery",
    ],
    ids=["its end removed", "an event without a number"],
)
def test_a_chain_without_its_end_or_with_more_behind_it_is_broken(
    store: Store, gallery: Gallery, psql: Sql, statement: str
) -> None:
    enrol(store, gallery, "ada", 1)
    assert [each.broken for each in Audit(store).verify()] == [None]
    psql.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM audit_chain")
    psql.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_number")
    psql.execute(statement.encode())
    psql.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_number")
    (chain,) = Audit(store).verify()
    assert chain.broken is not None
    psql.execute("INSERT INTO audit_chain SELECT * FROM kept ON CONFLICT DO NOTHING")


def test_pruning_leaves_an_anchor_on_which_the_rest_hangs(
    store: Store, gallery: Gallery, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    enrol(store, gallery, "ada", 1)
    middle = one(psql, "SELECT clock_timestamp()")
    enrol(store, gallery, "bob", 2)
    assert one(psql, "SELECT audit_prune(%s)", middle) == 3
    assert actions(psql) == ["create_subject", "enrol", "prune_audit"]
    assert broken(gallery.id) is None
    assert one(psql, "SELECT audit_prune('-infinity')") == 0


@pytest.mark.parametrize("through", [3, 5], ids=["some", "all"])
def test_an_anchor_by_which_no_pruning_stands_is_a_break(
    store: Store, gallery: Gallery, psql: Sql, through: int
) -> None:
    """No trigger is in the way of whoever puts one there: what it would hide shows."""
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    kept = Audit(store).anchors()
    psql.execute(
        "INSERT INTO audit_anchor (chain, seq, hash) SELECT chain, seq, hash FROM audit_event"
        " WHERE seq = %s",
        (through,),
    )
    psql.execute("DELETE FROM audit_event WHERE seq <= %s", (through,))
    for anchors in ([], kept):
        (chain,) = Audit(store).verify(anchors)
        assert chain.broken is not None
        assert (chain.broken.seq, "no pruning" in chain.broken.reason) == (through, True)


def test_an_anchor_kept_elsewhere_is_held_against_the_one_left_by_pruning(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    (kept,) = Audit(store).anchors()
    psql.execute("SELECT audit_prune('infinity')")
    assert [each.broken for each in Audit(store).verify([kept])] == [None]
    (chain,) = Audit(store).verify([replace(kept, hash=bytes(32))])
    assert chain.broken is not None
    assert (chain.broken.seq, "written anew" in chain.broken.reason) == (kept.seq, True)


def test_events_of_no_gallery_form_a_chain_of_their_own(
    store: Store, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    psql.execute("INSERT INTO audit_event (action) VALUES ('migrate'), ('migrate')")
    assert broken(NO_GALLERY) is None
    assert one(psql, "SELECT max(seq) FROM audit_event WHERE chain = %s", NO_GALLERY) == 2


def test_a_forged_number_or_user_is_not_taken_over(
    store: Store, gallery: Gallery, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    psql.execute(
        "INSERT INTO audit_event (action, gallery_id, chain, seq, hash, prev_hash, sql_user)"
        " VALUES ('search', %s, gen_random_uuid(), 99, '', '', 'eve')",
        (gallery.id,),
    )
    row = psql.execute(
        "SELECT chain, seq, sql_user = session_user FROM audit_event WHERE action = 'search'"
    ).fetchone()
    assert row == (gallery.id, 2, True)
    assert broken(gallery.id) is None


def test_writers_of_one_gallery_and_of_its_settings_do_not_block_each_other_for_good(
    store: Store, gallery: Gallery, psql: Sql, broken: Callable[[UUID], Break | None]
) -> None:
    import threading

    failures: list[BaseException] = []

    def write(work: Callable[[int], None]) -> None:
        try:
            for number in range(30):
                work(number)
        except BaseException as error:
            failures.append(error)

    def change(number: int) -> None:
        with psycopg.connect(psql.info.dsn, password=psql.info.password) as connection:
            connection.execute("UPDATE gallery SET threshold = %s", (number / 100,))

    def note(number: int) -> None:
        with psycopg.connect(psql.info.dsn, password=psql.info.password) as connection:
            connection.execute(
                "INSERT INTO audit_event (action, gallery_id) VALUES ('search', %s)", (gallery.id,)
            )

    works = [
        change,
        note,
        lambda number: void(enrol(store, gallery, f"a{number}", number)),
        lambda number: void(enrol(store, gallery, f"b{number}", number)),
    ]
    threads = [threading.Thread(target=write, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert one(psql, "SELECT max(seq) FROM audit_event WHERE chain = %s", gallery.id) >= 180
    assert broken(gallery.id) is None


def void(_: object) -> None:
    pass


def test_a_deletion_leaves_a_receipt_that_names_its_version(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    enrol(store, gallery, "ada", 1)
    enrol(store, gallery, "bob", 2)
    assert one(psql, "SELECT count(*) FROM erasure") == 0
    psql.execute("DELETE FROM subject WHERE external_id = 'ada'")
    row = psql.execute("SELECT gallery_id, version, subjects, faces, passed_at FROM erasure")
    assert row.fetchall() == [(gallery.id, 3, 1, 1, None)]
    psql.execute("DELETE FROM face")
    psql.execute("DELETE FROM gallery")
    rows = psql.execute(
        "SELECT version, subjects, faces FROM erasure ORDER BY erased_at"
    ).fetchall()
    assert rows == [(3, 1, 1), (4, 0, 1), (None, 1, 0)]
