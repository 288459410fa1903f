"""A backup of a running service, restored under its feet, by the commands of docs/operations.md."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from service.store.console import pg_restore
from tests import photos
from tests.databases import copy_of, execute
from tests.servers import WITHOUT_A_MODEL, Server, facematch, running


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(tmp_path / "home"),
        "DIGEST_EVERY_S": "0.5",
        "ALLOW_ANONYMOUS": "true",
    }


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    with copy_of(server_url, "template0") as url:
        yield url


def add(server: Server, name: str) -> str:
    """Enrol somebody; the version that it made."""
    answer = httpx.post(
        f"{server.url}/add_face",
        data={"id": name},
        files={"file": photos.grace_bytes()},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.headers["X-Gallery-Version"])


def stats(server: Server, version: str | None = None) -> httpx.Response:
    headers = {"X-Min-Gallery-Version": version} if version else {}
    return httpx.get(f"{server.url}/stats", headers=headers, timeout=30)


# as in docs/operations.md
ERASED = {
    "faces": "SELECT string_agg(quote_literal(face_id), ',') FROM audit.erasures"
    " WHERE occurred_at > '%s'",
    "subjects": "SELECT string_agg(quote_literal(subject_id), ',') FROM audit.enrolment_history"
    " WHERE action = 'delete_subject' AND occurred_at > '%s'",
}
BARE = "NOT EXISTS (SELECT FROM face f WHERE f.subject_id = s.id)"


def sql_of(environment: dict[str, str], statement: str) -> str:
    done = facematch("db", "psql", "-At", "-c", statement, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def head(url: str) -> str:
    """The gallery's version, as callers know it."""
    with psycopg.connect(url) as sql:
        row = sql.execute("SELECT version || '-' || replace(mark::text, '-', '') FROM gallery")
        return str((row.fetchone() or [""])[0])


class Clerk:
    """Somebody who types subjects into psql all the time."""

    def __init__(self, url: str) -> None:
        self.typed = 0
        self._ending = threading.Event()
        self._url = url
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as sql:
            while not self._ending.wait(0.005):
                sql.execute(
                    "INSERT INTO subject (gallery_id, external_id) SELECT id, %s FROM gallery",
                    (f"typed {self.typed}",),
                )
                self.typed += 1

    def __enter__(self) -> "Clerk":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


TERMINATE = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"


def swap(server_url: str, live_url: str, restored_url: str) -> None:
    """Put the restored database in the live one's place, whoever is connected."""
    live, restored = (make_url(url).database or "" for url in (live_url, restored_url))
    execute(server_url, "ALTER DATABASE {} ALLOW_CONNECTIONS false", live)
    with psycopg.connect(server_url, autocommit=True) as sql:
        sql.execute(TERMINATE, (live,))
    execute(server_url, "ALTER DATABASE {} RENAME TO {}", live, "facematch_lost")
    execute(server_url, "ALTER DATABASE {} RENAME TO {}", restored, live)
    execute(server_url, "ALTER DATABASE {} RENAME TO {}", "facematch_lost", restored)


