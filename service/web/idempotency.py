"""The header Idempotency-Key: a POST that writes is carried out once, however often it is sent."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from service.domain.keys import Caller
from service.domain.repeats import Attempt, KeptAnswer, Once, Repeated

Result = TypeVar("Result")

REPLAYED_HEADER = "Idempotency-Replayed"
"""Says that the answer is that of an earlier, equal request."""


class Repeatable:
    """A request that may carry an idempotency key."""

    def __init__(self, request: Request, key: str | None) -> None:
        self._request = request
        self._key = key

    def once(
        self,
        caller: Caller,
        asked: BaseModel | tuple[object, ...],
        shape: Callable[[Result], Response],
    ) -> Once[Result] | None:
        """What the use case needs to keep its answer; None where the caller gave no key.

        Args:
            asked: everything that the request asks for beside its path; uploads as their bytes.
            shape: makes the response of the result, in the write's transaction.
        """
        if self._key is None:
            return None
        name = str(caller.key_id or caller.name)
        attempt = Attempt(name, self._key, self._fingerprint(asked))
        return Once(attempt, lambda result: _kept(shape(result)))

    def _fingerprint(self, asked: BaseModel | tuple[object, ...]) -> bytes:
        parts = asked.model_dump() if isinstance(asked, BaseModel) else asked
        text = json.dumps(
            [self._request.method, self._request.url.path, self._request.url.query, parts],
            default=_digest,
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).digest()


def _digest(value: Any) -> str:
    """Of what JSON cannot hold: uploaded bytes above all."""
    data = value if isinstance(value, bytes) else str(value).encode()
    return hashlib.sha256(data).hexdigest()


def _kept(response: Response) -> KeptAnswer:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return KeptAnswer(response.status_code, headers, bytes(response.body))


async def repeatable(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            description="a random text of yours: the request is carried out once for 24 hours, "
            "however often it is sent",
        ),
    ] = None,
) -> Repeatable:
    return Repeatable(request, idempotency_key)


Repeat = Annotated[Repeatable, Depends(repeatable)]


def answered_before(request: Request, repeated: Exception) -> Response:
    """The answer of the first time, said to be that."""
    assert isinstance(repeated, Repeated)
    kept = repeated.answer
    headers = {**kept.headers, REPLAYED_HEADER: "true"}
    return Response(kept.body, kept.status, headers)


def answer(
    body: BaseModel, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A response that can be kept: FastAPI's own come into being after the transaction."""
    return JSONResponse(body.model_dump(mode="json"), status, headers)
