"""The walks of docs/runbooks.md, as they stand, on two replicas that others use meanwhile."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from service.domain.keys import Minted, NewKey, Scope, trusted
from service.key_file import KeyFile
from service.keys import Keys
from service.store import open_store
from tests import photos
from tests.databases import copy_of, database_of, execute
from tests.servers import NO_TLS, Server, free_port, ready, start

GUIDE = Path(__file__).parents[2] / "docs" / "runbooks.md"
RESTORED = "facematch_restored"
ODD = """grace'; DROP TABLE face; -- "x\\y" $HOME"""
"""Whoever may enrol chooses the ids that an operator types."""


def blocks(heading: str) -> list[str]:
    """The commands under a heading of the guide, block by block."""
    section = GUIDE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


@dataclass
class Crowd:
    """Callers of all replicas, who try the next one where none listens, as a load balancer does.

    `key` is the key that they send from the next request on.
    """

    replicas: list[Server]
    key: str
    prefix: str
    answers: Counter[str] = field(default_factory=Counter)
    _ending: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Crowd":
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(3)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, number: int) -> None:
        name, turn = f"passer-by {number}", number
        while not self._ending.wait(0.4):  # the machine has others to serve
            turn += 1
            if number:
                self._ask(turn, "POST", "/match_face", files={"file": photos.grace_bytes()})
                continue
            files = {"file": photos.astronaut_bytes()}
            self._ask(turn, "POST", "/add_face", data={"id": name}, files=files)
            self._ask(turn, "DELETE", f"/delete_face/{name}")

    def _ask(self, turn: int, method: str, path: str, **content: object) -> None:
        headers = {"X-API-Key": self.key, "Connection": "close"}
        for attempt in range(len(self.replicas)):
            url = self.replicas[(turn + attempt) % len(self.replicas)].url
            try:
                answer = httpx.request(
                    method,
                    url + path,
                    headers=headers,
                    timeout=60,
                    verify=NO_TLS,
                    **content,  # type: ignore[arg-type]
                )
            except httpx.ConnectError:
                continue
            self.answers[f"{path.split('/')[1]} {answer.status_code}"] += 1
            return
        self.answers["nobody listens"] += 1

    def failures(self) -> dict[str, int]:
        return {what: times for what, times in self.answers.items() if not what.endswith(" 200")}

    def go_on(self, requests: int = 10) -> None:
        """Wait until so many more were answered."""
        until = self.answers.total() + requests
        end = time.monotonic() + 60
        while self.answers.total() < until:
            assert time.monotonic() < end, "the callers hang"
            time.sleep(0.05)


@dataclass(frozen=True)
class Site:
    """Two replicas of one database, and a shell whose variables are those of the guide."""

    replicas: list[Server]
    database_url: str
    folder: Path
    variables: dict[str, str]

    def walk(self, block: str, **more: str) -> str:
        """What a block printed; it fails where the shell's `set -e` does."""
        done = subprocess.run(
            ["sh", "-ec", block],
            cwd=self.folder,
            env=os.environ | self.variables | more,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    def restart(self, number: int) -> None:
        """Put a new process in a replica's place, at its address, and wait until it is ready."""
        old = self.replicas[number]
        assert old.stop() == 0, old.log.read_text()
        port = int(old.url.rpartition(":")[2])
        new = start(old.log, environment=self._environment(number), port=port)
        self.replicas[number] = ready(new)

    def _environment(self, number: int) -> dict[str, str]:
        return environment(self.database_url, self.folder, number)


def environment(database_url: str, folder: Path, number: int) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "FACEMATCH_HOME": str(folder / f"home-{number}"),
        "RETENTION_EVERY_S": "1",
        "RECOGNITION_WORKERS": "1",
    }


