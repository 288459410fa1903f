"""The auditor's guide: each of its questions is answered, by the role that it names."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from service.domain.galleries import GallerySettings
from service.store import open_store
from tests.databases import execute
from tests.store.values import SPACE, enrol

GUIDE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
QUESTIONS = re.findall(r"^([A-Z][^\n]*\?)\n\n```sql\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def auditor(server_url: str, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    enrol(store, gallery, "grace", 1)
    enrol(store, gallery, "gone", 2)
    with store.transaction() as tx:
        tx.delete_subject(gallery.id, "gone")
        tx.change_gallery(gallery.id, GallerySettings(0.6))
        tx.reembedding.begin(gallery, replace(SPACE, model="ArcFace"), 0.5)
    store.close()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO audit_event (action, outcome, gallery_id, subject_id)"
            " SELECT 'search', 'match', gallery_id, id FROM subject"
        )
        connection.execute(
            "INSERT INTO audit_event (action, gallery_id, subject_id, detail)"
            ' SELECT \'export\', gallery_id, id, \'{"of": "subject", "faces": 1}\' FROM subject'
        )
    login = f"auditor_{os.getpid()}"
    execute(server_url, "CREATE ROLE {} LOGIN PASSWORD 'secret' IN ROLE facematch_auditor", login)
    url = make_url(database_url).set(username=login, password="secret")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        yield connection
    execute(server_url, "DROP ROLE {}", login)


def test_the_guide_asks_something() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize(("question", "statement"), QUESTIONS)
def test_a_question_of_the_guide_is_answered(
    auditor: psycopg.Connection[Any], question: str, statement: str
) -> None:
    rows = auditor.execute(statement.encode()).fetchall()
    assert rows, question
