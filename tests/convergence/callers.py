"""Callers of the API: what one replica has acknowledged, any other must answer by."""

import base64
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx
import psycopg

from service.web.problems import VERSION_HEADER
from tests.convergence.record import Record
from tests.convergence.workers import Worker
from tests.fakes.analyser import photograph

AT_LEAST = "X-Min-Gallery-Version"
PATIENCE_S = 30.0
"""Longest time of refusals; every fault is shorter, with what comes after it."""
REMEMBERED = 30
JOB_PATIENCE_S = 5.0
"""A job whose worker was killed is taken up after its lease; until then it is in doubt."""

KNOWN = """
SELECT EXISTS (SELECT FROM gallery WHERE name = 'dlib' AND version = %(v)s AND mark = %(m)s)
    OR EXISTS (SELECT FROM gallery_change c JOIN gallery g ON g.id = c.gallery_id
                WHERE g.name = 'dlib' AND c.version = %(v)s AND c.mark = %(m)s),
       EXISTS (SELECT FROM witnessed w JOIN gallery g ON g.id = w.gallery_id
                WHERE g.name = 'dlib' AND w.version = %(v)s AND w.mark = %(m)s)
"""
HEAD = "SELECT version || '-' || replace(mark::text, '-', '') FROM gallery WHERE name = 'dlib'"


@dataclass(frozen=True)
class Person:
    id: str
    photograph: bytes
    version: str
    enrolled: bool


