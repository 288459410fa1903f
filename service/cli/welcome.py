"""What a start says of keys where there is none yet."""

import logging
import shlex
from typing import TYPE_CHECKING

import typer

from service.errors import SettingsInvalid

if TYPE_CHECKING:
    from service.domain.keys import Secret
    from service.key_file import KeyFile
    from service.settings import Settings

CREATE = "facematch keys create --name admin --all-scopes"

log = logging.getLogger(__name__)


def check_anonymous(settings: "Settings", *, network: bool) -> None:
    """Raises SettingsInvalid where others than this machine's could use the service anonymously;
    `network`: that is meant."""
    if settings.allow_anonymous and not network and not settings.on_loopback():
        raise SettingsInvalid(
            f"ALLOW_ANONYMOUS: whoever reaches {settings.host} could enrol and delete without a "
            "key. Use keys, or listen on 127.0.0.1, or add --allow-anonymous-network if that is "
            "what you want"
        )


def offer_key(settings: "Settings", url: str, *, ephemeral: bool) -> None:
    """On a loopback address make the first key, once for a database; elsewhere say how."""
    from service.store_wiring import open_keys

    if settings.allow_anonymous:
        return
    with open_keys(settings, url) as keys:
        if not settings.on_loopback():
            if keys.none_yet():
                log.warning(
                    "no key exists yet, so every call is refused; create one with `%s`, "
                    "in the container where the service runs in one",
                    CREATE,
                )
            return
        try:
            minted = keys.first(_shown if ephemeral else keys.file.write)
        except OSError as error:
            log.warning("no first key was made: %s; create one with `%s`", error, CREATE)
            return
        if minted is not None and not ephemeral:
            typer.echo(_explained(settings, keys.file))


def _shown(secret: "Secret") -> None:
    """Of a database that ends with this process."""
    typer.echo(f"The key of this temporary database, which may do everything:\n{secret.text}")


def _explained(settings: "Settings", file: "KeyFile") -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    path = shlex.quote(str(file.path))
    return (
        "This first start made a key that may do everything. Only you can read the file:\n\n"
        f'    curl -H "X-API-Key: $(cat {path})" http://{host}:{settings.port}/stats\n\n'
        "More keys, and this one's end: facematch keys create, list, rotate, revoke."
    )
