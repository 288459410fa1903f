"""The auditor's guide: each of its questions is answered, by the role that it names."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import make_url

from service.domain.galleries import GallerySettings
from service.domain.keys import trusted
from service.store import open_store
from tests.databases import execute
from tests.store.values import SPACE, add

GUIDE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
DOOR = replace(trusted("door"), address="10.0.0.9", request_id="the request")
QUESTIONS = re.findall(r"^([A-Z][^\n]*\?)\n\n```sql\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def auditor(server_url: str, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    with store.transaction() as tx:
        tx.act_for(DOOR)
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
        add(tx, gallery, "grace", 1)
        add(tx, gallery, "gone", 2)
    with store.transaction() as tx:
        tx.act_for(DOOR)
        tx.delete_subject(gallery.id, "gone")
        tx.change_gallery(gallery.id, GallerySettings(0.6))
        tx.reembedding.begin(gallery, replace(SPACE, model="ArcFace"), 0.5)
    store.close()
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE subject SET metadata = jsonb_build_object('seen', 1)")
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


ANSWERS: dict[str, dict[str, object]] = {
    "Who is enrolled now": {
        "subject": "grace", "created_by": "test", "image_sha256": f"{1:064x}", "model": "Dlib",
        "threshold": 0.5,
    },
    "Of how many faces": {"gallery": "people", "kept_photograph": None, "count": 1},
    "What happened to one": {
        "action": "enrol", "caller": "door", "address": "10.0.0.9", "request_id": "the request",
    },
    "Who was looked for": {"outcome": "match", "subject": "grace", "threshold": 0.6},
    "Who was given embeddings": {
        "what": "subject", "subject": "grace", "faces": 1, "photographs": False,
    },
    "What was erased": {"caller": "door", "gallery": "people", "gallery_version": 2},
    "What does each key do": {"caller": "door", "action": "enrol", "outcome": "done", "events": 2},
    "Which changes came from the SQL": {
        "action": "change_subject", "role": None, "subject": "grace", "gallery": "people",
    },
    "When was a gallery moved": {
        "action": "begin_reembedding", "caller": "door", "model": "ArcFace",
    },
    "Which settings were changed": {"caller": "door", "detail": {"threshold": [0.5, 0.6]}},
}  # fmt: skip
"""What a row of the answer says, for the question that begins so."""


def test_the_guide_asks_nothing_else() -> None:
    assert len(QUESTIONS) == len(ANSWERS)


@pytest.mark.parametrize(("question", "statement"), QUESTIONS)
def test_a_question_of_the_guide_is_answered(
    auditor: psycopg.Connection[Any], question: str, statement: str
) -> None:
    (answer,) = [answer for begins, answer in ANSWERS.items() if question.startswith(begins)]
    rows = auditor.cursor(row_factory=dict_row).execute(statement.encode()).fetchall()
    assert any(answer.items() <= row.items() for row in rows), rows