class Database:
    """The database as an umpire: asked directly, never through a replica or the proxy.

    `forgets`: commits may have been lost, or change rows pruned.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self.forgets = False

    def knows(self, version: str) -> tuple[bool, bool]:
        """Whether the feed knows the version, and whether it was committed and is not lost."""
        number, _, mark = version.partition("-")
        with psycopg.connect(self._url(), connect_timeout=5) as connection:
            row = connection.execute(KNOWN, {"v": int(number), "m": mark}).fetchone()
        assert row is not None
        return bool(row[0]), bool(row[1])

    def head(self) -> str:
        with psycopg.connect(self._url(), connect_timeout=5) as connection:
            row = connection.execute(HEAD).fetchone()
        assert row is not None
        return str(row[0])


class Caller(Worker):
    """Enrols, deletes and asks, each time of any replica."""

    def __init__(
        self, name: str, urls: list[str], database: Database, seed: int, record: Record
    ) -> None:
        super().__init__(name, seed, record)
        self._urls = urls
        self._database = database
        self._client = httpx.Client(timeout=20)
        self._first = self.random.getrandbits(40) << 20
        self._number = 0
        self._people: list[Person] = []

    def step(self) -> None:
        choice = self.random.random()
        if choice < 0.1:
            person = self._import()
        elif choice < 0.45 or not self._people:
            person = self._enrol()
        elif choice < 0.75 or len(self._people) > REMEMBERED:
            person = self._delete(self._people.pop(self.random.randrange(len(self._people))))
        else:
            person = self._people.pop(self.random.randrange(len(self._people)))
        if person is not None and self._check(person) and person.enrolled:
            self._people.append(person)
        self.rest(self.random.uniform(0.02, 0.1))

    def all_gone(self, version: str) -> None:
        """Somebody has emptied the gallery while this caller rested."""
        for person in self._people[-3:]:
            self._check(Person(person.id, person.photograph, version, enrolled=False))
        self._people.clear()

    def close(self) -> None:
        self._client.close()

    def _enrol(self) -> Person | None:
        self._number += 1
        name, picture = f"http-{self.name}-{self._number}", photograph(self._first + self._number)
        answer = self._sent("POST", "/add_face", data={"id": name}, files={"file": picture})
        return self._written("enrolments", answer, name, picture)

    def _import(self) -> Person | None:
        """By a job: what it has acknowledged is what it says of itself when it has ended."""
        self._number += 1
        name, picture = f"job-{self.name}-{self._number}", photograph(self._first + self._number)
        line = json.dumps({"id": name, "image": base64.b64encode(picture).decode()})
        job = self._sent("POST", "/v1/galleries/dlib/imports", content=line)
        end = time.monotonic() + JOB_PATIENCE_S
        while job is not None and job.is_success and time.monotonic() < end:
            if job.json()["enrolled"] == 1:
                self.record.count("HTTP imports")
                self.record.count("writes")
                return Person(name, picture, job.headers[VERSION_HEADER], enrolled=True)
            if job.json()["state"] == "finished":
                self._wrong(f"import of {name}", job)
            self.rest(0.1)
            # the same replica may be gone, and the job with a commit that was lost
            job = self._sent("GET", f"/v1/jobs/{job.json()['id']}")
        self.record.count("HTTP imports in doubt")
        return None

    def _delete(self, person: Person) -> Person | None:
        answer = self._sent("DELETE", f"/delete_face/{person.id}")
        if answer is not None and answer.status_code == 404:
            self._judge_absence(person, answer)
            return None
        return self._written("deletions", answer, person.id, person.photograph)

    def _judge_absence(self, person: Person, answer: httpx.Response) -> None:
        """Nobody of that id: right only if the enrolment was lost."""
        with suppress(psycopg.Error):
            if self._database.knows(person.version)[1]:
                self._wrong(f"{person.id} of {person.version}", answer)
        self.record.count("HTTP deletions of people that were lost")

    def _written(
        self, kind: str, answer: httpx.Response | None, name: str, picture: bytes
    ) -> Person | None:
        """The person as acknowledged; None when the write is in doubt: later, either is right."""
        if answer is None or answer.status_code == 503:
            self.record.count(f"HTTP {kind} in doubt")
            return None
        if answer.status_code != 200:
            self._wrong(f"{kind} of {name}", answer)
            return None
        self.record.count(f"HTTP {kind}")
        self.record.count("writes")
        return Person(name, picture, answer.headers[VERSION_HEADER], kind == "enrolments")

    def _check(self, person: Person) -> bool:
        """Whether the answer is what the acknowledged version says; False: its commit is lost."""
        version, end = person.version, time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = self._asked(person, version)
            if answer is None or answer.status_code == 503:
                time.sleep(0.05)
            elif answer.status_code == 409:
                kept = self._version_kept(version, answer)
                if kept is False:
                    return False
                version = version if kept is None else self._head() or version
            else:
                self._compare(person, answer)
                return True
        self.record.violation(f"{self.name}: nothing but refusals for {PATIENCE_S:.0f} s")
        return True

    def _asked(self, person: Person, version: str) -> httpx.Response | None:
        at_least = {AT_LEAST: version}
        if self.random.random() < 0.1:
            return self._sent("GET", "/list_faces", headers=at_least)
        files = {"file": person.photograph}
        return self._sent("POST", "/match_face", files=files, headers=at_least)

    def _version_kept(self, version: str, answer: httpx.Response) -> bool | None:
        """Whether the commit is still there; None when nobody can say now."""
        try:
            by_feed, kept = self._database.knows(version)
        except psycopg.Error:
            return None
        if answer.json()["code"] != "version_lost" or by_feed or not self._database.forgets:
            self._wrong(f"version {version} (in the feed: {by_feed}, kept: {kept})", answer)
        self.record.count("answers version_lost")
        return kept

    def _head(self) -> str | None:
        """None when nobody can say now."""
        with suppress(psycopg.Error):
            return self._database.head()
        return None

    def _compare(self, person: Person, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self._wrong(f"asked for {person.id}", answer)
            return
        self.record.count("answers checked")
        body = answer.json()
        if "faces" in body:
            found = person.id in {face["id"] for face in body["faces"]}
        else:
            found = body.get("matched_id") == person.id
        if found != person.enrolled:
            self._wrong(f"{person.id} enrolled={person.enrolled} at {person.version}", answer)

    def _wrong(self, what: str, answer: httpx.Response) -> None:
        version = answer.headers.get(VERSION_HEADER)
        text = f"{answer.url} {answer.status_code} {version} {answer.text[:300]}"
        self.record.violation(f"{self.name}: {what}: {text}")

    def _sent(self, method: str, path: str, **content: object) -> httpx.Response | None:
        """None when the connection broke."""
        url = self.random.choice(self._urls) + path
        try:
            answer = self._client.request(method, url, **content)  # type: ignore[arg-type]  # one dict for all
        except httpx.TransportError:
            self.record.count("HTTP connections broken")
            return None
        if answer.status_code == 503:
            self.record.count("HTTP refusals (503)")
            if "Retry-After" not in answer.headers:
                self._wrong("no Retry-After", answer)
        return answer
