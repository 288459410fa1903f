"""/v1/keys: made, listed, read, rotated, revoked. A key itself is shown once, when it is made."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from service.domain.keys import Key, KeyState, Minted, NewKey, Scope
from service.keys import LONGEST_GRACE_S
from service.web.callers import Administering
from service.web.etags import IfMatch, quoted
from service.web.idempotency import Repeat, answer
from service.web.paging import AfterId, Limit, cursor_after
from service.web.services import Provided
from service.web.v1.parameters import Moment
from service.web.v1.problems import problems

router = APIRouter(prefix="/keys", tags=["keys"])

Reference = Annotated[
    str, Path(alias="key", min_length=1, max_length=36, description="the key's id or its prefix")
]
GalleryName = Annotated[str, Field(min_length=1, max_length=255)]
NO_STORE = {"Cache-Control": "no-store"}


class NewKeyBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, examples=["door 3"])
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), examples=[["search"]])
    galleries: list[GalleryName] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="names; null: all galleries, also those to come",
        examples=[["staff"]],
    )
    expires_at: Moment | None = Field(
        None, description="with its time zone; null: never", examples=["2027-01-31T00:00:00Z"]
    )

    def wanted(self) -> NewKey:
        galleries = None if self.galleries is None else tuple(self.galleries)
        return NewKey(self.name, frozenset(self.scopes), galleries, self.expires_at)


class KeyChanges(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=255)
    scopes: list[Scope] = Field([], min_length=1, max_length=len(Scope), description="as a whole")
    galleries: list[GalleryName] | None = Field(
        None, min_length=1, max_length=1000, description="as a whole; null: all galleries"
    )
    expires_at: Moment | None = Field(None, description="null: never")

    def applied(self, to: NewKey) -> NewKey:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "scopes" in given:
            given["scopes"] = frozenset(self.scopes)
        if self.galleries is not None:
            given["galleries"] = tuple(sorted(set(self.galleries)))
        return replace(to, **given)


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    grace_s: int = Field(
        0, ge=0, le=LONGEST_GRACE_S, description="the old secret stays valid for so many seconds"
    )


AT_ONCE = Rotation()


class KeyBody(BaseModel):
    id: UUID
    prefix: str = Field(description="how the key begins", examples=["fm_q3v7k2ma"])
    name: str = Field(examples=["door 3"])
    scopes: list[Scope]
    galleries: list[str] | None = Field(description="names; null: all galleries")
    state: KeyState
    created_at: datetime = Field(description="in UTC")
    created_by: str = Field(description="the prefix of the key that made it, or a command")
    expires_at: datetime | None = Field(description="in UTC; null: never")
    revoked_at: datetime | None = Field(description="in UTC")

    @classmethod
    def of(cls, key: Key, **more: str | None) -> Self:
        listed = {name: getattr(key, name) for name in KeyBody.model_fields}
        listed["scopes"] = [scope for scope in Scope if scope in key.scopes]
        listed["galleries"] = None if key.galleries is None else sorted(key.galleries.values())
        return cls(**listed, **more)


class MintedBody(KeyBody):
    secret: str | None = Field(
        description="the key itself, this once; null in the answer to a repeated request, "
        "because it is kept nowhere: rotate the key then",
        examples=["fm_q3v7k2ma_" + 52 * "x"],
    )


class KeyPage(BaseModel):
    keys: list[KeyBody]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


def _answer(minted: Minted, status: int = 200, *, show: bool = True) -> JSONResponse:
    secret = minted.secret.text if show else None
    return answer(MintedBody.of(minted.key, secret=secret), status, NO_STORE)


# what is kept for a repeated request lies in the database in clear, so never the key
def _created_before(minted: Minted) -> JSONResponse:
    return _answer(minted, 201, show=False)


def _rotated_before(minted: Minted) -> JSONResponse:
    return _answer(minted, show=False)


@router.post("", status_code=201, response_model=MintedBody, responses=problems(404, 409))
def create_key(
    services: Provided, caller: Administering, body: NewKeyBody, repeat: Repeat
) -> Response:
    """Create a key, for no more than your own may do. The answer shows it, this once."""
    once = repeat.once(caller, body, _created_before)
    return _answer(services.keys.create(caller, body.wanted(), once), 201)


@router.get("")
def list_keys(
    services: Provided,
    caller: Administering,
    after: AfterId,
    limit: Limit = 100,
) -> KeyPage:
    """The keys that reach nothing which your own does not, oldest first, ended ones too."""
    page = services.keys.page(caller, after, limit)
    following = cursor_after(str(page[-1].id)) if len(page) == limit else None
    return KeyPage(keys=[KeyBody.of(each) for each in page], next=following)


def _shown(key: Key) -> JSONResponse:
    return answer(KeyBody.of(key), headers={"ETag": quoted(key.etag)})


@router.get("/{key}", response_model=KeyBody, responses=problems(404))
def read_key(services: Provided, caller: Administering, key: Reference) -> Response:
    return _shown(services.keys.read(caller, key))


@router.patch("/{key}", response_model=KeyBody, responses=problems(404, 409, 412))
def change_key(
    services: Provided, caller: Administering, key: Reference, body: KeyChanges, etag: IfMatch
) -> Response:
    """Change a key's name, scopes, galleries or end, on every replica at once; its secret stays.
    To let it do more, your own must be able to do all that it could then."""
    return _shown(services.keys.change(caller, key, body.applied, etag))


@router.post("/{key}/rotate", response_model=MintedBody, responses=problems(404, 409))
def rotate_key(
    services: Provided,
    caller: Administering,
    key: Reference,
    repeat: Repeat,
    body: Rotation = AT_ONCE,
) -> Response:
    """Give a key a new secret; the old one ends at once, or after `grace_s`."""
    once = repeat.once(caller, body, _rotated_before)
    return _answer(services.keys.rotate(caller, key, body.grace_s, once))


@router.delete("/{key}", status_code=204, responses=problems(404))
def revoke_key(services: Provided, caller: Administering, key: Reference) -> None:
    """Revoke a key for good, on every replica at once."""
    services.keys.revoke(caller, key)
