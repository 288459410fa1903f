"""The thread that writes searches down outlives whatever keeps it from doing so."""

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from service.audit import Recorder
from service.domain.audit import NO_MATCH, RecordedSearch
from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.ports import Store
from tests.store.conftest import clean_url, gallery, psql, shared_url, store

__all__ = ["clean_url", "gallery", "psql", "shared_url", "store"]


def search(gallery: Gallery) -> RecordedSearch:
    return RecordedSearch(
        action="search",
        outcome=NO_MATCH,
        caller=trusted("door 3"),
        gallery_id=gallery.id,
        space_id=gallery.space_id,
        threshold=gallery.threshold,
        version=gallery.version.number,
        occurred_at=datetime.now(UTC),
    )


def test_what_could_not_be_written_is_written_as_soon_as_it_can(
    store: Store,
    gallery: Gallery,
    psql: psycopg.Connection[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Here the table is away; a role without its right to insert is no different."""
    recorder = Recorder(store)
    psql.execute("ALTER TABLE audit_event RENAME TO hidden")
    try:
        recorder.start()
        recorder.record([search(gallery)])
        end = time.monotonic() + 20
        while "searches cannot be recorded" not in caplog.text:
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        psql.execute("ALTER TABLE hidden RENAME TO audit_event")
    recorder.close()
    (count,) = psql.execute(
        "SELECT count(*) FROM audit_event WHERE action = 'search' AND caller = 'door 3'"
    ).fetchone() or (0,)
    assert count == 1
