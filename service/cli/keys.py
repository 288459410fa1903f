"""`facematch keys`: who may call the API."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.domain.keys import Key, Minted, NewKey, Scope, trusted

if TYPE_CHECKING:
    from service.keys import Keys

app = typer.Typer(help="Keys of the API.", no_args_is_help=True)

CALLER = trusted("facematch keys")
PAGE = 1000
SPAN = re.compile("([0-9]{1,5})([hd])")

Reference = Annotated[str, typer.Argument(help="Prefix or id of the key.", metavar="KEY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeatable.")] = None,
    all_scopes: Annotated[bool, typer.Option("--all-scopes", help="It may do everything.")] = False,
    gallery: Annotated[
        list[str] | None, typer.Option(help="Gallery that it reaches; repeatable. Else all.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 12h, 90d, 2027-01-31 or 2027-01-31T12:00Z.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Create a key and print it, this once."""
    if all_scopes == bool(scope):
        raise typer.BadParameter("give --scope, as often as needed, or --all-scopes")
    scopes = frozenset(Scope if all_scopes else scope or ())
    new = NewKey(name, scopes, tuple(gallery) if gallery else None, _time(expires))
    with _opened() as keys:
        _show(keys.create(CALLER, new), json)


@app.command("list")
def list_keys(json: AsJson = False) -> None:
    """List every key, ended ones too, without their secrets."""
    with _opened() as keys:
        for key in _all(keys):
            typer.echo(_json(key) if json else _line(key))


@app.command()
def rotate(
    key: Reference,
    grace: Annotated[
        int,
        typer.Option(help="Seconds for which the old secret stays valid.", min=0, max=7 * 86_400),
    ] = 0,
    json: AsJson = False,
) -> None:
    """Give a key a new secret and print it, this once."""
    with _opened() as keys:
        _show(keys.rotate(CALLER, key, grace), json)


@app.command()
def change(
    key: Reference,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do from now on; repeatable.")
    ] = None,
    gallery: Annotated[
        list[str] | None, typer.Option(help="Gallery that it reaches from now on; repeatable.")
    ] = None,
    all_galleries: Annotated[
        bool, typer.Option("--all-galleries", help="It reaches all, also those to come.")
    ] = False,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 12h, 90d, 2027-01-31 or 2027-01-31T12:00Z.")
    ] = None,
    no_end: Annotated[bool, typer.Option("--no-end", help="It does not end by itself.")] = False,
    json: AsJson = False,
) -> None:
    """Change a key, on every replica at once; its secret and what is not named stay."""
    if (gallery and all_galleries) or (expires and no_end):
        raise typer.BadParameter("--gallery or --all-galleries, --expires or --no-end")
    given: dict[str, Any] = {}
    if name is not None:
        given["name"] = name
    if scope:
        given["scopes"] = frozenset(scope)
    if gallery or all_galleries:
        given["galleries"] = tuple(sorted(set(gallery))) if gallery else None
    if expires or no_end:
        given["expires_at"] = _time(expires)
    with _opened() as keys:
        changed = keys.change(CALLER, key, lambda before: replace(before, **given))
    typer.echo(_json(changed) if json else _line(changed))


@app.command()
def revoke(key: Reference) -> None:
    """End a key for good, on every replica at once."""
    with _opened() as keys:
        keys.revoke(CALLER, key)
    typer.echo("revoked")


@contextmanager
def _opened() -> Iterator["Keys"]:
    from service import logs
    from service.settings import Settings
    from service.store_wiring import open_database, open_keys

    logs.configure("WARNING")
    settings = Settings.read()
    with open_database(settings) as url, open_keys(settings, url) as keys:
        yield keys


def _all(keys: "Keys") -> Iterator[Key]:
    after = None
    while page := keys.page(CALLER, after, PAGE):
        yield from page
        after = page[-1].id


def _show(minted: Minted, json: bool) -> None:
    """The key alone on standard output, so that a script can take it from there."""
    if json:
        typer.echo(_json(minted.key, minted.secret.text))
        return
    typer.echo(_line(minted.key), err=True)
    typer.echo("The key is shown this once; send it as the header X-API-Key:", err=True)
    typer.echo(minted.secret.text)


def _line(key: Key) -> str:
    galleries = ["all galleries"] if key.galleries is None else sorted(key.galleries.values())
    ends = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "no end"
    scopes = ",".join(scope for scope in Scope if scope in key.scopes)
    reach = ", ".join(galleries) or "no gallery any more"
    return f"{key.prefix}  {key.state:7}  {ends}  {scopes}  {reach}  {key.name}"


def _json(key: Key, secret: str | None = None) -> str:
    import json

    shown = {
        "id": str(key.id),
        "prefix": key.prefix,
        "name": key.name,
        "scopes": [scope for scope in Scope if scope in key.scopes],
        "galleries": None if key.galleries is None else sorted(key.galleries.values()),
        "state": key.state,
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "expires_at": key.expires_at and key.expires_at.isoformat(),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
    }
    return json.dumps(shown if secret is None else shown | {"secret": secret}, ensure_ascii=False)


def _time(text: str | None) -> datetime | None:
    """Without a time zone it is UTC; a day alone ends when it begins."""
    if text is None:
        return None
    if span := SPAN.fullmatch(text):
        unit = timedelta(hours=1) if span[2] == "h" else timedelta(days=1)
        return datetime.now(UTC) + int(span[1]) * unit
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--expires: 12h, 90d, 2027-01-31 or 2027-01-31T12:00Z") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
