"""`facematch smoke`: walks a running server through the whole round trip."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import httpx


def smoke(
    url: Annotated[
        str, typer.Argument(help="Where the service answers.")
    ] = "http://127.0.0.1:8000",
    photo: Annotated[
        Path | None,
        typer.Option(help="Photograph of one face; else one that comes with facematch."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="FACEMATCH_KEY",
            help="Key with the scopes search, enrol and read; else this machine's first one.",
        ),
    ] = None,
) -> None:
    """Enrol a face, find it, list it, delete it; leaves nothing behind. Exits 1 on a failure.

    Also through a load balancer: whichever replica answers, it is asked for at least the gallery
    version that the last answer named.
    """
    import httpx

    from service.errors import InputFileInvalid

    try:
        picture = (
            photo.read_bytes() if photo else files("service.cli").joinpath("smoke.jpg").read_bytes()
        )
    except OSError as error:
        raise InputFileInvalid(f"{photo} cannot be read: {error.strerror}.") from error
    # a connection a request, so that a load balancer spreads them
    limits = httpx.Limits(max_keepalive_connections=0)
    headers = _headers(url, key)
    with httpx.Client(base_url=url, timeout=60, limits=limits, headers=headers) as client:
        client.event_hooks["response"] = [partial(_remember_version, client)]
        try:
            for done in _walk(client, picture):
                typer.echo(f"ok   {done}")
        except (httpx.HTTPError, UnexpectedAnswer) as error:
            typer.echo(f"FAIL {error}", err=True)
            raise typer.Exit(1) from None
    typer.echo("the round trip works")


def _headers(url: str, key: str | None) -> dict[str, str]:
    """The key as given, or for a service on this machine that of its first start."""
    from urllib.parse import urlsplit

    from service.key_file import KeyFile
    from service.settings import Settings

    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise typer.BadParameter(f"{url} is no URL: {error}") from None
    if key is not None:
        return {"X-API-Key": key}
    if host not in {"127.0.0.1", "::1", "localhost"}:
        return {}
    found = KeyFile.of(Settings.read().facematch_home).read()
    return {"X-API-Key": found.text} if found else {}


def _remember_version(client: "httpx.Client", answer: "httpx.Response") -> None:
    version = answer.headers.get("X-Gallery-Version")
    if version is not None:
        client.headers["X-Min-Gallery-Version"] = version


class UnexpectedAnswer(Exception):
    """The server answered, but not what it should."""


def _walk(client: "httpx.Client", picture: bytes) -> Iterator[str]:
    health = _expect(client.get("/health"), 200)
    yield f"GET /health: {health['status']}"
    _expect(client.get("/ready"), 200)
    yield "GET /ready"
    before = _expect(client.get("/stats"), 200)
    yield f"GET /stats: {before['model']}, {before['total_faces']} faces"
    _expect(client.post("/match_face"), 400)
    yield "POST /match_face without a file: refused"
    _expect(client.post("/match_face", files={"file": b"not a picture"}), 415)
    yield "POST /match_face with a text file: refused"
    with _enrolled(client, picture) as face_id:
        yield f"POST /add_face: {face_id}"
        again = client.post("/add_face", data={"id": face_id}, files={"file": picture})
        _expect(again, 409)
        yield "POST /add_face of the same id: refused"
        yield from _found(client, picture, face_id)
    _expect(client.delete(f"/delete_face/{face_id}"), 404)
    yield "DELETE /delete_face: gone"


def _found(client: "httpx.Client", picture: bytes, face_id: str) -> Iterator[str]:
    match = _expect(client.post("/match_face", files={"file": picture}), 200)
    if not match["match_found"] or match["similarity_score"] < 0.999:
        raise UnexpectedAnswer(f"/match_face did not find the photograph just enrolled: {match}")
    yield f"POST /match_face: {match['matched_id']}, {match['confidence']}"
    listed = _expect(client.get("/list_faces"), 200)
    if face_id not in {face["id"] for face in listed["faces"]}:
        raise UnexpectedAnswer(f"/list_faces does not list {face_id}")
    yield f"GET /list_faces: {listed['total_faces']} faces"


@contextmanager
def _enrolled(client: "httpx.Client", picture: bytes) -> Iterator[str]:
    """Enrol under an id nobody has, and delete it whatever happens."""
    face_id = f"facematch-smoke-{secrets.token_hex(8)}"
    answer = client.post("/add_face", data={"id": face_id}, files={"file": picture})
    _expect(answer, 200)
    try:
        yield face_id
    finally:
        _expect(client.delete(f"/delete_face/{face_id}"), 200)


def _expect(answer: "httpx.Response", status: int) -> Any:
    asked = f"{answer.request.method} {answer.request.url.path} answered"
    try:
        said = answer.json()
    except ValueError:
        said = None
    if answer.status_code in {401, 403}:
        why = said["detail"] if isinstance(said, dict) and "detail" in said else answer.text[:300]
        raise UnexpectedAnswer(
            f"{asked} {answer.status_code}: {why} "
            "Give one with the scopes search, enrol and read by FACEMATCH_KEY or --key."
        )
    if answer.status_code != status:
        raise UnexpectedAnswer(
            f"{asked} {answer.status_code} instead of {status}: {answer.text[:300]}"
        )
    if said is None:
        raise UnexpectedAnswer(f"{asked} with no JSON: {answer.text[:300]}")
    return said
