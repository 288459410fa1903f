"""Auditors: what a replica holds must be what the database held at that version, at all times."""

import time
from collections import deque
from dataclasses import dataclass
from uuid import UUID

import httpx

from service.domain.galleries import GalleryVersion
from tests.convergence.history import History
from tests.convergence.record import Record
from tests.convergence.workers import Worker

EVERY_S = 0.03


@dataclass(frozen=True)
class Held:
    """What a replica said that it holds."""

    gallery_id: UUID
    version: GalleryVersion
    digest: int


def held(client: httpx.Client, url: str, gallery_id: UUID) -> Held | None:
    """None from a replica that is down, or has not loaded the gallery yet."""
    try:
        answer = client.get(f"{url}/audit/{gallery_id}")
    except httpx.TransportError:
        return None
    if answer.status_code == 503:
        return None
    answer.raise_for_status()
    body = answer.json()
    return Held(gallery_id, GalleryVersion.parse(body["version"]), int(body["digest"]))


class Auditor(Worker):
    """Asks one replica all the time."""

    def __init__(
        self, url: str, galleries: list[UUID], history: History, seed: int, record: Record
    ) -> None:
        super().__init__(f"auditor of {url}", seed, record)
        self._url = url
        self._galleries = galleries
        self._history = history
        self._client = httpx.Client(timeout=30)
        self._unjudged: deque[tuple[float, Held]] = deque()

    def step(self) -> None:
        found = held(self._client, self._url, self.random.choice(self._galleries))
        if found is not None:
            self.record.count("audits")
            self._unjudged.append((time.monotonic(), found))
        self._judge()
        self.rest(EVERY_S)

    def close(self) -> None:
        self._client.close()

    def _judge(self) -> None:
        while self._unjudged and self._unjudged[0][0] < self._history.looked_at:
            seen_at, found = self._unjudged.popleft()
            digest = self._history.known.get((found.gallery_id, found.version))
            if digest is None and self._history.may_be_lost(seen_at):
                self.record.count("audits unverifiable: versions that were lost at once")
            elif digest is None:
                self.record.violation(f"{self.name}: version {found.version} never was: {found}")
            elif digest != found.digest:
                self.record.violation(f"{self.name}: not what that version holds: {found}")