@pytest.fixture(scope="module")
def site(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One for all walks: each leaves it with two replicas, and with nobody whom it enrolled."""
    folder = tmp_path_factory.mktemp("site")
    commands = folder / "bin"
    commands.mkdir()
    program = commands / "facematch"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m service "$@"\n')
    program.chmod(0o755)
    with copy_of(server_url, template) as url, ExitStack() as stack:
        variables = {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(GUIDE.parents[1]),
            "DATABASE_URL": url,
            "DATABASE": make_url(url).database or "",
            "ADMIN_URL": server_url,
            "RESTORED_URL": database_of(server_url, RESTORED),
            "FACEMATCH_HOME": str(folder / "home-0"),
        }
        replicas: list[Server] = []
        stack.callback(lambda: [each.stop() for each in replicas if each.process.poll() is None])
        for number in range(2):
            settings = environment(url, folder, number)
            (folder / f"home-{number}").mkdir()
            log = folder / f"log-{number}"
            replicas.append(ready(start(log, environment=settings, port=free_port())))
        kept = KeyFile.of(folder / "home-0").read()
        assert kept is not None
        variables |= {"FACEMATCH_KEY": kept.text, "URL": replicas[0].url}
        yield Site(replicas, url, folder, variables)


@pytest.fixture
def crowd(site: Site) -> Iterator[Crowd]:
    """Callers with a key of their own, who are at it."""
    made = minted(site)
    with Crowd(site.replicas, made.secret.text, made.key.prefix) as crowd:
        crowd.go_on()
        yield crowd


def minted(site: Site) -> Minted:
    store = open_store(site.database_url, pool_size=1, timeout_s=5)
    try:
        keys = Keys(store, KeyFile.of(site.folder))
        scopes = frozenset({Scope.SEARCH, Scope.ENROL, Scope.READ})
        return keys.create(trusted("tests"), NewKey("crowd", scopes, None))
    finally:
        store.close()


def asked(site: Site, number: int, method: str, path: str, **content: Any) -> dict[str, Any]:
    """What a replica answers to the operator."""
    headers = {"X-API-Key": site.variables["FACEMATCH_KEY"]}
    url = site.replicas[number].url + path
    answer = httpx.request(method, url, headers=headers, timeout=60, **content)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def enrol(site: Site, name: str, photograph: bytes) -> None:
    asked(site, 0, "POST", "/add_face", data={"id": name}, files={"file": photograph})


def found(site: Site, number: int, photograph: bytes) -> object:
    return asked(site, number, "POST", "/match_face", files={"file": photograph}).get("matched_id")


def its_receipts(site: Site) -> list[tuple[Any, ...]]:
    """Of what the operator erased: how much, whether and how many replicas passed it, and whether
    the data files are rid of it; oldest first."""
    with psycopg.connect(site.database_url) as sql:
        return sql.execute(
            "SELECT subjects, faces, passed_at IS NOT NULL, cardinality(replicas),"
            " vacuumed_at IS NOT NULL FROM erasure WHERE caller NOT IN"
            " (SELECT prefix FROM api_key WHERE name = 'crowd') ORDER BY erased_at"
        ).fetchall()


def test_a_key_is_rotated_without_a_refusal(site: Site, crowd: Crowd) -> None:
    (rotate,) = blocks("Rotate a key")
    old = crowd.key
    site.walk(rotate, PREFIX=crowd.prefix)
    crowd.go_on()  # with the old one still
    crowd.key = (site.folder / "new.key").read_text().strip()
    assert crowd.key != old
    crowd.go_on()
    site.walk(rotate, PREFIX=crowd.prefix)
    crowd.go_on()
    refused = httpx.get(f"{site.replicas[0].url}/list_faces", headers={"X-API-Key": old})
    assert refused.status_code == 401
    assert crowd.failures() == {}


def test_an_erasure_request_is_answered(site: Site, crowd: Crowd) -> None:
    before, erase, receipt = blocks("An erasure request")
    earlier = len(its_receipts(site))
    enrol(site, ODD, photos.grace_bytes())
    for number in range(2):
        crowd.go_on()
        assert found(site, number, photos.grace_bytes()) == ODD
    assert "(1 row)" in site.walk(before, SUBJECT=ODD)
    said = site.walk(erase, SUBJECT=ODD)
    assert '"gallery":"dlib"' in said
    assert "0 are not yet" in said
    for number in range(2):
        assert found(site, number, photos.grace_bytes()) is None
    end = time.monotonic() + 30
    while (receipts := its_receipts(site)[earlier:]) != [(1, 1, True, 2, True)]:
        assert time.monotonic() < end, receipts
        time.sleep(0.2)
    assert "are broken" not in site.walk(receipt)
    assert crowd.failures() == {}


def test_an_upgrade_interrupts_nobody(site: Site, crowd: Crowd) -> None:
    before, after = blocks("Upgrade")
    enrol(site, "grace", photos.grace_bytes())
    assert "matches this release" in site.walk(before)
    for number in range(2):
        site.restart(number)
        crowd.go_on()
        assert found(site, number, photos.grace_bytes()) == "grace"
    assert "FAIL" not in site.walk(after)
    asked(site, 0, "DELETE", "/delete_face/grace")
    assert crowd.failures() == {}


def test_a_restore_is_followed_and_brings_nobody_erased_back(
    site: Site, crowd: Crowd, server_url: str
) -> None:
    nightly, beside, again, swap, after = blocks("Restore")
    enrol(site, "grace", photos.grace_bytes())
    enrol(site, "eileen", photos.astronaut_bytes())
    site.walk(nightly)
    asked(site, 1, "DELETE", "/delete_face/grace")
    site.walk(beside)
    site.walk(again)
    crowd.go_on()
    assert crowd.failures() == {}
    site.walk(swap)
    try:
        end = time.monotonic() + 20
        while any(each.get("/ready").status_code != 200 for each in site.replicas):
            assert time.monotonic() < end, "a replica does not come back"
            time.sleep(0.1)
        crowd.go_on()  # who was turned away at the last moment is counted by now
        during = crowd.failures()
        # whom they enrolled in the lost database, nobody finds in this one
        assert all(what.endswith((" 503", "delete_face 404")) for what in during), during
        crowd.go_on(20)
        assert crowd.failures() == during
        for number in range(2):
            assert found(site, number, photos.grace_bytes()) is None
            assert asked(site, number, "GET", "/stats")["indexed_faces"] >= 1
        assert "FAIL" not in site.walk(after)
        asked(site, 0, "DELETE", "/delete_face/eileen")
    finally:
        lost = f"{site.variables['DATABASE']}_lost"
        execute(server_url, "DROP DATABASE {} WITH (FORCE)", lost)
