"""What the record says of somebody at the SQL prompt: from where, and in which role."""

from pathlib import Path
from typing import Any

import psycopg

from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.ports import Store
from service.store import schema
from service.store.postmaster import Postmaster
from tests.store import images
from tests.store.values import add, one

Sql = psycopg.Connection[Any]
ADDRESS = "127.0.54.32"
"""Nobody else listens there: the port is the usual one."""
TYPED = "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s)"
TOLD = "SELECT address, detail -> 'role' FROM audit_event WHERE action = 'create_subject'"


def test_a_role_that_was_taken_on_is_told_beside_the_user(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    psql.execute("SET ROLE facematch_app")
    psql.execute(TYPED, (gallery.id, "ada"))
    psql.execute("RESET ROLE")
    psql.execute(TYPED, (gallery.id, "bob"))
    with store.transaction() as tx:
        tx.act_for(trusted("door"))
        add(tx, gallery, "eve")
    told = psql.execute(f"{TOLD} ORDER BY seq".encode()).fetchall()
    assert told == [(None, "facematch_app"), (None, None), (None, None)]


def test_whoever_comes_over_the_network_is_told_with_the_address(tmp_path: Path) -> None:
    postmaster = Postmaster(tmp_path)
    postmaster.start({"listen_addresses": ADDRESS, "fsync": "off"}, 60)
    try:
        images.load(postmaster.url, schema.head())
        with psycopg.connect(postmaster.url, host=ADDRESS) as sql:
            images.enrol(sql, "somebody new")
            assert one(sql, f"{TOLD} ORDER BY id DESC LIMIT 1") == "127.0.0.1"
    finally:
        postmaster.stop()
