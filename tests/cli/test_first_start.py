"""The first key: made once, where only this machine reaches the service, and kept from others."""

import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from service.domain.keys import SECRET
from service.errors import SettingsInvalid
from service.key_file import KeyFile
from service.settings import Settings
from tests.databases import copy_of
from tests.servers import WITHOUT_A_MODEL, Server, facematch, free_port, ready, running, start

STARTUP = 5


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path / "home")}


def keys(url: str) -> list[tuple[str, str, bool]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT prefix, created_by, all_galleries FROM api_key"
        ).fetchall()


def status(server: Server, key: str) -> int:
    return httpx.get(f"{server.url}/stats", headers={"X-API-Key": key}).status_code


@dataclass(frozen=True)
class First:
    """A service after its first start, for those who only call it."""

    server: Server
    database_url: str
    file: Path


@pytest.fixture(scope="module")
def first(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[First]:
    home = tmp_path_factory.mktemp("first") / "a home"
    with copy_of(server_url, template) as url:
        environment = {"DATABASE_URL": url, "FACEMATCH_HOME": str(home)}
        with running(home.parent / "log", environment=environment, measured=True) as server:
            yield First(server, url, home / "admin.key")


def test_the_first_start_makes_a_key_keeps_it_and_says_how_to_use_it(first: First) -> None:
    key = first.file.read_text().strip()
    assert stat.S_IMODE(first.file.stat().st_mode) == 0o600
    assert (key[:11], "facematch serve", True) in keys(first.database_url)
    assert [by for _, by, _ in keys(first.database_url)].count("facematch serve") == 1
    assert status(first.server, key) == 200
    said = first.server.log.read_text()
    assert f"""curl -H "X-API-Key: $(cat '{first.file}')" {first.server.url}/stats""" in said
    assert said.count("This first start made a key") == 1
    assert not SECRET.search(said)


def test_the_curl_line_works_as_it_is_printed(first: First) -> None:
    (line,) = re.findall(r"^ +(curl .*)$", first.server.log.read_text(), re.M)
    done = subprocess.run(
        ["sh", "-c", f"{line} --silent"], capture_output=True, text=True, check=True
    )
    assert '"total_faces":0' in done.stdout


def test_later_starts_make_none_even_when_every_key_was_revoked(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    with running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
        (before,) = keys(database_url)
        assert server.stop() == 0
    facematch("keys", "revoke", before[0], environment=environment)
    with running(tmp_path / "second", environment=environment, module=WITHOUT_A_MODEL) as server:
        assert keys(database_url) == [before]
        assert "first start" not in server.log.read_text()
        assert not KeyFile.of(tmp_path / "home").path.exists()


def test_of_many_that_start_at_once_one_makes_a_key(database_url: str, tmp_path: Path) -> None:
    """Each with a home of its own, as on several hosts."""
    homes = [tmp_path / str(number) for number in range(4)]
    with ExitStack() as stack:
        servers = []
        for home in homes:
            environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(home)}
            server = start(
                tmp_path / f"log-{home.name}", environment=environment, module=WITHOUT_A_MODEL
            )
            stack.callback(server.kill)
            servers.append(server)
        for server in servers:
            ready(server)
        assert len(keys(database_url)) == 1
        (file,) = (KeyFile.of(home) for home in homes if KeyFile.of(home).path.exists())
        secret = file.read()
        assert secret is not None
        assert [status(server, secret.text) for server in servers] == [200] * 4
        told = [server.log.read_text().count("first start made a key") for server in servers]
        assert sorted(told) == [0, 0, 0, 1]


def test_several_workers_make_one_key(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    with running(tmp_path / "log", "--workers", "2", environment=environment) as server:
        assert len(keys(database_url)) == 1
        assert server.get("/stats").status_code == 200
        assert server.log.read_text().count("first start made a key") == 1


def test_where_the_file_cannot_be_written_no_key_is_made(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "home" / "admin.key").mkdir(parents=True)
    (tmp_path / "home" / "admin.key" / "x").touch()
    with running(tmp_path / "log", environment=environment, module=WITHOUT_A_MODEL) as server:
        assert keys(database_url) == []
        assert "no first key was made" in server.log.read_text()
        assert "facematch keys create" in server.log.read_text()
    assert [path.name for path in (tmp_path / "home").glob("*.tmp")] == []


def test_on_another_address_none_is_made_and_the_way_is_shown(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    arguments = ("--host", "0.0.0.0")
    with running(
        tmp_path / "log", *arguments, environment=environment, module=WITHOUT_A_MODEL
    ) as server:
        assert keys(database_url) == []
        command = re.search("`facematch (keys create [^`]+)`", server.log.read_text())
        assert command is not None
        assert httpx.get(f"{server.url}/stats").status_code == 401
        made = facematch(*command[1].split(), environment=environment)
        assert status(server, made.stdout.strip()) == 200
        assert server.stop() == 0
    with running(
        tmp_path / "second", *arguments, environment=environment, module=WITHOUT_A_MODEL
    ) as server:
        assert "no key exists" not in server.log.read_text()


def test_a_temporary_database_has_a_key_of_its_own_each_time(tmp_path: Path) -> None:
    environment = {"FACEMATCH_HOME": str(tmp_path)}
    seen = set()
    for number in range(2):
        with running(
            tmp_path / f"log-{number}",
            "--ephemeral",
            environment=environment,
            module=WITHOUT_A_MODEL,
        ) as server:
            (key,) = {match[0] for match in SECRET.finditer(server.log.read_text())}
            assert status(server, key) == 200
            seen.add(key)
    assert len(seen) == 2
    assert not KeyFile.of(tmp_path).path.exists()


def test_where_everybody_may_call_none_is_made(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    with running(
        tmp_path / "log",
        environment={**environment, "ALLOW_ANONYMOUS": "true"},
        module=WITHOUT_A_MODEL,
    ) as server:
        assert httpx.get(f"{server.url}/stats").status_code == 200
        assert keys(database_url) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_anonymous_use_of_other_addresses_needs_to_be_meant(
    host: str, environment: dict[str, str]
) -> None:
    environment |= {"ALLOW_ANONYMOUS": "true", "HOST": host}
    done = facematch("serve", "--port", str(free_port()), environment=environment)
    assert done.returncode == STARTUP
    assert "--allow-anonymous-network" in done.stderr
    assert "[invalid_settings]" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW_ANONYMOUS", "perhaps"),
        ("RATE_LIMIT", "many"),
        ("RATE_LIMIT", "0/second"),
        ("RATE_LIMIT", "5/second;"),
        ("RATE_LIMIT", "100001/day"),
        ("RATE_LIMIT", "5/fortnight"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("CORS_ORIGINS", "https://a.org,https://b.org/path"),
        ("CORS_ORIGINS", "https://"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=f"^{name}: "):
        Settings.read()


def minted(server: Server, *scopes: str) -> str:
    body = {"name": "x", "scopes": scopes}
    answer = server.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "/stats answered 401"),
        ({"FACEMATCH_KEY": "x"}, "/stats answered 401"),
        ({"FACEMATCH_KEY": "search"}, "/stats answered 403"),
    ],
)
def test_smoke_says_which_key_it_needs(
    given: dict[str, str], said: str, first: First, tmp_path: Path
) -> None:
    if given.get("FACEMATCH_KEY") == "search":
        given = {"FACEMATCH_KEY": minted(first.server, "search")}
    elsewhere = {"FACEMATCH_HOME": str(tmp_path / "elsewhere"), **given}
    done = facematch("smoke", first.server.url, environment=elsewhere)
    assert done.returncode == 1
    assert said in done.stderr
    assert "FACEMATCH_KEY or --key" in done.stderr


def test_smoke_takes_a_key_by_option_and_by_variable(first: First, tmp_path: Path) -> None:
    elsewhere = {"FACEMATCH_HOME": str(tmp_path / "elsewhere")}
    made = minted(first.server, "search", "enrol", "read")
    by_option = facematch("smoke", first.server.url, "--key", made, environment=elsewhere)
    by_variable = facematch(
        "smoke", first.server.url, environment={**elsewhere, "FACEMATCH_KEY": made}
    )
    assert (by_option.returncode, by_variable.returncode) == (0, 0), by_option.stderr
