"""One connection to a service: keys, retries, and the versions that the caller has seen."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

VERSION = "X-Gallery-Version"
AT_LEAST = "X-Min-Gallery-Version"
AGAIN = frozenset({429, 502, 503, 504})
"""Answers that say: not now. Nothing was done that is not done once, thanks to the idempotency
key."""
IN_FLIGHT = "request_in_flight"


class FaceMatchError(Exception):
    """The service refused, or could not be reached in the time given.

    `status` is the HTTP status, None without an answer; `code` the service's stable code; `facts`
    what else the answer says.
    """

    def __init__(
        self, detail: str, status: int | None, code: str, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{detail} [{code}]")
        self.detail = detail
        self.status = status
        self.code = code
        self.facts = dict(facts or {})

    @property
    def request_id(self) -> str | None:
        found = self.facts.get("request_id")
        return found if isinstance(found, str) else None


class Connection:
    """`patience_s`: how long one call may take with all its retries, in seconds."""

    def __init__(self, url: str, key: str | None, timeout_s: float, patience_s: float) -> None:
        headers = {} if key is None else {"X-API-Key": key}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)
        self._patience_s = patience_s
        self.seen: dict[str, str] = {}
        """For each gallery by name, the newest version that an answer has named."""

    def call(
        self,
        method: str,
        path: str,
        *,
        gallery: str | None = None,
        body: Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **sent: Any,
    ) -> Any:
        """Ask until there is an answer that is not "try again"; its JSON, None where it has none.

        Args:
            gallery: whose version is carried along.
            body: makes a streamed body anew for each try.
            sent: as for `httpx.Client.request`.

        Raises:
            FaceMatchError: a refusal, or the time is over.
        """
        given = dict(headers or {})
        path, _, query = path.partition("?")
        if query:  # httpx forgets a path's own parameters where others are given
            sent["params"] = {**(sent.get("params") or {}), **dict([query.split("=", 1)])}
        if method == "POST":
            # with it, a try whose answer got lost may be made again
            given.setdefault("Idempotency-Key", str(uuid4()))
        if gallery in self.seen:
            given[AT_LEAST] = self.seen[gallery]
        end = time.monotonic() + self._patience_s
        while True:
            more = sent if body is None else {**sent, "content": body()}
            try:
                answer = self.http.request(method, path, headers=given, **more)
            except httpx.TransportError as error:
                pause_s, problem = 0.2, FaceMatchError(str(error), None, "unreachable")
            else:
                if answer.is_success:
                    return self._heard(answer, gallery)
                problem = _problem(answer)
                self._forget_lost(problem, gallery)
                if answer.status_code not in AGAIN and problem.code != IN_FLIGHT:
                    raise problem
                pause_s = _retry_after_s(answer)
            if time.monotonic() + pause_s > end:
                raise problem
            time.sleep(pause_s * random.uniform(1.0, 1.2))

    def _heard(self, answer: httpx.Response, gallery: str | None) -> Any:
        said = answer.json() if answer.content else None
        if gallery is None and isinstance(said, dict):
            gallery = said.get("gallery")  # as a job names its own
        if gallery is not None and VERSION in answer.headers:
            self.seen[gallery] = answer.headers[VERSION]
        return said

    def _forget_lost(self, problem: FaceMatchError, gallery: str | None) -> None:
        """The database has lost that version: to ask for it again would never succeed."""
        if problem.code == "version_lost" and gallery is not None:
            self.seen.pop(gallery, None)


def _problem(answer: httpx.Response) -> FaceMatchError:
    try:
        facts = answer.json()
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        facts = {}
    detail = str(facts.get("detail", f"HTTP {answer.status_code}"))
    return FaceMatchError(detail, answer.status_code, str(facts.get("code", "http_error")), facts)


def _retry_after_s(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.2
