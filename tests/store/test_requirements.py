"""The server's versions, and one that does not answer."""

import time

import pytest

from service.errors import DatabaseUnsuitable
from service.store.requirements import check_server, judge


def test_the_server_of_the_tests_will_do(clean_url: str, empty_database_url: str) -> None:
    check_server(clean_url)
    check_server(empty_database_url)


@pytest.mark.parametrize(
    ("major", "encoding", "installed", "available"),
    [
        (15, "UTF8", "0.8.4", "0.8.4"),
        (18, "UTF8", None, "0.8.5"),
        (17, "UTF8", "0.10.0", "0.10.0"),
        (17, "UTF8", "0.9", None),
    ],
)
def test_a_good_server_is_taken(
    major: int, encoding: str, installed: str | None, available: str | None
) -> None:
    judge(major, f"{major}.1", encoding, installed, available)


@pytest.mark.parametrize(
    ("major", "encoding", "installed", "available", "advice"),
    [
        (14, "UTF8", "0.8.5", "0.8.5", "PostgreSQL 15 or newer, this server is 14.1"),
        (17, "SQL_ASCII", "0.8.5", "0.8.5", "ENCODING 'UTF8'"),
        (17, "UTF8", None, None, "has none; install it on the server"),
        (17, "UTF8", None, "0.8.3", "has 0.8.3; install it .* postgresql-17-pgvector"),
        (16, "UTF8", "0.7.0", "0.8.3", "pgvector/pgvector:pg16"),
        (16, "UTF8", "0.8.0", "0.8.4", "run ALTER EXTENSION vector UPDATE"),
    ],
)
def test_an_unsuitable_server_is_refused_with_what_to_do(
    major: int, encoding: str, installed: str | None, available: str | None, advice: str
) -> None:
    with pytest.raises(DatabaseUnsuitable, match=advice):
        judge(major, f"{major}.1", encoding, installed, available)


def test_a_server_that_does_not_answer_is_waited_for_and_then_named() -> None:
    start = time.monotonic()
    with pytest.raises(DatabaseUnsuitable, match=r"127\.0\.0\.1:1/nothing") as refusal:
        check_server("postgresql://nobody:topsecret@127.0.0.1:1/nothing", wait_s=1)
    assert 0.9 < time.monotonic() - start < 6
    assert "topsecret" not in str(refusal.value)
    assert "check DATABASE_URL" in str(refusal.value)


def test_a_database_that_does_not_exist_is_not_waited_for(server_url: str) -> None:
    start = time.monotonic()
    with pytest.raises(DatabaseUnsuitable, match="does not exist"):
        check_server(server_url + "&dbname=nowhere_to_be_found", wait_s=30)
    assert time.monotonic() - start < 10
