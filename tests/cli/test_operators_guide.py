"""The walks of docs/runbooks.md, as they stand, on two replicas that others use meanwhile."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from service.domain.photographs import KeptPhotograph
from service.errors import PhotographKeyMissing
from service.key_file import KeyFile
from service.photograph_keys import NAME, PhotographKey, PhotographKeys, put_first
from service.store import open_store, schema
from tests import photos
from tests.cli.crowd import PATIENCE_S, Crowd
from tests.databases import copy_of, database_of, execute
from tests.forks import UNMEASURED
from tests.servers import Server, free_port, ready, start
from tests.store import archives
from tests.store.archives import ROOT, Release
from tests.store.photographs import all_kept

# some twenty commands and four replicas with the real model, on a machine that others use too
pytestmark = pytest.mark.timeout(900)

GUIDE = ROOT / "docs" / "runbooks.md"
WALK_S = 400
"""Of one block's commands."""
RESTORED = "facematch_restored"
ODD = """grace'; DROP TABLE face; -- "x\\y" $HOME"""
"""Whoever may enrol chooses the ids that an operator types."""


def blocks(heading: str) -> list[str]:
    """The commands under a heading of the guide, block by block."""
    section = GUIDE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


@dataclass(frozen=True)
class Site:
    """Two replicas of one database, and a shell whose variables are those of the guide."""

    replicas: list[Server]
    database_url: str
    folder: Path
    variables: dict[str, str]
    release: Release
    """Whose program the replicas run at first."""

    def walk(self, block: str, **more: str) -> str:
        """What a block printed; it fails where the shell's `set -e` does."""
        done = self.tried(block, **more)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    def tried(self, block: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-ec", block],
            cwd=self.folder,
            env=unmeasured() | self.variables | more,
            capture_output=True,
            text=True,
            timeout=WALK_S,
            check=False,
        )

    def restart(self, number: int) -> None:
        """Put a process of this release in a replica's place, at its address, and wait until it
        is ready."""
        old = self.replicas[number]
        assert old.stop() == 0, old.log.read_text()
        port = int(old.url.rpartition(":")[2])
        new = start(old.log, environment=self._environment(number), port=port)
        self.replicas[number] = ready(new)

    def begin(self) -> None:
        """Start the replicas, of the release before."""
        program = self.release.folder
        for number in range(2):
            variables = self._environment(number) | archives.program(program)
            log = self.folder / f"log-{number}"
            port = free_port()
            self.replicas.append(start(log, environment=variables, port=port, folder=program))
            ready(self.replicas[number])

    def home(self, number: int) -> Path:
        return self.folder / f"home-{number}"

    def _environment(self, number: int) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "FACEMATCH_HOME": str(self.home(number)),
            "RETENTION_EVERY_S": "1",
            "RECOGNITION_WORKERS": "1",
        }


def unmeasured() -> dict[str, str]:
    """This process's variables, but for those by which coverage measures what it starts."""
    return {name: value for name, value in os.environ.items() if name not in UNMEASURED}