def test_a_dump_of_a_live_service_restored_in_its_place_is_followed_by_its_replicas(
    environment: dict[str, str],
    database_url: str,
    empty_url: str,
    server_url: str,
    tmp_path: Path,
) -> None:
    file = tmp_path / "backup"
    with running(tmp_path / "log", environment=environment) as server:
        kept = add(server, "grace")
        add(server, "eve")
        begun = datetime.now(UTC).isoformat()
        with Clerk(database_url):
            done = facematch("db", "dump", "-Fc", "-f", str(file), environment=environment)
            assert done.returncode == 0, done.stderr
        lost = add(server, "ada")
        httpx.delete(f"{server.url}/delete_face/eve", timeout=30).raise_for_status()
        assert stats(server, lost).json()["total_faces"] == 2
        erased = {name: sql_of(environment, ERASED[name] % begun) for name in ERASED}
        done = facematch(
            "db", "restore", "--exit-on-error", str(file),
            environment=environment | {"DATABASE_URL": empty_url},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        swap(server_url, database_url, empty_url)
        end = time.monotonic() + 20
        while (answer := stats(server, lost)).status_code != 409 and time.monotonic() < end:
            time.sleep(0.1)
        assert answer.json()["code"] == "version_lost"
        assert stats(server, kept).json()["total_faces"] == 2
        sql_of(environment, f"DELETE FROM face WHERE id IN ({erased['faces']})")
        sql_of(environment, f"DELETE FROM subject s WHERE id IN ({erased['subjects']}) AND {BARE}")
        figures = stats(server, head(database_url)).json()
        assert (figures["total_faces"], figures["indexed_faces"]) == (1, 1)
        assert httpx.delete(f"{server.url}/delete_face/eve", timeout=30).status_code == 404
        found = httpx.post(
            f"{server.url}/match_face", files={"file": photos.grace_bytes()}, timeout=30
        )
        assert found.json()["matched_id"] == "grace"
        assert httpx.delete(f"{server.url}/delete_face/ada", timeout=30).status_code == 404
        newer = add(server, "ida")
        assert stats(server, newer).json()["indexed_faces"] == 2
        time.sleep(1)
        doctor = facematch("doctor", environment=environment)
        record = facematch("audit", "verify", environment=environment)
    assert doctor.returncode == 0, doctor.stdout
    assert "gallery 'dlib': 2 faces, index digest equals the table's" in doctor.stdout
    assert "ok   schema: revision" in doctor.stdout
    assert record.returncode == 0, record.stderr


def test_a_table_restored_behind_the_triggers_backs_is_told_with_what_mends_it(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    with (
        running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server,
        psycopg.connect(database_url, autocommit=True) as sql,
    ):
        add(server, "grace")
        facematch("db", "dump", "-Fc", "-f", str(file), environment=environment)
        sql.execute("DELETE FROM face_embedding")
        options = ["--data-only", "--disable-triggers", "--table=face_embedding"]
        assert pg_restore(database_url, [*options, str(file)]) == 0
        doctor = facematch("doctor", environment=environment)
        assert doctor.returncode == 1
        told = [line for line in doctor.stdout.splitlines() if line.startswith("FAIL schema")]
        assert len(told) == 8
        for line in told:
            sql.execute(line.partition("; ")[2].partition(" mends that")[0].encode())
        end = time.monotonic() + 20
        while stats(server).json()["indexed_faces"] != 1 and time.monotonic() < end:
            time.sleep(0.1)
        figures = stats(server).json()
        assert figures["indexed_faces"] == figures["total_faces"] == 1
        doctor = facematch("doctor", environment=environment)
    assert "ok   schema: revision" in doctor.stdout
    assert "index digest equals the table's" in doctor.stdout


def test_a_restore_without_privileges_opens_functions_leaves_roles_bare_and_is_told(
    environment: dict[str, str], empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    facematch("db", "dump", "-Fc", "-f", str(file), environment=environment)
    assert pg_restore(empty_url, ["--no-privileges", "--exit-on-error", str(file)]) == 0
    doctor = facematch("doctor", environment=environment | {"DATABASE_URL": empty_url})
    assert doctor.returncode == 1
    assert "REVOKE EXECUTE ON FUNCTION feed_note() FROM PUBLIC mends that" in doctor.stdout
    for role in ("facematch_app", "facematch_auditor"):
        assert f"{role} lacks " in doctor.stdout


def test_the_embedded_database_is_dumped_and_restored_into_another_home(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    old, new = ({"FACEMATCH_HOME": str(tmp_path / name)} for name in ("old", "new"))
    assert facematch("db", "upgrade", environment=old).returncode == 0
    done = facematch("db", "dump", "-Fc", "-f", str(file), environment=old)
    assert done.returncode == 0, done.stderr
    roles = [f"-cCREATE ROLE {name} NOLOGIN" for name in ("facematch_app", "facematch_auditor")]
    assert facematch("db", "psql", *roles, environment=new).returncode == 0
    done = facematch("db", "restore", "--exit-on-error", str(file), environment=new)
    assert done.returncode == 0, done.stderr
    assert facematch("audit", "verify", environment=new).returncode == 0
