"""Callers who use what the API offers, through any of several replicas, and are never refused."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from service.web.problems import VERSION_HEADER
from tests.convergence.callers import AT_LEAST
from tests.convergence.record import Record
from tests.convergence.workers import Worker
from tests.fakes.analyser import SPACE, photograph

GALLERY = "/v1/galleries/dlib"
JOB_PATIENCE_S = 30.0
CLAIMED = {"model": SPACE.model, "detector": SPACE.detector, "alignment": SPACE.alignment}
CONSENT = {"text_version": "2026-11", "purpose": "entry by face"}

Vector = list[float]


def listed(values: np.random.Generator) -> Vector:
    """The next vector of a generator, as the fake model makes it of a photograph's seed."""
    return [float(value) for value in values.normal(size=SPACE.dimension)]


class Visitor(Worker):
    """Each step is a person's stay: enrolled, found, changed, and every other time erased.

    Whatever is answered otherwise than it should be is a violation. `urls` may grow meanwhile.
    """

    def __init__(
        self, name: str, urls: Sequence[str], key: Mapping[str, str], seed: int, record: Record
    ) -> None:
        super().__init__(name, seed, record)
        self._urls = urls
        self._client = httpx.Client(timeout=30, headers=key)
        self._values = np.random.default_rng(self.random.getrandbits(64))
        self._version: str | None = None
        self.done = 0
        self.slowest_s = 0.0
        self.stayed: dict[str, Vector] = {}
        self.erased: dict[str, Vector] = {}

    def step(self) -> None:
        name, vector = f"{self.name}-{self.done}", listed(self._values)
        self._arrive(name, vector)
        self._look_around(name)
        self._settings()
        if self.done % 3 == 0:
            self._import(f"{name}-imported")
        if self.done % 2:
            self._leave(name, vector)
        else:
            self.stayed[name] = vector
        self.done += 1

    def close(self) -> None:
        self._client.close()

    def found(self, url: str, vector: Vector) -> list[str]:
        """Who is found for the vector by one replica."""
        body = {"embedding": vector, "space": CLAIMED}
        answer = self.asked(200, "POST", f"{GALLERY}/search", url=url, json=body)
        return [match["subject"] for match in answer.json()["faces"][0]["matches"]]

    def asked(
        self, status: int, method: str, path: str, url: str | None = None, **content: Any
    ) -> httpx.Response:
        """Raises AssertionError, or httpx's own, for any other answer."""
        headers = content.pop("headers", {})
        if self._version is not None and path.startswith((GALLERY, "/match_face")):
            headers |= {AT_LEAST: self._version}
        begun = time.monotonic()
        url = (url or self.random.choice(self._urls)) + path
        answer = self._client.request(method, url, headers=headers, **content)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        said = f"{method} {url}: {answer.status_code} instead of {status}: {answer.text[:300]}"
        assert answer.status_code == status, said
        self.record.count(f"{method} {path.replace(self.name, '')}"[:40])
        self._version = answer.headers.get(VERSION_HEADER, self._version)
        return answer

    def _arrive(self, name: str, vector: Vector) -> None:
        faces = f"{GALLERY}/subjects/{name}/faces?create=true"
        once = {"Idempotency-Key": f'"{name}"'}
        body = {"embedding": vector, "space": CLAIMED, "consent": CONSENT}
        first = self.asked(201, "POST", faces, json=body, headers=dict(once))
        again = self.asked(201, "POST", faces, json=body, headers=dict(once))
        assert again.json()["id"] == first.json()["id"]
        files = {"file": photograph(self.random.getrandbits(60))}
        self.asked(201, "POST", faces, files=files)
        found = self.asked(200, "POST", "/match_face", files=files).json()
        assert found["matched_id"] == name, found
        for url in list(self._urls):
            assert self.found(url, vector) == [name]

    def _look_around(self, name: str) -> None:
        subject = f"{GALLERY}/subjects/{name}"
        faces = self.asked(200, "GET", f"{subject}/faces?include=embedding").json()["faces"]
        assert len(faces) == 2
        self.asked(200, "PUT", f"{subject}/faces/{faces[1]['id']}", json=self._offer())
        self.asked(200, "PATCH", subject, json={"metadata": {"seen": self.done}})
        assert self.asked(200, "GET", subject).json()["metadata"] == {"seen": self.done}
        consent = self.asked(201, "POST", f"{subject}/consents", json=CONSENT).json()["id"]
        self.asked(200, "POST", f"{subject}/consents/{consent}/withdraw")
        assert len(self.asked(200, "GET", f"{subject}/consents").json()["consents"]) == 2
        files = {"file": photograph(self.random.getrandbits(60))}
        self.asked(200, "POST", "/add_face", data={"id": f"{name}-twin"}, files=files)
        self.asked(200, "POST", f"{subject}/merge", json={"from": f"{name}-twin"})

    def _settings(self) -> None:
        threshold = self.random.uniform(0.9, 0.95)
        self.asked(200, "PATCH", GALLERY, json={"threshold": threshold})
        for path in (
            GALLERY,
            f"{GALLERY}/statistics",
            f"{GALLERY}/erasures",
            f"{GALLERY}/subjects",
        ):
            self.asked(200, "GET", path)
        for path in ("/v1/galleries", "/v1/keys", "/v1/models", "/v1/jobs", "/stats", "/ready"):
            self.asked(200, "GET", path)

    def _import(self, name: str) -> None:
        seed = self.random.getrandbits(60)
        image = base64.b64encode(photograph(seed)).decode()
        line = {"id": name, "image": image, "consent": CONSENT}
        job = self.asked(202, "POST", f"{GALLERY}/imports", content=json.dumps(line))
        place, end = job.headers["Location"], time.monotonic() + JOB_PATIENCE_S
        while job.json()["state"] != "finished":
            assert time.monotonic() < end, job.text
            self.rest(0.05)
            job = self.asked(200, "GET", place)
        assert job.json()["enrolled"] == 1, job.text
        self._version = job.headers[VERSION_HEADER]
        self.stayed[name] = listed(np.random.default_rng(seed))

    def _leave(self, name: str, vector: Vector) -> None:
        """By the one way or the other; no replica finds the person any more."""
        if self.done % 4 == 1:
            self.asked(200, "DELETE", f"{GALLERY}/subjects/{name}?wait=all")
        else:
            done = self.asked(200, "POST", "/v1/erasures", json={"subject": name}).json()
            self._version = done["galleries"][0]["gallery_version"]
        self.erased[name] = vector
        for url in list(self._urls):
            assert name not in self.found(url, vector)

    def _offer(self) -> dict[str, Any]:
        return {"embedding": listed(self._values), "space": CLAIMED}
