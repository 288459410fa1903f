"""Others who use a service's replicas while something is tried on them."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from tests import photos
from tests.servers import NO_TLS, Server

PATIENCE_S = 180.0
"""For a few answers from a machine with much else to do."""


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
            thread.join(PATIENCE_S)

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
                    timeout=PATIENCE_S,
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
        end = time.monotonic() + PATIENCE_S
        while self.answers.total() < until:
            assert time.monotonic() < end, "the callers hang"
            time.sleep(0.05)