@pytest.fixture(scope="module")
def old_site(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Where the release before serves a database that its own migrations made."""
    folder = tmp_path_factory.mktemp("site")
    release = archives.unpacked(archives.kept(), folder / "release")
    commands = folder / "bin"
    commands.mkdir()
    program = commands / "facematch"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m service "$@"\n')
    program.chmod(0o755)
    with copy_of(server_url, "template0") as url, ExitStack() as stack:
        variables = archives.program(ROOT) | {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "DATABASE_URL": url,
            "DATABASE": make_url(url).database or "",
            "ADMIN_URL": server_url,
            "RESTORED_URL": database_of(server_url, RESTORED),
            "FACEMATCH_HOME": str(folder / "home-0"),
        }
        site = Site([], url, folder, variables, release)
        stack.callback(
            lambda: [each.stop() for each in site.replicas if each.process.poll() is None]
        )
        first = PhotographKey.new()
        for number in range(2):
            put_first(site.home(number), first)
        release.migrate(url)
        site.begin()
        kept = KeyFile.of(site.home(0)).read()
        assert kept is not None
        variables |= {"FACEMATCH_KEY": kept.text, "URL": site.replicas[0].url}
        yield site


@dataclass
class Upgrade:
    """What was seen of the walk from the release before to this one, and at its end.

    `finders`: whom each replica found of somebody who had been enrolled before it, asked at each
    halt; `failures`: of the callers.
    """

    before: str | None
    finders: list[list[object]]
    failures: dict[str, int]
    checked: str
    told: str


@pytest.fixture(scope="module")
def upgrade(old_site: Site) -> Upgrade:
    site, finders = old_site, list[list[object]]()
    before, change, after = blocks("Upgrade")
    began_at = schema.current(site.database_url)
    with at_it(site) as crowd, enrolled(site, "grace", photos.grace_bytes()):
        known(site, "grace", photos.grace_bytes())

        def halt() -> None:
            crowd.go_on()
            finders.append([found(site, number, photos.grace_bytes()) for number in range(2)])

        site.walk(before, **archives.program(site.release.folder))
        checked = site.walk(change)
        halt()
        for number in range(2):
            site.restart(number)
            halt()
        told = site.walk(after)
        halt()
    return Upgrade(began_at, finders, crowd.failures(), checked, told)


@pytest.fixture(scope="module")
def site(old_site: Site, upgrade: Upgrade) -> Site:
    """One for all walks, which the first of them brought to this release: each leaves it with two
    replicas, and with nobody whom it enrolled."""
    return old_site


@pytest.fixture
def crowd(site: Site) -> Iterator[Crowd]:
    with at_it(site) as crowd:
        yield crowd


@contextmanager
def at_it(site: Site) -> Iterator[Crowd]:
    """Callers with a key of their own."""
    wanted = {"name": "crowd", "scopes": ["search", "enrol", "read"]}
    made = asked(site, 0, "POST", "/v1/keys", json=wanted)
    with Crowd(site.replicas, made["secret"], made["prefix"]) as crowd:
        crowd.go_on()
        yield crowd


def asked(site: Site, number: int, method: str, path: str, **content: Any) -> dict[str, Any]:
    """What a replica answers to the operator."""
    headers = {"X-API-Key": site.variables["FACEMATCH_KEY"]}
    url = site.replicas[number].url + path
    answer = httpx.request(method, url, headers=headers, timeout=PATIENCE_S, **content)
    assert answer.is_success, answer.text
    return dict(answer.json())


def enrol(site: Site, name: str, photograph: bytes) -> None:
    asked(site, 0, "POST", "/add_face", data={"id": name}, files={"file": photograph})


@contextmanager
def enrolled(site: Site, name: str, photograph: bytes) -> Iterator[None]:
    """Somebody who is enrolled meanwhile."""
    enrol(site, name, photograph)
    try:
        yield
    finally:
        asked(site, 0, "DELETE", f"/delete_face/{name}")


def known(site: Site, name: str, photograph: bytes) -> None:
    """Wait until every replica finds somebody who has just been enrolled."""
    for number in range(2):
        until(lambda at=number: found(site, at, photograph) == name)  # type: ignore[misc]


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.1)


def found(site: Site, number: int, photograph: bytes) -> object:
    return asked(site, number, "POST", "/match_face", files={"file": photograph}).get("matched_id")


def not_older(site: Site) -> set[str]:
    """The live replicas that the database knows to hold the gallery and to be of no release before
    this one."""
    store = open_store(site.database_url, pool_size=1, timeout_s=5)
    try:
        with store.transaction(read_only=True) as tx:
            gallery = tx.find_gallery("dlib")
            assert gallery is not None
            states = tx.replicas(gallery.id)
    finally:
        store.close()
    held = [each for each in states if each.live and each.version is not None]
    return {each.name for each in held if not each.older_release}


def its_receipts(site: Site) -> list[tuple[Any, ...]]:
    """Of what the operator erased: how much, whether and how many replicas passed it, and whether
    the data files are rid of it; oldest first."""
    with psycopg.connect(site.database_url) as sql:
        return sql.execute(
            "SELECT subjects, faces, passed_at IS NOT NULL, cardinality(replicas),"
            " vacuumed_at IS NOT NULL FROM erasure WHERE caller NOT IN"
            " (SELECT prefix FROM api_key WHERE name = 'crowd') ORDER BY erased_at"
        ).fetchall()


def test_an_upgrade_interrupts_nobody(site: Site, upgrade: Upgrade) -> None:
    assert upgrade.before == site.release.revision
    assert schema.current(site.database_url) == schema.head()
    assert "matches this release" in upgrade.checked
    assert "FAIL" not in upgrade.told
    assert upgrade.finders == 4 * [["grace", "grace"]]
    assert upgrade.failures == {}


def test_after_it_every_replica_is_of_this_release(site: Site) -> None:
    there = {f"{gethostname()}:{replica.process.pid}" for replica in site.replicas}
    until(lambda: not_older(site) == there)


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
    before, erase, vacuum, receipt = blocks("An erasure request")
    earlier = len(its_receipts(site))
    enrol(site, ODD, photos.grace_bytes())
    known(site, ODD, photos.grace_bytes())
    crowd.go_on()
    assert "(1 row)" in site.walk(before, SUBJECT=ODD)
    assert '"gallery":"dlib"' in site.walk(erase, SUBJECT=ODD)
    until(lambda: "0 are not yet" in site.tried(vacuum).stdout)
    for number in range(2):
        assert found(site, number, photos.grace_bytes()) is None
    until(lambda: its_receipts(site)[earlier:] == [(1, 1, True, 2, True)])
    assert "are broken" not in site.walk(receipt)
    assert crowd.failures() == {}


def test_the_photographs_key_is_rotated_while_photographs_come(site: Site, crowd: Crowd) -> None:
    make, seal, retire = blocks("Rotate the photographs' key")
    site.walk("facematch photographs keep dlib originals")
    try:
        with enrolled(site, "grace", photos.grace_bytes()):
            backup = hers(site)
            first = keys_of(site, 0)
            site.walk(make)
            for number in range(2):
                file = site.home(number) / NAME
                file.write_text((site.home(0) / NAME).read_text())
                site.restart(number)
                crowd.go_on()
            new = keys_of(site, 1).sealing
            said = site.walk(seal, GALLERY="dlib")
            assert f"sealed anew with the key {new.id}" in said
            assert first.sealing.id not in said
            assert "FAIL" not in site.walk(retire)
            alone = keys_of(site, 0)
            assert alone.keys == (new,)
            assert alone.open(hers(site)).content == photos.grace_bytes()
            with pytest.raises(PhotographKeyMissing):
                alone.open(backup)
            assert first.open(backup).content == photos.grace_bytes()
            put_aside = (site.folder / "old.keys").read_text().splitlines()
            assert first.sealing.text in put_aside
            crowd.go_on()
    finally:
        asked(site, 0, "PATCH", "/v1/galleries/dlib", json={"keep_photographs": "none"})
    assert crowd.failures() == {}


def keys_of(site: Site, number: int) -> PhotographKeys:
    return PhotographKeys.read(None, site.home(number))


def hers(site: Site) -> KeptPhotograph:
    """The photograph that is kept of Grace."""
    sha256 = hashlib.sha256(photos.grace_bytes()).digest()
    store = open_store(site.database_url, pool_size=1, timeout_s=5)
    try:
        with store.transaction(read_only=True) as tx:
            gallery = tx.find_gallery("dlib")
            assert gallery is not None
            (kept,) = (each for each in all_kept(tx, gallery) if each.image_sha256 == sha256)
    finally:
        store.close()
    return kept


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
        until(lambda: all(each.get("/ready").status_code == 200 for each in site.replicas))
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
