"""Log lines hold no values of rows."""

import logging
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from service.domain.galleries import GallerySettings
from service.logs import Line
from service.store import open_store
from service.store.engine import open_engine
from tests.store.values import SPACE, embedding, enrol, vector


def logged(error: BaseException) -> str:
    """As a handler of ours prints it, with its traceback."""
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "it failed", (), info)
    return Line("%(levelname)s%(request)s: %(message)s").format(record)


@pytest.fixture
def sql(database_url: str) -> Any:
    store = open_store(database_url, pool_size=2, timeout_s=5)
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, GallerySettings(0.5))
    enrol(store, gallery, "ada lovelace", 1)
    store.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO subject (gallery_id, external_id) SELECT gallery_id, external_id FROM subject",
        "UPDATE subject SET metadata = '[]'",
        "UPDATE face_embedding SET vec = vec + vec",
    ],
)
def test_what_a_database_refuses_is_told_without_the_row(
    sql: "psycopg.Connection[Any]", statement: str
) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        sql.execute(statement.encode())
    said = logged(refusal.value)
    assert "Traceback" in said
    assert "DETAIL: left out" in said
    assert "lovelace" not in said
    assert str(float(2 * embedding(1)[5]))[:7] not in said


def test_what_sqlalchemy_adds_holds_none_either(
    sql: "psycopg.Connection[Any]", database_url: str
) -> None:
    engine = open_engine(database_url, pool_size=1, timeout_s=5, pooler=False)
    insert = text(
        "INSERT INTO face_embedding (face_id, space_id, gallery_id, vec)"
        " SELECT face_id, space_id, gallery_id, CAST(:vec AS vector) FROM face_embedding"
    )
    with pytest.raises(Exception) as refusal, engine.begin() as connection:  # noqa: PT011  # any
        connection.execute(insert, {"vec": vector(embedding(7))})
    engine.dispose()
    said = logged(refusal.value)
    assert "INSERT INTO face_embedding" in said
    assert str(float(embedding(7)[5]))[:7] not in said
