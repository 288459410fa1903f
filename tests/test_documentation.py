"""Every setting, command and error code is documented, and the recipes are true."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from service import errors
from service.cli import app, failures
from service.settings import Settings
from service.web.problems import HTTP_CODES, STATUS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


Error = type[errors.FacematchError]


def leaves(error: Error = errors.FacematchError) -> Iterator[Error]:
    below = error.__subclasses__()
    if not below:
        yield error
    for each in below:
        yield from leaves(each)


def commands() -> Iterator[str]:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        for sub in getattr(command, "commands", {}) or [None]:
            yield f"facematch {name} {sub}" if sub else f"facematch {name}"


def options() -> Iterator[str]:
    root = typer.main.get_command(app)
    for command in root.commands.values():  # type: ignore[attr-defined]
        for each in [command, *getattr(command, "commands", {}).values()]:
            for parameter in each.params:
                yield from (name for name in parameter.opts if name.startswith("--"))


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme_with_its_default(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name.upper()}` \| (.*?) \| .+ \|$", README, re.MULTILINE)
    default = Settings.model_fields[name].default
    if isinstance(default, bool | int | str):
        assert row == (f"`{default}`".lower() if isinstance(default, bool) else f"`{default}`")
    if isinstance(default, float):
        assert row == f"`{default:g}`"


def test_the_readme_names_no_setting_that_is_not_there() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)
    assert {row.lower() for row in rows} == set(Settings.model_fields)


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"^\| `{command}[ `]", README, re.MULTILINE)


@pytest.mark.parametrize("option", sorted(set(options())))
def test_every_option_is_in_the_readme(option: str) -> None:
    assert f"`{option}`" in README


@pytest.mark.parametrize("error", sorted(leaves(), key=str))
def test_every_error_has_a_code_in_the_docs_and_in_both_tables(error: Error) -> None:
    assert f"| `{error.code}` |" in API
    assert error.__name__ in (errors.__doc__ or "")
    assert any(issubclass(error, branch) for branch in failures.EXIT_CODES)
    if not issubclass(error, errors.StartupError):
        assert f"| {STATUS[error]} | `{error.code}` |" in API


def test_every_code_is_unique_and_every_status_documented() -> None:
    codes = [error.code for error in leaves()]
    assert len(set(codes)) == len(codes)
    for status, code in HTTP_CODES.items():
        assert f"| {status} | `{code}` |" in API


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
